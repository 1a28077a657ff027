#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/group/delete_groups.h"
#include "cli/group/group.h"
#include "cli/json.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

int report(const client::GroupOutcome& each, const DeleteGroupsOptions& options, Console& console) {
  const bool is_absent =
      !each.outcome && each.outcome.error().code == ErrorCode::kGroupIdNotFound && options.if_exists;
  if (!each.outcome && !is_absent) {
    const bool is_used = each.outcome.error().code == ErrorCode::kNonEmptyGroup;
    return console.failure(fmt::format(
        "{}: {}", each.group,
        is_used ? "it has members; stop them first (NON_EMPTY_GROUP)" : describe(each.outcome.error())));
  }
  if (options.json) {
    print_json(console, boost::json::object{{"group", each.group}, {"deleted", !is_absent}});
  } else {
    console.out(is_absent ? fmt::format("there is no group {}\n", each.group)
                          : fmt::format("deleted group {}\n", each.group));
  }
  return kOk;
}

Task<int> remove(const DeleteGroupsOptions& options, Session& session) {
  co_return co_await delete_groups(options.groups, options, session);
}

int run(const DeleteGroupsOptions& options, Console& console) {
  return run_delete_groups(options, console, remove);
}

}  // namespace

void declare_delete_groups(Arguments& arguments, DeleteGroupsOptions& options) {
  arguments.positional("GROUP", &options.groups, "Groups to delete").required();
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--if-exists", options.if_exists, "A group that is not there is no failure");
  arguments.flag("--json", options.json, "Print one JSON object for each group");
  declare_connection(arguments, options.connection);
}

Task<int> delete_groups(std::vector<std::string> groups, const DeleteGroupsOptions& options,
                        Session& session) {
  client::GroupAdmin admin(session.client);
  const auto outcomes = co_await admin.remove(std::move(groups));
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  int status = kOk;
  for (const client::GroupOutcome& each : *outcomes) {
    if (report(each, options, session.console) != kOk) status = kFailure;
  }
  co_return status;
}

int run_delete_groups(const DeleteGroupsOptions& options, Console& console,
                      Task<int> (*remove)(const DeleteGroupsOptions&, Session&)) {
  if (!options.yes && console.in_is_terminal()) {
    const auto answer = console.ask(fmt::format("Delete {} with all that is known of what was read? [y/N] ",
                                                fmt::join(options.groups, ", ")));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was deleted");
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return remove(options, session); });
}

Command group_delete_command() {
  return make_command<DeleteGroupsOptions>(
      {.path = "group delete",
       .summary = "Delete groups without members, and what they committed",
       .examples = {{"brook group delete billing", "Asks first on a terminal"},
                    {"brook group delete --yes --if-exists billing", "Does not ask, and may be run again"}}},
      declare_delete_groups, run);
}

}  // namespace brook::cli

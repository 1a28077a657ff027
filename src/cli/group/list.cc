#include <boost/json.hpp>

#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/group/group.h"
#include "cli/group/list_groups.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

void declare(Arguments& arguments, ListGroupsOptions& options) {
  declare_list_groups(arguments, options);
  arguments.option("--type", "TYPE", &options.types, "Only groups of this type; may be repeated")
      .one_of({"classic", "consumer", "share", "streams"});
}

void print_table(const std::vector<client::ListedGroup>& groups, Console& console) {
  Table table({{"GROUP"}, {"STATE"}, {"TYPE"}, {"PROTOCOL"}});
  for (const client::ListedGroup& group : groups)
    table.add({group.id, group.state, group.type, group.protocol_type});
  table.print(console);
}

void print(const std::vector<client::ListedGroup>& groups, const ListGroupsOptions& options,
           Console& console) {
  if (!options.names && !options.json) return print_table(groups, console);
  for (const client::ListedGroup& group : groups) {
    if (options.names) {
      console.out(group.id + "\n");
      continue;
    }
    print_json(console, boost::json::object{{"group", group.id},
                                            {"state", group.state},
                                            {"type", group.type},
                                            {"protocol_type", group.protocol_type}});
  }
}

Task<int> list(const ListGroupsOptions& options, Session& session) {
  client::GroupAdmin admin(session.client);
  const auto groups = co_await admin.list(options.states, options.types);
  if (!groups) co_return session.console.failure(describe(groups.error()));
  print(*groups, options, session.console);
  co_return kOk;
}

}  // namespace

void declare_list_groups(Arguments& arguments, ListGroupsOptions& options) {
  arguments.option("--state", "STATE", &options.states, "Only groups in this state; may be repeated")
      .one_of({"Empty", "Stable", "Dead", "PreparingRebalance", "CompletingRebalance", "Assigning",
               "Reconciling", "NotReady"});
  arguments.flag("--names", options.names, "Print names alone, one a line");
  arguments.flag("--json", options.json, "Print one JSON object for each group");
  declare_connection(arguments, options.connection);
}

int run_list_groups(const ListGroupsOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return list(options, session); });
}

Command group_list_command() {
  return make_command<ListGroupsOptions>(
      {.path = "group list",
       .summary = "List the groups of consumers",
       .examples = {{"brook group list", "All groups"},
                    {"brook group list --state empty --names", "Those without members, for scripts"}}},
      declare, run_list_groups);
}

}  // namespace brook::cli

#include <fmt/format.h>

#include "cli/group/delete_groups.h"
#include "cli/share/share.h"
#include "client/share_group_admin.h"

namespace brook::cli {
namespace {

/// A group of another kind is none of these.
Task<int> remove(const DeleteGroupsOptions& options, Session& session) {
  client::ShareGroupAdmin admin(session.client);
  const auto described = co_await admin.describe(options.groups);
  if (!described) co_return session.console.failure(describe(described.error()));
  int status = kOk;
  std::vector<std::string> found;
  for (const client::GroupDescriptionOutcome& each : *described) {
    if (each.outcome) {
      found.push_back(each.group);
    } else if (each.outcome.error().code != ErrorCode::kGroupIdNotFound) {
      status = session.console.failure(describe(each.outcome.error()));
    } else if (!options.if_exists) {
      status = session.console.failure(fmt::format("there is no share group {}", each.group));
    }
  }
  const int deleted = co_await delete_groups(std::move(found), options, session);
  co_return status == kOk ? deleted : status;
}

int run(const DeleteGroupsOptions& options, Console& console) {
  return run_delete_groups(options, console, remove);
}

}  // namespace

Command share_delete_command() {
  return make_command<DeleteGroupsOptions>(
      {.path = "share delete",
       .summary = "Delete share groups without members, and what they know of records",
       .examples = {{"brook share delete jobs", "Asks first on a terminal"},
                    {"brook share delete --yes --if-exists jobs", "Does not ask, and may be run again"}}},
      declare_delete_groups, run);
}

}  // namespace brook::cli

#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/group/group_kind.h"
#include "cli/group/members.h"
#include "client/group_admin.h"

namespace brook::cli {

/// What `group describe` and `share describe` have in common.
struct DescribeGroupsOptions {
  ConnectionOptions connection;
  std::vector<std::string> groups;
  bool members = false;
  bool committed = false;
  bool json = false;
};

/// One group after the other, each with its heading, or as JSON; what keeps one from being shown is said, and
/// the others are shown, and what an absent one is where it is of another kind. `measure(group)` is a Task of
/// a Result of how far the group has come, and `print_json(group, progress)` and `print_progress(progress)`
/// print that. The exit status.
template <class Measure, class PrintJson, class PrintProgress>
[[nodiscard]] Task<int> show_groups(std::vector<client::GroupDescriptionOutcome> outcomes, GroupKind kind,
                                    const DescribeGroupsOptions& options, Session& session, Measure measure,
                                    PrintJson print_json, PrintProgress print_progress) {
  Console& console = session.console;
  int status = kOk;
  bool is_first = true;
  for (const client::GroupDescriptionOutcome& each : outcomes) {
    if (!each.outcome) {
      std::string complaint = describe(each.outcome.error());
      if (each.outcome.error().code == ErrorCode::kGroupIdNotFound) {
        const Result<void> other = co_await check_kind(session.client, each.group, kind, "describe");
        complaint = other ? fmt::format("there is no {}group {}", kind == GroupKind::kShare ? "share " : "",
                                        each.group)
                          : other.error().context;
      }
      status = console.failure(complaint);
      continue;
    }
    const auto progress = co_await measure(*each.outcome);
    if (!progress) {
      status = console.failure(describe(progress.error()));
      continue;
    }
    if (options.json) {
      print_json(*each.outcome, *progress);
      continue;
    }
    if (!std::exchange(is_first, false)) console.out("\n");
    print_heading(*each.outcome, console);
    if (options.members) {
      print_members(*each.outcome, console);
    } else {
      print_progress(*progress);
    }
  }
  co_return status;
}

}  // namespace brook::cli

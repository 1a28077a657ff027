#include <fmt/format.h>
#include <boost/json.hpp>

#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/group/describe_groups.h"
#include "cli/group/members.h"
#include "cli/group/progress.h"
#include "cli/json.h"
#include "cli/share/share.h"
#include "cli/table.h"
#include "client/share_group_admin.h"

namespace brook::cli {
namespace {

namespace json = boost::json;
using client::GroupDescription;

void declare(Arguments& arguments, DescribeGroupsOptions& options) {
  arguments.positional("GROUP", &options.groups, "Share groups to describe").required();
  arguments.flag("--members", options.members, "Show the members and what is assigned to them");
  arguments.flag(
      "--committed", options.committed,
      "END is where readers of committed records can get: for share.isolation.level=read_committed");
  arguments.flag("--json", options.json, "Print one JSON object for each group, offsets and members in it");
  declare_connection(arguments, options.connection);
}

Task<Result<ProgressByPartition>> progress_of(const GroupDescription& group,
                                              const DescribeGroupsOptions& options, Session& session) {
  client::ShareGroupAdmin admin(session.client);
  BROOK_CO_TRY(const auto offsets, co_await admin.offsets(group.id));
  ProgressByPartition partitions;
  for (const client::ShareOffset& each : offsets) {
    Progress& progress = partitions[each.partition];
    progress.committed = each.start;
    progress.lag = each.lag;
  }
  for (const client::GroupMember& member : group.members) {
    for (const TopicPartition& partition : member.assignment) partitions[partition];
  }
  const auto isolation =
      options.committed ? client::IsolationLevel::kReadCommitted : client::IsolationLevel::kReadUncommitted;
  co_await add_ends(partitions, session.client, isolation);
  co_await add_times(partitions, session.client, session.host.shard(0), isolation,
                     options.connection.timeout);
  co_return partitions;
}

void print_group_json(const GroupDescription& group, const ProgressByPartition& partitions,
                      Console& console) {
  json::array offsets;
  for (const auto& [partition, progress] : partitions) offsets.push_back(progress_json(partition, progress));
  print_json(console, json::object{{"group", group.id},
                                   {"type", group.type},
                                   {"state", group.state},
                                   {"assignor", group.assignor},
                                   {"coordinator", group.coordinator.value()},
                                   {"offsets", std::move(offsets)},
                                   {"members", members_json(group)}});
}

void print_progress(const ProgressByPartition& partitions, Console& console) {
  if (partitions.empty()) return console.out("  nothing is read, and nothing assigned\n");
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"START", Align::kRight},
               {"END", Align::kRight},
               {"LAG", Align::kRight},
               {"BEHIND", Align::kRight}});
  for (const auto& [partition, progress] : partitions) table.add(progress_cells(partition, progress));
  table.print(console, 2);
}

Task<int> show(const DescribeGroupsOptions& options, Session& session) {
  client::ShareGroupAdmin admin(session.client);
  const auto outcomes = co_await admin.describe(options.groups);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  Console& console = session.console;
  const auto measure = [&](const GroupDescription& group) { return progress_of(group, options, session); };
  const auto as_json = [&](const GroupDescription& group, const auto& progress) {
    print_group_json(group, progress, console);
  };
  const auto as_table = [&](const auto& progress) { print_progress(progress, console); };
  co_return co_await show_groups(*outcomes, GroupKind::kShare, options, session, measure, as_json, as_table);
}

int run(const DescribeGroupsOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return show(options, session); });
}

}  // namespace

Command share_describe_command() {
  return make_command<DescribeGroupsOptions>(
      {.path = "share describe",
       .summary = "Show how far a share group has come in each partition, and who is in it",
       .details =
           "START is the first offset that is not done with: records behind it may be, or may be out with "
           "members. LAG is how many are not done with, where the broker tells, else END less START. BEHIND "
           "is "
           "how old the record at START is.",
       .examples = {{"brook share describe jobs", "Offsets and lag"},
                    {"brook share describe jobs --members", "Members and their partitions"}}},
      declare, run);
}

}  // namespace brook::cli

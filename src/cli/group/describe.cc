#include <fmt/format.h>
#include <boost/json.hpp>

#include <map>
#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/group/describe_groups.h"
#include "cli/group/group.h"
#include "cli/group/members.h"
#include "cli/group/progress.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

namespace json = boost::json;
using client::GroupDescription;
using client::GroupMember;

void declare(Arguments& arguments, DescribeGroupsOptions& options) {
  arguments.positional("GROUP", &options.groups, "Groups to describe").required();
  arguments.flag("--members", options.members, "Show the members and what is assigned to them");
  arguments.flag("--committed", options.committed,
                 "Count to where readers of committed records can get: open transactions are no lag");
  arguments.flag("--json", options.json, "Print one JSON object for each group, offsets and members in it");
  declare_connection(arguments, options.connection);
}

/// What is known of a partition beside how far the group has come.
struct PartitionFacts {
  std::string metadata;
  const GroupMember* member = nullptr;
};
struct GroupProgress {
  ProgressByPartition partitions;  ///< that the group has committed for or that a member has
  std::map<TopicPartition, PartitionFacts> facts;
};

Task<Result<GroupProgress>> progress_of(const GroupDescription& group, const DescribeGroupsOptions& options,
                                        Session& session) {
  client::GroupAdmin groups(session.client);
  BROOK_CO_TRY(const auto offsets, co_await groups.offsets(group.id));
  GroupProgress found;
  for (const client::CommittedOffset& each : offsets) {
    found.partitions[each.partition].committed = each.offset;
    found.facts[each.partition].metadata = each.metadata;
  }
  for (const GroupMember& member : group.members) {
    for (const TopicPartition& partition : member.assignment) {
      found.partitions[partition];
      found.facts[partition].member = &member;
    }
  }
  const auto isolation =
      options.committed ? client::IsolationLevel::kReadCommitted : client::IsolationLevel::kReadUncommitted;
  co_await add_ends(found.partitions, session.client, isolation);
  co_await add_times(found.partitions, session.client, session.host.shard(0), isolation,
                     options.connection.timeout);
  co_return found;
}

void print_group_json(const GroupDescription& group, const GroupProgress& progress, Console& console) {
  json::object object{{"group", group.id},
                      {"type", group.type},
                      {"state", group.state},
                      {"assignor", group.assignor},
                      {"coordinator", group.coordinator.value()}};
  json::array offsets;
  for (const auto& [partition, each] : progress.partitions) {
    const PartitionFacts& facts = progress.facts.at(partition);
    json::object one = progress_json(partition, each);
    one["metadata"] = facts.metadata;
    one["member"] = facts.member ? json::value(facts.member->id) : json::value(nullptr);
    offsets.push_back(std::move(one));
  }
  object["offsets"] = std::move(offsets);
  object["members"] = members_json(group);
  print_json(console, object);
}

void print_progress(const GroupProgress& progress, Console& console) {
  if (progress.partitions.empty()) return console.out("  nothing is committed, and nothing assigned\n");
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"COMMITTED", Align::kRight},
               {"END", Align::kRight},
               {"LAG", Align::kRight},
               {"BEHIND", Align::kRight},
               {"CLIENT"},
               {"HOST"}});
  for (const auto& [partition, each] : progress.partitions) {
    std::vector<std::string> cells = progress_cells(partition, each);
    const GroupMember* member = progress.facts.at(partition).member;
    cells.push_back(member ? member->client_id : "-");
    cells.push_back(member ? member->host : "-");
    table.add(std::move(cells));
  }
  table.print(console, 2);
}

Task<int> describe_groups(const DescribeGroupsOptions& options, Session& session) {
  client::GroupAdmin admin(session.client);
  const auto outcomes = co_await admin.describe(options.groups);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  Console& console = session.console;
  const auto measure = [&](const GroupDescription& group) { return progress_of(group, options, session); };
  const auto as_json = [&](const GroupDescription& group, const auto& progress) {
    print_group_json(group, progress, console);
  };
  const auto as_table = [&](const auto& progress) { print_progress(progress, console); };
  co_return co_await show_groups(*outcomes, GroupKind::kConsumers, options, session, measure, as_json,
                                 as_table);
}

int run(const DescribeGroupsOptions& options, Console& console) {
  return with_cluster(options.connection, console,
                      [&](Session& session) { return describe_groups(options, session); });
}

}  // namespace

Command group_describe_command() {
  return make_command<DescribeGroupsOptions>(
      {.path = "group describe",
       .summary = "Show how far a group has come in each partition, and who reads it",
       .details =
           "LAG is END less COMMITTED: at most so many records are still to be read. BEHIND is how old the "
           "first of these is.",
       .examples = {{"brook group describe billing", "Offsets and lag"},
                    {"brook group describe billing --members", "Members and their partitions"},
                    {"brook group describe billing --json | jq '[.offsets[].lag] | add'", "The whole lag"}}},
      declare, run);
}

}  // namespace brook::cli

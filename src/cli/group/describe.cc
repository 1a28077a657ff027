#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place_resolver.h"
#include "cli/group/group.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/admin.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

namespace json = boost::json;
using client::GroupDescription;
using client::GroupMember;

struct GroupDescribeOptions {
  ConnectionOptions connection;
  std::vector<std::string> groups;
  bool members = false;
  bool json = false;
};

void declare(Arguments& arguments, GroupDescribeOptions& options) {
  arguments.positional("GROUP", &options.groups, "Groups to describe").required();
  arguments.flag("--members", options.members, "Show the members and what is assigned to them");
  arguments.flag("--json", options.json, "Print one JSON object for each group, offsets and members in it");
  declare_connection(arguments, options.connection);
}

/// A partition that the group has committed for or that a member has.
struct Progress {
  std::optional<Offset> committed;
  std::string metadata;
  std::optional<Offset> end;
  const GroupMember* member = nullptr;

  /// How many offsets lie ahead: at most so many records. Nothing where one end is not known.
  [[nodiscard]] std::optional<std::int64_t> lag() const {
    if (!committed || !end) return std::nullopt;
    return std::max<std::int64_t>(0, *end - *committed);
  }
};
using ProgressByPartition = std::map<TopicPartition, Progress>;

/// A partition whose end can't be told, because its topic is gone, has none.
Task<void> add_ends(ProgressByPartition& partitions, client::Admin& admin) {
  std::vector<client::OffsetQuery> queries;
  for (const auto& [partition, progress] : partitions)
    queries.push_back({partition, client::OffsetSpec::latest()});
  const auto outcomes = co_await admin.list_offsets(std::move(queries));
  if (!outcomes) co_return;
  for (const client::ListOffsetOutcome& each : *outcomes) {
    if (each.outcome) partitions[each.partition].end = each.outcome->offset;
  }
}

Task<Result<ProgressByPartition>> progress_of(const GroupDescription& group, Session& session) {
  client::GroupAdmin groups(session.client);
  BROOK_CO_TRY(const auto offsets, co_await groups.offsets(group.id));
  ProgressByPartition partitions;
  for (const client::CommittedOffset& each : offsets) {
    partitions[each.partition].committed = each.offset;
    partitions[each.partition].metadata = each.metadata;
  }
  for (const GroupMember& member : group.members) {
    for (const TopicPartition& partition : member.assignment) partitions[partition].member = &member;
  }
  client::Admin admin(session.client);
  co_await add_ends(partitions, admin);
  co_return partitions;
}

json::value number(std::optional<std::int64_t> value) {
  return value ? json::value(*value) : json::value(nullptr);
}

void print_group_json(const GroupDescription& group, const ProgressByPartition& partitions,
                      Console& console) {
  json::object object{{"group", group.id},
                      {"type", group.type},
                      {"state", group.state},
                      {"assignor", group.assignor},
                      {"coordinator", group.coordinator.value()}};
  json::array offsets;
  for (const auto& [partition, progress] : partitions) {
    offsets.push_back(
        json::object{{"topic", partition.topic},
                     {"partition", partition.partition.value()},
                     {"offset", number_or_null(progress.committed)},
                     {"end_offset", number_or_null(progress.end)},
                     {"lag", number(progress.lag())},
                     {"metadata", progress.metadata},
                     {"member", progress.member ? json::value(progress.member->id) : json::value(nullptr)}});
  }
  object["offsets"] = std::move(offsets);
  json::array members;
  for (const GroupMember& member : group.members) {
    json::array assigned;
    for (const TopicPartition& each : member.assignment)
      assigned.push_back(json::object{{"topic", each.topic}, {"partition", each.partition.value()}});
    members.push_back(json::object{
        {"member", member.id},
        {"instance", member.instance_id ? json::value(*member.instance_id) : json::value(nullptr)},
        {"client", member.client_id},
        {"host", member.host},
        {"assigned", std::move(assigned)}});
  }
  object["members"] = std::move(members);
  print_json(console, object);
}

template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? fmt::to_string(value->value()) : "-";
}

void print_progress(const ProgressByPartition& partitions, Console& console) {
  if (partitions.empty()) return console.out("  nothing is committed, and nothing assigned\n");
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"COMMITTED", Align::kRight},
               {"END", Align::kRight},
               {"LAG", Align::kRight},
               {"CLIENT"},
               {"HOST"}});
  for (const auto& [partition, progress] : partitions) {
    const auto lag = progress.lag();
    table.add({partition.topic, fmt::to_string(partition.partition.value()), or_dash(progress.committed),
               or_dash(progress.end), lag ? fmt::to_string(*lag) : "-",
               progress.member ? progress.member->client_id : "-",
               progress.member ? progress.member->host : "-"});
  }
  table.print(console, 2);
}

/// "orders:0,1,2 payments:0"
std::string assignment_text(const std::vector<TopicPartition>& assignment) {
  std::map<std::string, std::vector<std::int32_t>> by_topic;
  for (const TopicPartition& each : assignment) by_topic[each.topic].push_back(each.partition.value());
  std::vector<std::string> texts;
  for (const auto& [topic, indexes] : by_topic)
    texts.push_back(fmt::format("{}:{}", topic, fmt::join(indexes, ",")));
  return texts.empty() ? "-" : fmt::format("{}", fmt::join(texts, " "));
}

void print_members(const GroupDescription& group, Console& console) {
  Table table({{"MEMBER"}, {"INSTANCE"}, {"CLIENT"}, {"HOST"}, {"ASSIGNED"}});
  for (const GroupMember& member : group.members) {
    table.add({member.id, member.instance_id.value_or("-"), member.client_id, member.host,
               assignment_text(member.assignment)});
  }
  table.print(console, 2);
}

void print_group(const GroupDescription& group, const ProgressByPartition& partitions, bool members,
                 Console& console) {
  console.out(emphasize(console, group.id, Emphasis::kBold));
  console.out(fmt::format("  {}, {}, {} member{}{}\n", group.state, group.type, group.members.size(),
                          group.members.size() == 1 ? "" : "s",
                          group.assignor.empty() ? "" : ", assigned by " + group.assignor));
  if (members) {
    print_members(group, console);
  } else {
    print_progress(partitions, console);
  }
}

Task<int> describe_groups(const GroupDescribeOptions& options, Session& session) {
  client::GroupAdmin admin(session.client);
  const auto outcomes = co_await admin.describe(options.groups);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  int status = kOk;
  bool is_first = true;
  for (const client::GroupDescriptionOutcome& each : *outcomes) {
    if (!each.outcome) {
      const bool is_absent = each.outcome.error().code == ErrorCode::kGroupIdNotFound;
      status = session.console.failure(is_absent ? fmt::format("there is no group {}", each.group)
                                                 : describe(each.outcome.error()));
      continue;
    }
    const auto partitions = co_await progress_of(*each.outcome, session);
    if (!partitions) {
      status = session.console.failure(describe(partitions.error()));
      continue;
    }
    if (options.json) {
      print_group_json(*each.outcome, *partitions, session.console);
      continue;
    }
    if (!std::exchange(is_first, false)) session.console.out("\n");
    print_group(*each.outcome, *partitions, options.members, session.console);
  }
  co_return status;
}

int run(const GroupDescribeOptions& options, Console& console) {
  return with_cluster(options.connection, console,
                      [&](Session& session) { return describe_groups(options, session); });
}

}  // namespace

Command group_describe_command() {
  return make_command<GroupDescribeOptions>(
      {.path = "group describe",
       .summary = "Show how far a group has come in each partition, and who reads it",
       .details = "LAG is END less COMMITTED: at most so many records are still to be read.",
       .examples = {{"brook group describe billing", "Offsets and lag"},
                    {"brook group describe billing --members", "Members and their partitions"},
                    {"brook group describe billing --json | jq '[.offsets[].lag] | add'", "The whole lag"}}},
      declare, run);
}

}  // namespace brook::cli

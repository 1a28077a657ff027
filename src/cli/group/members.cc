#include "cli/group/members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/table.h"

namespace brook::cli {

namespace json = boost::json;
using client::GroupDescription;
using client::GroupMember;

namespace {

std::string members_text(const GroupDescription& group) {
  return fmt::format("{} member{}", group.members.size(), group.members.size() == 1 ? "" : "s");
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

}  // namespace

void print_heading(const GroupDescription& group, Console& console) {
  console.out(emphasize(console, group.id, Emphasis::kBold));
  console.out(fmt::format("  {}, {}, {}{}\n", group.state, group.type, members_text(group),
                          group.assignor.empty() ? "" : ", assigned by " + group.assignor));
}

void print_members(const GroupDescription& group, Console& console) {
  Table table({{"MEMBER"}, {"INSTANCE"}, {"CLIENT"}, {"HOST"}, {"ASSIGNED"}});
  for (const GroupMember& member : group.members) {
    table.add({member.id, member.instance_id.value_or("-"), member.client_id, member.host,
               assignment_text(member.assignment)});
  }
  table.print(console, 2);
}

json::array members_json(const GroupDescription& group) {
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
  return members;
}

Result<void> check_unused(const client::GroupDescriptionOutcome& described) {
  if (!described.outcome) {
    if (described.outcome.error().code == ErrorCode::kGroupIdNotFound) return {};
    return std::unexpected(described.outcome.error());
  }
  if (described.outcome->members.empty()) return {};
  return fail(ErrorCode::kNonEmptyGroup,
              fmt::format("{} has {}, which would go on where they are; stop them first", described.group,
                          members_text(*described.outcome)));
}

}  // namespace brook::cli

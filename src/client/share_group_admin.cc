// Share groups: ShareGroupDescribe 1, DescribeShareGroupOffsets 0 to 1 (1: lag), AlterShareGroupOffsets 0,
// DeleteShareGroupOffsets 0.
#include "client/share_group_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "client/client.h"
#include "client/internal/coordinator_call.h"
#include "client/internal/outcome.h"
#include "protocol/alter_share_group_offsets.h"
#include "protocol/delete_share_group_offsets.h"
#include "protocol/describe_share_group_offsets.h"
#include "protocol/share_group_describe.h"

namespace brook::client {
namespace {

using namespace internal;

template <class Items>
ErrorCode first_code(const Items& items) {
  return items.empty() ? ErrorCode::kNone : static_cast<ErrorCode>(items.front().error_code);
}

template <class Body>
ErrorCode whole_code(const Body& body) {
  return static_cast<ErrorCode>(body.error_code);
}

std::string name_of(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value());
}

GroupDescription decode(const protocol::ShareGroupDescribeResponse::DescribedGroup& from,
                        BrokerId coordinator) {
  GroupDescription group{.id = from.group_id,
                         .type = "share",
                         .state = from.group_state,
                         .assignor = from.assignor_name,
                         .coordinator = coordinator,
                         .members = {}};
  for (const auto& member : from.members) {
    GroupMember& made = group.members.emplace_back(
        GroupMember{member.member_id, std::nullopt, member.client_id, member.client_host, {}});
    for (const auto& topic : member.assignment.topic_partitions) {
      for (const std::int32_t index : topic.partitions)
        made.assignment.push_back({topic.topic_name, PartitionIndex(index)});
    }
    std::ranges::sort(made.assignment);
  }
  std::ranges::sort(group.members, [](const GroupMember& a, const GroupMember& b) {
    return std::tie(a.client_id, a.id) < std::tie(b.client_id, b.id);
  });
  return group;
}

Task<Result<GroupDescription>> describe_one(Cluster& cluster, std::string id) {
  protocol::ShareGroupDescribeRequest request;
  request.group_ids = {id};
  BROOK_CO_TRY(const auto found, co_await ask_coordinator<protocol::ShareGroupDescribeResponse>(
                                     cluster, Coordinated::kGroup, id, request, {},
                                     [](const auto& body) { return first_code(body.groups); }));
  if (found.answer.body.groups.empty()) co_return unanswered("group " + id);
  const auto& described = found.answer.body.groups.front();
  BROOK_CO_CHECK(outcome(described.error_code, described.error_message, "group " + id));
  co_return decode(described, found.coordinator);
}

}  // namespace

Task<Result<std::vector<GroupDescriptionOutcome>>> ShareGroupAdmin::describe(
    std::vector<std::string> groups) {
  std::vector<GroupDescriptionOutcome> outcomes;
  for (const std::string& group : groups) {
    Result<GroupDescription> described = co_await describe_one(client_.internals(), group);
    outcomes.push_back({group, std::move(described)});
  }
  co_return outcomes;
}

Task<Result<std::vector<ShareOffset>>> ShareGroupAdmin::offsets(std::string group) {
  protocol::DescribeShareGroupOffsetsRequest request;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics = std::nullopt;
  BROOK_CO_TRY(const auto found, co_await ask_coordinator<protocol::DescribeShareGroupOffsetsResponse>(
                                     client_.internals(), Coordinated::kGroup, group, request, {},
                                     [](const auto& body) { return first_code(body.groups); }));
  if (found.answer.body.groups.empty()) co_return unanswered("group " + group);
  const auto& answered = found.answer.body.groups.front();
  BROOK_CO_CHECK(outcome(answered.error_code, answered.error_message, "group " + group));
  std::vector<ShareOffset> offsets;
  for (const auto& topic : answered.topics) {
    for (const auto& partition : topic.partitions) {
      ShareOffset offset{
          {topic.topic_name, PartitionIndex(partition.partition_index)}, Offset(partition.start_offset), {}};
      BROOK_CO_CHECK(outcome(partition.error_code, partition.error_message, name_of(offset.partition)));
      if (partition.start_offset < 0) continue;
      if (partition.lag >= 0) offset.lag = partition.lag;
      offsets.push_back(std::move(offset));
    }
  }
  std::ranges::sort(offsets, {}, &ShareOffset::partition);
  co_return offsets;
}

Task<Result<std::vector<CommitOutcome>>> ShareGroupAdmin::alter(std::string group,
                                                                std::vector<ShareOffset> offsets) {
  protocol::AlterShareGroupOffsetsRequest request;
  request.group_id = group;
  std::ranges::sort(offsets, {}, &ShareOffset::partition);
  for (const ShareOffset& offset : offsets) {
    if (request.topics.empty() || request.topics.back().topic_name != offset.partition.topic)
      request.topics.emplace_back().topic_name = offset.partition.topic;
    request.topics.back().partitions.push_back({offset.partition.partition.value(), offset.start.value()});
  }
  BROOK_CO_TRY(const auto altered, co_await ask_coordinator<protocol::AlterShareGroupOffsetsResponse>(
                                       client_.internals(), Coordinated::kGroup, group, request, {},
                                       [](const auto& body) { return whole_code(body); }));
  const auto& body = altered.answer.body;
  BROOK_CO_CHECK(outcome(body.error_code, body.error_message, "group " + group));
  std::map<TopicPartition, Result<void>> answered;
  for (const auto& topic : body.responses) {
    for (const auto& partition : topic.partitions) {
      const TopicPartition key{topic.topic_name, PartitionIndex(partition.partition_index)};
      answered.emplace(key, outcome(partition.error_code, partition.error_message, name_of(key)));
    }
  }
  std::vector<CommitOutcome> outcomes;
  for (const ShareOffset& offset : offsets) {
    const auto found = answered.find(offset.partition);
    outcomes.push_back({offset.partition, found == answered.end()
                                              ? Result<void>(unanswered(name_of(offset.partition)))
                                              : found->second});
  }
  co_return outcomes;
}

Task<Result<std::vector<ForgottenTopic>>> ShareGroupAdmin::forget(std::string group,
                                                                  std::vector<std::string> topics) {
  protocol::DeleteShareGroupOffsetsRequest request;
  request.group_id = group;
  for (const std::string& topic : topics) request.topics.emplace_back().topic_name = topic;
  BROOK_CO_TRY(const auto deleted, co_await ask_coordinator<protocol::DeleteShareGroupOffsetsResponse>(
                                       client_.internals(), Coordinated::kGroup, group, request, {},
                                       [](const auto& body) { return whole_code(body); }));
  const auto& body = deleted.answer.body;
  BROOK_CO_CHECK(outcome(body.error_code, body.error_message, "group " + group));
  std::vector<ForgottenTopic> outcomes;
  for (const auto& topic : body.responses) {
    outcomes.push_back(
        {topic.topic_name, outcome(topic.error_code, topic.error_message, "topic " + topic.topic_name)});
  }
  co_return outcomes;
}

}  // namespace brook::client

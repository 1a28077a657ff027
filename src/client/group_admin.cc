// Groups: ListGroups 0 to 5 (4: states, 5: types) of every broker, DescribeGroups 0 to 6 (6:
// GROUP_ID_NOT_FOUND), ConsumerGroupDescribe 0 to 1 for groups of KIP-848, DeleteGroups 0 to 2.
#include "client/group_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "client/client.h"
#include "client/internal/coordinator_call.h"
#include "client/internal/outcome.h"
#include "protocol/consumer_group_describe.h"
#include "protocol/delete_groups.h"
#include "protocol/describe_groups.h"
#include "protocol/list_groups.h"
#include "protocol/reader.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr std::int16_t kListVersionWithStates = 4;
constexpr std::int16_t kListVersionWithTypes = 5;
constexpr std::string_view kDead = "Dead";

/// The first item's code: the requests here are about one group.
template <class Items>
ErrorCode first_code(const Items& items) {
  return items.empty() ? ErrorCode::kNone : static_cast<ErrorCode>(items.front().error_code);
}

/// An assignment as consumers of the classic protocol write it (ConsumerProtocolAssignment): version, topics
/// with their partitions, and what is none of ours. Empty where it is something else.
std::vector<TopicPartition> decode_assignment(ByteView bytes) {
  std::vector<TopicPartition> partitions;
  protocol::Reader in(bytes);
  if (in.int16() < 0) return {};
  const std::int32_t topics = in.array_count(false, sizeof(std::int16_t), false, "topics");
  for (std::int32_t i = 0; i < topics && in.ok(); ++i) {
    const std::string topic = in.string(false, "topic");
    const std::int32_t count = in.array_count(false, sizeof(std::int32_t), false, "partitions");
    for (std::int32_t j = 0; j < count && in.ok(); ++j)
      partitions.push_back({topic, PartitionIndex(in.int32())});
  }
  if (!in.ok()) return {};
  std::ranges::sort(partitions);
  return partitions;
}

void sort_members(GroupDescription& group) {
  std::ranges::sort(group.members, [](const GroupMember& a, const GroupMember& b) {
    return std::tie(a.client_id, a.id) < std::tie(b.client_id, b.id);
  });
}

GroupDescription decode_classic(const protocol::DescribeGroupsResponse::DescribedGroup& from) {
  GroupDescription group{.id = from.group_id,
                         .type = "classic",
                         .state = from.group_state,
                         .assignor = from.protocol_data,
                         .members = {}};
  for (const auto& member : from.members) {
    group.members.push_back({member.member_id, member.group_instance_id, member.client_id, member.client_host,
                             decode_assignment(member.member_assignment)});
  }
  return group;
}

GroupDescription decode_consumer(const protocol::ConsumerGroupDescribeResponse::DescribedGroup& from) {
  GroupDescription group{.id = from.group_id,
                         .type = "consumer",
                         .state = from.group_state,
                         .assignor = from.assignor_name,
                         .members = {}};
  for (const auto& member : from.members) {
    GroupMember& made = group.members.emplace_back(
        GroupMember{member.member_id, member.instance_id, member.client_id, member.client_host, {}});
    for (const auto& topic : member.assignment.topic_partitions) {
      for (const std::int32_t index : topic.partitions)
        made.assignment.push_back({topic.topic_name, PartitionIndex(index)});
    }
    std::ranges::sort(made.assignment);
  }
  return group;
}

Task<Result<GroupDescription>> describe_consumer_group(Cluster& cluster, std::string id) {
  protocol::ConsumerGroupDescribeRequest request;
  request.group_ids = {id};
  BROOK_CO_TRY(const auto found, co_await ask_coordinator<protocol::ConsumerGroupDescribeResponse>(
                                     cluster, Coordinated::kGroup, id, request, {},
                                     [](const auto& body) { return first_code(body.groups); }));
  if (found.answer.body.groups.empty()) co_return unanswered(id);
  const auto& described = found.answer.body.groups.front();
  BROOK_CO_CHECK(outcome(described.error_code, described.error_message, "group " + id));
  GroupDescription group = decode_consumer(described);
  group.coordinator = found.coordinator;
  co_return group;
}

Task<Result<GroupDescription>> describe_one(Cluster& cluster, std::string id) {
  protocol::DescribeGroupsRequest request;
  request.groups = {id};
  BROOK_CO_TRY(const auto found, co_await ask_coordinator<protocol::DescribeGroupsResponse>(
                                     cluster, Coordinated::kGroup, id, request, {},
                                     [](const auto& body) { return first_code(body.groups); }));
  if (found.answer.body.groups.empty()) co_return unanswered(id);
  const auto& described = found.answer.body.groups.front();
  const auto code = static_cast<ErrorCode>(described.error_code);
  if (code == ErrorCode::kNone && described.group_state != kDead) {
    GroupDescription group = decode_classic(described);
    group.coordinator = found.coordinator;
    co_return group;
  }
  if (code != ErrorCode::kNone && code != ErrorCode::kGroupIdNotFound)
    co_return std::unexpected(outcome(described.error_code, described.error_message, "group " + id).error());
  // No classic one. One of KIP-848, where the broker knows of these?
  Result<GroupDescription> other = co_await describe_consumer_group(cluster, id);
  if (!other && other.error().code == ErrorCode::kUnsupportedVersion)
    co_return fail(ErrorCode::kGroupIdNotFound, "there is no group " + id);
  co_return other;
}

}  // namespace

Task<Result<std::vector<ListedGroup>>> GroupAdmin::list(std::vector<std::string> states,
                                                        std::vector<std::string> types) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  VersionRange versions;
  if (!states.empty()) versions.min = kListVersionWithStates;
  if (!types.empty()) versions.min = kListVersionWithTypes;
  protocol::ListGroupsRequest request;
  request.states_filter = std::move(states);
  request.types_filter = std::move(types);
  BROOK_CO_TRY(const ClusterMetadata metadata, co_await cluster.metadata(std::vector<std::string>(), false));
  std::vector<ListedGroup> groups;
  for (const Broker& broker : metadata.brokers) {
    BROOK_CO_TRY(const auto answer,
                 co_await ask<protocol::ListGroupsResponse>(
                     cluster, broker.id, request, deadline, versions,
                     [](const auto& body) { return static_cast<ErrorCode>(body.error_code); }));
    BROOK_CO_CHECK(
        outcome(answer.body.error_code, std::nullopt, fmt::format("groups of broker {}", broker.id.value())));
    for (const auto& group : answer.body.groups)
      groups.push_back({group.group_id, group.protocol_type, group.group_state, group.group_type});
  }
  std::ranges::sort(groups, {}, &ListedGroup::id);
  co_return groups;
}

Task<Result<std::vector<GroupDescriptionOutcome>>> GroupAdmin::describe(std::vector<std::string> groups) {
  std::vector<GroupDescriptionOutcome> outcomes;
  for (const std::string& group : groups) {
    Result<GroupDescription> described = co_await describe_one(client_.internals(), group);
    if (described) sort_members(*described);
    outcomes.push_back({group, std::move(described)});
  }
  co_return outcomes;
}

Task<Result<std::vector<GroupOutcome>>> GroupAdmin::remove(std::vector<std::string> groups) {
  std::vector<GroupOutcome> outcomes;
  for (const std::string& group : groups) {
    protocol::DeleteGroupsRequest request;
    request.groups_names = {group};
    const auto removed = co_await ask_coordinator<protocol::DeleteGroupsResponse>(
        client_.internals(), Coordinated::kGroup, group, request, {},
        [](const auto& body) { return first_code(body.results); });
    Result<void> result;
    if (!removed) {
      result = std::unexpected(removed.error());
    } else if (removed->answer.body.results.empty()) {
      result = unanswered(group);
    } else {
      result = outcome(removed->answer.body.results.front().error_code, std::nullopt, "group " + group);
    }
    outcomes.push_back({group, std::move(result)});
  }
  co_return outcomes;
}

}  // namespace brook::client

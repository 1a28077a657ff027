// What can be said of a heartbeat before any group is looked at.
#include <fmt/core.h>

#include <utility>

#include "coordinator/consumer_group.h"
#include "coordinator/java_string.h"

namespace brook::coordinator {

using protocol::ConsumerGroupHeartbeatRequest;

namespace {

/// From here on a consumer makes its own member id (KIP-1082).
constexpr std::int16_t kFirstVersionWithOwnMemberId = 1;

Result<void> check_join(const ConsumerGroupHeartbeatRequest& request) {
  if (request.rebalance_timeout_ms == -1)
    return fail(ErrorCode::kInvalidRequest, "RebalanceTimeoutMs must be provided in first request.");
  if (!request.topic_partitions || !request.topic_partitions->empty())
    return fail(ErrorCode::kInvalidRequest, "TopicPartitions must be empty when (re-)joining.");
  if (!request.subscribed_topic_names && !request.subscribed_topic_regex)
    return fail(ErrorCode::kInvalidRequest,
                "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  return {};
}

}  // namespace

Result<void> check_heartbeat(const ConsumerGroupHeartbeatRequest& request, std::int16_t version,
                             const AssignorChoice& assignors) {
  const auto invalid = [](std::string why) { return fail(ErrorCode::kInvalidRequest, std::move(why)); };
  const bool needs_id = version >= kFirstVersionWithOwnMemberId || request.member_epoch > 0 ||
                        request.member_epoch == kLeaveEpoch;
  if (needs_id && java_blank(request.member_id)) return invalid("MemberId can't be empty.");
  if (java_blank(request.group_id)) return invalid("GroupId can't be empty.");
  if (request.instance_id && java_blank(*request.instance_id)) return invalid("InstanceId can't be empty.");
  if (request.rack_id && java_blank(*request.rack_id)) return invalid("RackId can't be empty.");
  if (request.member_epoch == kJoinEpoch) {
    BROOK_CHECK(check_join(request));
  } else if (request.member_epoch == kStaticLeaveEpoch && !request.instance_id) {
    return invalid("InstanceId can't be null.");
  } else if (request.member_epoch < kStaticLeaveEpoch) {
    return invalid("MemberEpoch is invalid.");
  }
  if (!request.server_assignor) return {};
  const auto wanted = assignor_named(*request.server_assignor);
  if (wanted && assignors.has(*wanted)) return {};
  const std::string second =
      assignors.second ? fmt::format(", {}", assignor_name(*assignors.second)) : std::string();
  return fail(ErrorCode::kUnsupportedAssignor,
              fmt::format("ServerAssignor {} is not supported. Supported assignors: {}{}.",
                          *request.server_assignor, assignor_name(assignors.first), second));
}

}  // namespace brook::coordinator

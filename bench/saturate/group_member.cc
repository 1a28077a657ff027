#include "saturate/group_member.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "base/result.h"
#include "protocol/api_versions.h"
#include "protocol/leave_group.h"
#include "protocol/writer.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 8 << 10;  // a leader is told of all members
constexpr std::int32_t kSessionMs = 45'000;
constexpr std::int32_t kRebalanceMs = 60'000;
constexpr std::int16_t kJoinVersion = 5;
constexpr std::int16_t kSyncVersion = 3;
constexpr std::int16_t kHeartbeatVersion = 3;
constexpr std::int16_t kLeaveVersion = 3;

protocol::Bytes as_vector(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// A consumer's subscription to one topic, version 0: Apache Kafka reads it, and never completes a join
// without.
protocol::Bytes subscription() {
  protocol::Writer out;
  out.int16(0);
  out.array_count(false, 1);
  out.string(false, "bench", "Topics");
  out.null_array(false, true, "UserData");
  return {out.bytes().begin(), out.bytes().end()};
}

bool is(std::int16_t code, ErrorCode expected) { return code == static_cast<std::int16_t>(expected); }

}  // namespace

GroupMember::GroupMember(std::uint16_t port, std::string group)
    : connection_(port, kBufferBytes), group_(std::move(group)) {}

void GroupMember::ask_versions() { connection_.send_all(encode(protocol::ApiVersionsRequest{}, 0).bytes()); }

void GroupMember::join() {
  protocol::JoinGroupRequest request;
  request.group_id = group_;
  request.session_timeout_ms = kSessionMs;
  request.rebalance_timeout_ms = kRebalanceMs;
  request.member_id = id_;
  request.protocol_type = "consumer";
  request.protocols.push_back({"range", subscription()});
  connection_.send_all(encode(request, kJoinVersion).bytes());
  state_ = State::kJoining;
}

void GroupMember::heartbeat() {
  protocol::HeartbeatRequest request;
  request.group_id = group_;
  request.generation_id = generation_;
  request.member_id = id_;
  connection_.send_all(encode(request, kHeartbeatVersion).bytes());
  state_ = State::kBeating;
}

void GroupMember::leave(const std::vector<std::string>& ids) {
  protocol::LeaveGroupRequest request;
  request.group_id = group_;
  for (const std::string& id : ids) request.members.emplace_back().member_id = id;
  connection_.send_all(encode(request, kLeaveVersion).bytes());
}

void GroupMember::receive_left() {
  const auto response = decode<protocol::LeaveGroupResponse>(connection_.receive_frame(), kLeaveVersion);
  if (response.error_code != 0) stop(fmt::format("{}: leave: error {}", group_, response.error_code));
}

void GroupMember::receive() {
  connection_.receive_some();
  for (ByteView frame = connection_.take_frame(); !frame.empty(); frame = connection_.take_frame()) {
    switch (state_) {
      case State::kJoining:
        joined(decode<protocol::JoinGroupResponse>(frame, kJoinVersion));
        break;
      case State::kSyncing:
        synced(decode<protocol::SyncGroupResponse>(frame, kSyncVersion));
        break;
      case State::kBeating:
        beaten(decode<protocol::HeartbeatResponse>(frame, kHeartbeatVersion));
        break;
      case State::kStable:
        stop("an answer to no request");
    }
  }
}

void GroupMember::joined(const protocol::JoinGroupResponse& response) {
  if (is(response.error_code, ErrorCode::kMemberIdRequired)) {
    id_ = response.member_id;
    return join();
  }
  if (response.error_code != 0) stop(fmt::format("{}: join: error {}", group_, response.error_code));
  id_ = response.member_id;
  generation_ = response.generation_id;
  is_leader_ = response.leader == id_;
  protocol::SyncGroupRequest request;
  request.group_id = group_;
  request.generation_id = generation_;
  request.member_id = id_;
  for (const auto& member : response.members)
    request.assignments.push_back({member.member_id, as_vector("assignment")});
  connection_.send_all(encode(request, kSyncVersion).bytes());
  state_ = State::kSyncing;
}

void GroupMember::synced(const protocol::SyncGroupResponse& response) {
  if (is(response.error_code, ErrorCode::kRebalanceInProgress)) return join();
  if (response.error_code != 0) stop(fmt::format("{}: sync: error {}", group_, response.error_code));
  if (response.assignment.empty()) stop(fmt::format("{}: a member without an assignment", group_));
  state_ = State::kStable;
}

void GroupMember::beaten(const protocol::HeartbeatResponse& response) {
  if (is(response.error_code, ErrorCode::kRebalanceInProgress)) return join();
  if (response.error_code != 0) stop(fmt::format("{}: heartbeat: error {}", group_, response.error_code));
  if (generation_ > last_generation_) {
    state_ = State::kStable;
  } else {
    heartbeat();  // the leader's join has not come yet
  }
}

}  // namespace brook::saturate

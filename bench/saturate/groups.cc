// Members of the classic protocol, each on a connection of its own, since a join holds its connection up.
#include <fmt/core.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "protocol/heartbeat.h"
#include "protocol/join_group.h"
#include "protocol/leave_group.h"
#include "protocol/sync_group.h"
#include "saturate/connection.h"
#include "saturate/coordinator.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 8 << 10;  // a leader is told of all members
constexpr double kPatienceS = 300;             // until all are stable
constexpr double kHeartbeatS = 3;  // as clients do: a stable member hears so that it has to join again
constexpr int kPollMs = 100;
constexpr std::int32_t kSessionMs = 45'000;
constexpr std::int32_t kRebalanceMs = 60'000;
constexpr std::int16_t kJoinVersion = 5;
constexpr std::int16_t kSyncVersion = 3;
constexpr std::int16_t kHeartbeatVersion = 3;
constexpr std::int16_t kLeaveVersion = 3;

class Member {
 public:
  Member(std::uint16_t port, std::string group) : connection_(port, kBufferBytes), group_(std::move(group)) {}

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] bool is_leader() const { return is_leader_; }
  /// It has its assignment in a generation that is newer than when begin() was called.
  [[nodiscard]] bool is_stable() const { return state_ == State::kStable && generation_ > last_generation_; }

  void begin() { last_generation_ = generation_; }
  void join() {
    protocol::JoinGroupRequest request;
    request.group_id = group_;
    request.session_timeout_ms = kSessionMs;
    request.rebalance_timeout_ms = kRebalanceMs;
    request.member_id = id_;
    request.protocol_type = "consumer";
    request.protocols.push_back({"range", as_vector("subscription")});
    connection_.send_all(encode(request, kJoinVersion).bytes());
    state_ = State::kJoining;
  }
  void heartbeat() {
    protocol::HeartbeatRequest request;
    request.group_id = group_;
    request.generation_id = generation_;
    request.member_id = id_;
    connection_.send_all(encode(request, kHeartbeatVersion).bytes());
    state_ = State::kBeating;
  }

  // Sends the members of the group away; it is one of them.
  void leave(const std::vector<std::string>& ids) {
    protocol::LeaveGroupRequest request;
    request.group_id = group_;
    for (const std::string& id : ids) request.members.emplace_back().member_id = id;
    connection_.send_all(encode(request, kLeaveVersion).bytes());
    const auto response = decode<protocol::LeaveGroupResponse>(connection_.receive_frame(), kLeaveVersion);
    if (response.error_code != 0) stop(fmt::format("{}: leave: error {}", group_, response.error_code));
  }

  // Takes what has arrived and goes on to the next request.
  void receive() {
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

 private:
  enum class State : std::uint8_t { kJoining, kSyncing, kBeating, kStable };

  static protocol::Bytes as_vector(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }

  static bool is(std::int16_t code, ErrorCode expected) {
    return code == static_cast<std::int16_t>(expected);
  }

  void joined(const protocol::JoinGroupResponse& response) {
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

  void synced(const protocol::SyncGroupResponse& response) {
    if (is(response.error_code, ErrorCode::kRebalanceInProgress)) return join();
    if (response.error_code != 0) stop(fmt::format("{}: sync: error {}", group_, response.error_code));
    if (response.assignment.empty()) stop(fmt::format("{}: a member without an assignment", group_));
    state_ = State::kStable;
  }

  void beaten(const protocol::HeartbeatResponse& response) {
    if (is(response.error_code, ErrorCode::kRebalanceInProgress)) return join();
    if (response.error_code != 0) stop(fmt::format("{}: heartbeat: error {}", group_, response.error_code));
    if (generation_ > last_generation_) {
      state_ = State::kStable;
    } else {
      heartbeat();  // the leader's join has not come yet
    }
  }

  Connection connection_;
  std::string group_;
  std::string id_;
  std::int32_t generation_ = -1;
  std::int32_t last_generation_ = -1;
  bool is_leader_ = false;
  State state_ = State::kStable;
};

class Poller {
 public:
  Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_ < 0) stop("epoll_create1");
  }
  ~Poller() { close(descriptor_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(Member& member) const {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &member}};
    if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, member.descriptor(), &event) != 0) stop("epoll_ctl");
  }

  /// Until all are stable.
  void run(std::deque<Member>& members) const {
    const double end = now_s() + kPatienceS;
    double next_heartbeat = now_s() + kHeartbeatS;
    std::size_t stable = 0;
    for (const Member& member : members) stable += member.is_stable() ? 1 : 0;
    std::array<epoll_event, 512> events{};
    while (stable < members.size()) {
      const int ready = epoll_wait(descriptor_, events.data(), static_cast<int>(events.size()), kPollMs);
      if (ready < 0 && errno != EINTR) stop(fmt::format("epoll_wait: {}", std::strerror(errno)));
      for (int i = 0; i < ready; ++i) {
        Member& member = *static_cast<Member*>(events[static_cast<std::size_t>(i)].data.ptr);
        const bool was_stable = member.is_stable();
        member.receive();
        if (!was_stable && member.is_stable()) ++stable;
      }
      const double now = now_s();
      if (now > end)
        stop(fmt::format("{} of {} members are stable after {:.0f} s", stable, members.size(), kPatienceS));
      if (now < next_heartbeat || stable == members.size()) continue;
      next_heartbeat = now + kHeartbeatS;
      for (Member& member : members) {
        if (!member.is_stable()) continue;
        member.heartbeat();
        --stable;
      }
    }
  }

 private:
  int descriptor_;
};

}  // namespace

void run(const Groups& load) {
  wait_for_coordinators(load.port, load.prefix, load.groups);
  std::deque<Member> members;
  const Poller poller;
  for (std::int64_t group = 0; group < load.groups; ++group) {
    for (std::int64_t i = 0; i < load.members; ++i)
      poller.add(members.emplace_back(load.port, group_name(load.prefix, group)));
  }
  const double begin = now_s();
  for (Member& member : members) member.join();
  poller.run(members);
  const double formed = now_s();

  // Each leader asks for a new assignment; the others hear of it by their next heartbeat.
  for (Member& member : members) member.begin();
  for (Member& member : members) {
    if (member.is_leader()) member.join();
  }
  for (Member& member : members) {
    if (!member.is_leader()) member.heartbeat();
  }
  poller.run(members);
  const double stable = now_s();

  const auto size = static_cast<std::size_t>(load.members);
  for (std::size_t first = 0; first < members.size(); first += size) {
    std::vector<std::string> ids;
    for (std::size_t i = first; i < first + size; ++i) ids.push_back(members[i].id());
    members[first].leave(ids);
  }
  fmt::print("{{\"groups\": {}, \"members\": {}, \"form_seconds\": {:.6f}, \"rebalance_seconds\": {:.6f}}}\n",
             load.groups, load.groups * load.members, formed - begin, stable - formed);
}

}  // namespace brook::saturate

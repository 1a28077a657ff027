#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/heartbeat.h"
#include "protocol/join_group.h"
#include "protocol/sync_group.h"
#include "saturate/connection.h"

namespace brook::saturate {

/// A member of a group of the classic protocol on a connection of its own, since a join holds its connection
/// up.
class GroupMember {
 public:
  GroupMember(std::uint16_t port, std::string group);

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] bool is_leader() const { return is_leader_; }
  /// It has its assignment in a generation that is newer than when begin() was called.
  [[nodiscard]] bool is_stable() const { return state_ == State::kStable && generation_ > last_generation_; }

  /// A request that every broker answers, so that the connection has been of use.
  void ask_versions();
  /// Waits for that answer.
  void receive_versions() { static_cast<void>(connection_.receive_frame()); }
  void begin() { last_generation_ = generation_; }
  void join();
  void heartbeat();
  /// Asks to send the members of the group away; it is one of them.
  void leave(const std::vector<std::string>& ids);
  /// Waits until they are.
  void receive_left();
  /// Takes what has arrived and goes on to the next request.
  void receive();

 private:
  enum class State : std::uint8_t { kJoining, kSyncing, kBeating, kStable };

  void joined(const protocol::JoinGroupResponse& response);
  void synced(const protocol::SyncGroupResponse& response);
  void beaten(const protocol::HeartbeatResponse& response);

  Connection connection_;
  std::string group_;
  std::string id_;
  std::int32_t generation_ = -1;
  std::int32_t last_generation_ = -1;
  bool is_leader_ = false;
  State state_ = State::kStable;
};

}  // namespace brook::saturate

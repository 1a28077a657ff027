#pragma once

#include <string>
#include <vector>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator::testing {

/// An application that counts: "0" reads `source` and writes to "words", from which "1" counts with a state
/// that "counts" keeps.
[[nodiscard]] protocol::StreamsGroupHeartbeatRequest::Topology counting_topology(
    const std::string& source = "lines");

/// A thread of a streams application as its heartbeats show it. Topics that the group asks for are made at
/// once, or never while `topics_refuse`. Runs on: one thread.
class StreamsThread {
 public:
  StreamsThread(GroupDriver& driver, std::string group, std::string id, std::string process)
      : driver_(driver), group_(std::move(group)), id_(std::move(id)), process_(std::move(process)) {}

  Result<protocol::StreamsGroupHeartbeatResponse> join();
  Result<protocol::StreamsGroupHeartbeatResponse> beat();
  Result<protocol::StreamsGroupHeartbeatResponse> leave();
  /// It has given up and taken what it was told to; beat() says so.
  void settle() { has_ = told_; }

  bool topics_refuse = false;
  /// For its next heartbeats.
  protocol::StreamsGroupHeartbeatRequest::Topology topology = counting_topology();
  std::optional<protocol::StreamsGroupHeartbeatRequest::Endpoint> endpoint{};
  bool asks_for_shutdown = false;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] const TaskSets& has() const { return has_; }
  [[nodiscard]] bool in_group() const { return in_group_; }

 private:
  [[nodiscard]] protocol::StreamsGroupHeartbeatRequest request(std::int32_t epoch) const;
  Result<protocol::StreamsGroupHeartbeatResponse> send(const protocol::StreamsGroupHeartbeatRequest& request);

  GroupDriver& driver_;
  std::string group_;
  std::string id_;
  std::string process_;
  std::int32_t epoch_ = 0;
  bool in_group_ = false;
  TaskSets told_;
  TaskSets has_;
};

}  // namespace brook::coordinator::testing

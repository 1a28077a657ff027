#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator::testing {

/// A consumer of the new protocol as its heartbeats show it: it does what the answers tell it, at once or
/// when the test lets it.
class Consumer {
 public:
  struct Wants {
    std::vector<std::string> topics{};
    std::optional<std::string> regex{};
    std::optional<std::string> instance{};
    std::optional<std::string> assignor{};
  };
  Consumer(GroupDriver& driver, std::string group, std::string id, Wants wants);

  /// Joins anew, with nothing.
  Result<protocol::ConsumerGroupHeartbeatResponse> join();
  /// A heartbeat as a client sends it: what it owns where that has changed.
  Result<protocol::ConsumerGroupHeartbeatResponse> beat();
  /// Another subscription, with the next heartbeat.
  void subscribe(std::vector<std::string> topics);
  /// With −1 for good; a static member with −2 for a while.
  Result<protocol::ConsumerGroupHeartbeatResponse> leave(std::int32_t epoch = kLeaveEpoch);
  /// Its process begins anew and makes another id.
  void rename(std::string id) { id_ = std::move(id); }
  /// Does what it was told last: gives up and takes on.
  void obey();

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] const TopicPartitions& owns() const { return owned_; }
  [[nodiscard]] std::size_t load() const;
  [[nodiscard]] bool in_group() const { return epoch_ > 0; }

 private:
  [[nodiscard]] protocol::ConsumerGroupHeartbeatRequest request(std::int32_t epoch) const;
  Result<protocol::ConsumerGroupHeartbeatResponse> send(
      const protocol::ConsumerGroupHeartbeatRequest& request);

  GroupDriver& driver_;
  std::string group_;
  std::string id_;
  Wants wants_;
  bool tells_subscription_ = false;
  bool tells_owned_ = false;
  std::int32_t epoch_ = 0;
  TopicPartitions owned_;
  TopicPartitions told_;
};

}  // namespace brook::coordinator::testing

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator::testing {

/// A member of a share group as its heartbeats show it. States that the group asks for are made at once, or
/// never while `states_refuse`. Runs on: one thread.
class ShareConsumer {
 public:
  ShareConsumer(GroupDriver& driver, std::string group, std::string id, std::vector<std::string> topics)
      : driver_(driver), group_(std::move(group)), id_(std::move(id)), topics_(std::move(topics)) {}

  Result<protocol::ShareGroupHeartbeatResponse> join();
  Result<protocol::ShareGroupHeartbeatResponse> beat();
  /// With an epoch of the test's choice.
  Result<protocol::ShareGroupHeartbeatResponse> beat(std::int32_t epoch);
  Result<protocol::ShareGroupHeartbeatResponse> leave();
  /// Another subscription, with the next heartbeat.
  void subscribe(std::vector<std::string> topics);

  bool states_refuse = false;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] const TopicPartitions& has() const { return has_; }
  [[nodiscard]] std::size_t load() const;
  [[nodiscard]] bool in_group() const { return epoch_ > 0; }

 private:
  [[nodiscard]] protocol::ShareGroupHeartbeatRequest request(std::int32_t epoch) const;
  Result<protocol::ShareGroupHeartbeatResponse> send(protocol::ShareGroupHeartbeatRequest request);
  Result<ShareHeartbeatAnswer> decide(const protocol::ShareGroupHeartbeatRequest& request);
  void make_states(const ShareInitialisation& asked);

  GroupDriver& driver_;
  std::string group_;
  std::string id_;
  std::vector<std::string> topics_;
  bool tells_subscription_ = false;
  std::int32_t epoch_ = 0;
  TopicPartitions has_;
};

}  // namespace brook::coordinator::testing

#pragma once

#include <string>
#include <utility>

#include "broker/cluster_view.h"
#include "broker/group_router.h"
#include "broker/share_state_gateway.h"
#include "coordinator/share_state_port.h"

namespace brook::broker {

/// What one shard's share partitions have of the coordinators. Runs on: that shard.
class SharePartitionGateway final : public coordinator::ShareStatePort {
 public:
  /// All outlive it.
  SharePartitionGateway(const ClusterView& view, ShareStateGateway& states, GroupRouter& groups)
      : view_(view), states_(states), groups_(groups) {}

  [[nodiscard]] Task<Result<coordinator::ShareState>> read(coordinator::ShareKey key,
                                                           std::int32_t leader_epoch) override {
    return states_.read(std::move(key), leader_epoch);
  }
  [[nodiscard]] Task<Result<void>> write(coordinator::ShareKey key,
                                         coordinator::ShareStateUpdate update) override {
    return states_.write(std::move(key), std::move(update));
  }
  [[nodiscard]] Task<Result<void>> check_member(std::string group, std::string member) override;

 private:
  const ClusterView& view_;
  ShareStateGateway& states_;
  GroupRouter& groups_;
};

}  // namespace brook::broker

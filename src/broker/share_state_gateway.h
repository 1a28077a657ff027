#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/cluster_view.h"
#include "broker/share_state_router.h"
#include "coordinator/share_state_port.h"
#include "coordinator/share_state_store.h"
#include "runtime/shard.h"

namespace brook::broker {

/// One shard's way to the states of share groups' partitions. Where their coordinator does not answer yet (it
/// is loading, or has just been made) it is asked again for some seconds. Runs on: its shard.
class ShareStateGateway final : public coordinator::ShareStateStore, public coordinator::ShareStatePort {
 public:
  /// All outlive it.
  ShareStateGateway(runtime::Shard& shard, const ClusterView& view, ShareStateRouter& states)
      : shard_(shard), view_(view), states_(states) {}

  [[nodiscard]] Task<std::vector<Result<void>>> initialise(std::string group,
                                                           coordinator::ShareInitialisation what) override;
  [[nodiscard]] Task<std::vector<Result<void>>> erase(std::string group,
                                                      std::vector<TopicIdPartition> partitions) override;
  /// Without the batches, in order.
  [[nodiscard]] Task<std::vector<Result<coordinator::ShareState>>> summarize(
      std::string group, std::vector<TopicIdPartition> partitions);
  [[nodiscard]] Task<Result<coordinator::ShareState>> read(coordinator::ShareKey key,
                                                           std::int32_t leader_epoch) override;
  [[nodiscard]] Task<Result<void>> write(coordinator::ShareKey key,
                                         coordinator::ShareStateUpdate update) override;

  /// Nothing is asked again: the broker stops.
  void stop() { stopping_ = true; }

 private:
  template <class Item, class Work>
  [[nodiscard]] Task<void> ask(std::vector<Item>& items, Work& work);

  runtime::Shard& shard_;
  const ClusterView& view_;
  ShareStateRouter& states_;
  bool stopping_ = false;
};

}  // namespace brook::broker

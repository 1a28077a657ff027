#pragma once

#include <memory>
#include <string_view>

#include "coordinator/cluster_facts.h"
#include "coordinator/led_partitions.h"
#include "coordinator/share_state_config.h"
#include "coordinator/share_state_partition.h"

namespace brook::coordinator {

/// The partitions of __share_group_state that this broker leads on one shard. Runs on: its shard.
class ShareStateCoordinator : public LedPartitions<ShareStatePartition> {
 public:
  static constexpr std::string_view kTopic = "__share_group_state";

  /// `shard` and `facts` outlive it.
  ShareStateCoordinator(runtime::Shard& shard, ShareStateConfig config, const ClusterFacts& facts)
      : LedPartitions(shard), config_(config), facts_(facts) {}

  /// Takes a partition over and begins to load it; nothing happens where it has it already.
  void lead(PartitionIndex partition, std::unique_ptr<LogPort> log);
  /// A topic was deleted; what share groups knew of it goes in the background.
  void forget_topic(const TopicId& topic);
  /// Cuts the logs, at an interval, until stop().
  [[nodiscard]] Task<void> keep_house();

 private:
  [[nodiscard]] static Task<void> forget(std::shared_ptr<ShareStatePartition> partition, TopicId topic);

  const ShareStateConfig config_;
  const ClusterFacts& facts_;
};

}  // namespace brook::coordinator

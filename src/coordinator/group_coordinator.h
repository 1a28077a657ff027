#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "coordinator/cluster_facts.h"
#include "coordinator/group_config.h"
#include "coordinator/group_metrics.h"
#include "coordinator/group_partition.h"
#include "coordinator/led_partitions.h"
#include "coordinator/share_state_store.h"
#include "runtime/shard.h"

namespace brook::coordinator {

/// The partitions of __consumer_offsets that this broker leads on one shard. Runs on: its shard.
class GroupCoordinator : public LedPartitions<GroupPartition> {
 public:
  static constexpr std::string_view kTopic = "__consumer_offsets";

  /// All outlive it.
  GroupCoordinator(runtime::Shard& shard, GroupConfig config, const ClusterFacts& facts,
                   ShareStateStore& share_states, GroupMetrics& metrics);

  /// Takes a partition over and begins to load it; nothing happens where it has it already.
  void lead(PartitionIndex partition, std::unique_ptr<LogPort> log);
  /// A topic was deleted; what was committed for it goes in the background.
  void forget_topic(const std::string& topic, const TopicId& id);

  /// Retention, at its interval, until stop().
  [[nodiscard]] Task<void> keep_house();

 private:
  [[nodiscard]] static Task<void> forget(std::shared_ptr<GroupPartition> partition, std::string topic,
                                         TopicId id);

  const GroupConfig config_;
  const ClusterFacts& facts_;
  ShareStateStore& share_states_;
  GroupMetrics& metrics_;
};

}  // namespace brook::coordinator

#pragma once

#include <map>
#include <memory>

#include "coordinator/cluster_facts.h"
#include "coordinator/group_config.h"
#include "coordinator/group_metrics.h"
#include "coordinator/group_partition.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::coordinator {

/// The partitions of __consumer_offsets that this broker leads on one shard. Runs on: its shard.
class GroupCoordinator {
 public:
  /// `shard`, `facts` and `metrics` outlive it.
  GroupCoordinator(runtime::Shard& shard, GroupConfig config, const ClusterFacts& facts,
                   GroupMetrics& metrics);

  /// Takes a partition over and begins to load it; nothing happens where it has it already.
  void lead(PartitionIndex partition, std::unique_ptr<LogPort> log);
  [[nodiscard]] bool leads(PartitionIndex partition) const { return partitions_.contains(partition); }
  /// Gives up all partitions: their topic is gone.
  void resign();
  /// Null where another broker or shard coordinates it. Hold it across awaits.
  [[nodiscard]] std::shared_ptr<GroupPartition> find(PartitionIndex partition) const;
  [[nodiscard]] const std::map<PartitionIndex, std::shared_ptr<GroupPartition>>& all() const {
    return partitions_;
  }
  /// A topic was deleted; what was committed for it goes in the background.
  void forget_topic(const std::string& topic, const TopicId& id);

  /// Retention, at its interval, until stop().
  [[nodiscard]] Task<void> keep_house();
  /// Ends waits: the broker stops.
  void stop();
  /// After stop(): waits for what is under way.
  [[nodiscard]] Task<void> close();

 private:
  [[nodiscard]] static Task<void> load(std::shared_ptr<GroupPartition> partition);
  [[nodiscard]] static Task<void> forget(std::shared_ptr<GroupPartition> partition, std::string topic,
                                         TopicId id);

  runtime::Shard& shard_;
  const GroupConfig config_;
  const ClusterFacts& facts_;
  GroupMetrics& metrics_;
  runtime::Gate gate_;
  std::map<PartitionIndex, std::shared_ptr<GroupPartition>> partitions_;
  bool stopping_ = false;
  runtime::Signal stopped_;
};

}  // namespace brook::coordinator

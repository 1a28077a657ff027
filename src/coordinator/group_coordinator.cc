#include "coordinator/group_coordinator.h"

#include <utility>
#include <vector>

namespace brook::coordinator {

GroupCoordinator::GroupCoordinator(runtime::Shard& shard, GroupConfig config, const ClusterFacts& facts,
                                   GroupMetrics& metrics)
    : shard_(shard), config_(config), facts_(facts), metrics_(metrics), stopped_(shard.clock()) {}

void GroupCoordinator::lead(PartitionIndex partition, std::unique_ptr<LogPort> log) {
  if (stopping_ || partitions_.contains(partition)) return;
  auto taken =
      std::make_shared<GroupPartition>(shard_, gate_, config_, facts_, metrics_, partition, std::move(log));
  partitions_.emplace(partition, taken);
  gate_.spawn(load(std::move(taken)));
}

void GroupCoordinator::resign() {
  for (const auto& [index, partition] : partitions_) partition->close();
  partitions_.clear();
}

std::shared_ptr<GroupPartition> GroupCoordinator::find(PartitionIndex partition) const {
  const auto at = partitions_.find(partition);
  return at == partitions_.end() ? nullptr : at->second;
}

void GroupCoordinator::forget_topic(const std::string& topic, const TopicId& id) {
  for (const auto& [index, partition] : partitions_) gate_.spawn(forget(partition, topic, id));
}

Task<void> GroupCoordinator::keep_house() {
  while (!stopping_) {
    const runtime::Instant due = shard_.clock().now() + config_.retention_check_interval;
    [[maybe_unused]] const bool woken = co_await stopped_.wait_until(due);
    std::vector<std::shared_ptr<GroupPartition>> present;
    for (const auto& [index, partition] : partitions_) present.push_back(partition);
    for (const auto& partition : present) {
      if (!stopping_) co_await partition->expire();
    }
  }
}

void GroupCoordinator::stop() {
  stopping_ = true;
  stopped_.notify_all();
  for (const auto& [index, partition] : partitions_) partition->stop_waiting();
}

Task<void> GroupCoordinator::close() {
  resign();
  co_await gate_.close();
}

Task<void> GroupCoordinator::load(std::shared_ptr<GroupPartition> partition) { co_await partition->load(); }

Task<void> GroupCoordinator::forget(std::shared_ptr<GroupPartition> partition, std::string topic,
                                    TopicId id) {
  co_await partition->forget_topic(std::move(topic), id);
}

}  // namespace brook::coordinator

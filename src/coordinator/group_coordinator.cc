#include "coordinator/group_coordinator.h"

#include <utility>

namespace brook::coordinator {

GroupCoordinator::GroupCoordinator(runtime::Shard& shard, GroupConfig config, const ClusterFacts& facts,
                                   ShareStateStore& share_states, GroupMetrics& metrics)
    : LedPartitions(shard), config_(config), facts_(facts), share_states_(share_states), metrics_(metrics) {}

void GroupCoordinator::lead(PartitionIndex partition, std::unique_ptr<LogPort> log) {
  take(partition, [&] {
    return std::make_shared<GroupPartition>(shard(), gate(), config_, facts_, share_states_, metrics_,
                                            partition, std::move(log));
  });
}

void GroupCoordinator::forget_topic(const std::string& topic, const TopicId& id) {
  for (const auto& [index, partition] : all()) gate().spawn(forget(partition, topic, id));
}

Task<void> GroupCoordinator::keep_house() {
  return do_at(config_.retention_check_interval, &GroupPartition::expire);
}

Task<void> GroupCoordinator::forget(std::shared_ptr<GroupPartition> partition, std::string topic,
                                    TopicId id) {
  co_await partition->forget_topic(std::move(topic), id);
}

}  // namespace brook::coordinator

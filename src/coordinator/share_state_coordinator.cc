#include "coordinator/share_state_coordinator.h"

#include <utility>

namespace brook::coordinator {

void ShareStateCoordinator::lead(PartitionIndex partition, std::unique_ptr<LogPort> log) {
  take(partition, [&] {
    return std::make_shared<ShareStatePartition>(shard(), config_, facts_, partition, std::move(log));
  });
}

void ShareStateCoordinator::forget_topic(const TopicId& topic) {
  for (const auto& [index, partition] : all()) gate().spawn(forget(partition, topic));
}

Task<void> ShareStateCoordinator::keep_house() {
  return do_at(config_.house_interval, &ShareStatePartition::prune);
}

Task<void> ShareStateCoordinator::forget(std::shared_ptr<ShareStatePartition> partition, TopicId topic) {
  co_await partition->forget_topic(topic);
}

}  // namespace brook::coordinator

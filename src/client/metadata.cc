#include "client/metadata.h"

#include <algorithm>

namespace brook::client {

const PartitionMetadata* TopicMetadata::find(PartitionIndex wanted) const {
  const auto at = std::ranges::lower_bound(partitions, wanted, {}, &PartitionMetadata::index);
  return at != partitions.end() && at->index == wanted ? &*at : nullptr;
}

const TopicMetadata* ClusterMetadata::find(std::string_view topic) const {
  const auto at = std::ranges::find(topics, topic, &TopicMetadata::name);
  return at != topics.end() ? &*at : nullptr;
}

const Broker* ClusterMetadata::find(BrokerId id) const {
  const auto at = std::ranges::find(brokers, id, &Broker::id);
  return at != brokers.end() ? &*at : nullptr;
}

}  // namespace brook::client

#include "broker/group_router.h"

#include "coordinator/java_string.h"
#include "replica/replica_set.h"

namespace brook::broker {

std::optional<GroupRouter::Place> GroupRouter::place(const cluster::MetadataImage& image,
                                                     std::string_view group) const {
  const cluster::TopicPtr topic = image.topics.find(kOffsetsTopic);
  if (!topic || topic->partitions.empty()) return std::nullopt;
  const PartitionIndex index(
      coordinator::partition_of_group(group, static_cast<std::int32_t>(topic->partitions.size())));
  return Place{replica::shard_of({topic->id, index}, lanes_.size()), index};
}

}  // namespace brook::broker

#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/cluster_view.h"
#include "broker/handler.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// Fills in what Metadata and DescribeTopicPartitions both tell of a partition. `image` is one that `view`
/// has or had.
template <class Partition>
void describe_partition(const ClusterView& view, const cluster::MetadataImage& image,
                        const cluster::TopicInfo& topic, std::size_t index, Partition& out) {
  const cluster::PartitionInfo& partition = topic.partitions[index];
  out.partition_index = static_cast<std::int32_t>(index);
  const bool is_offline = view.is_offline({topic.id, PartitionIndex(out.partition_index)});
  const bool is_led = partition.leader && !(is_offline && partition.leader == view.self());
  out.error_code = wire(is_led ? ErrorCode::kNone : ErrorCode::kLeaderNotAvailable);
  out.leader_id = is_led ? partition.leader->value() : -1;
  out.leader_epoch = partition.leader_epoch.value();
  out.replica_nodes = to_wire(partition.replicas);
  out.isr_nodes = to_wire(partition.isr);
  for (const BrokerId id : partition.replicas) {
    if (image.broker(id) == nullptr || (is_offline && id == view.self()))
      out.offline_replicas.push_back(id.value());
  }
}

}  // namespace brook::broker

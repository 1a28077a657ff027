#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/cluster_view.h"
#include "broker/handler.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// Fills in what Metadata and DescribeTopicPartitions both tell of a partition.
template <class Partition>
void describe_partition(const cluster::MetadataImage& image, const cluster::TopicInfo& topic,
                        std::size_t index, Partition& out) {
  const cluster::PartitionInfo& partition = topic.partitions[index];
  out.partition_index = static_cast<std::int32_t>(index);
  out.error_code = wire(partition.leader ? ErrorCode::kNone : ErrorCode::kLeaderNotAvailable);
  out.leader_id = partition.leader ? partition.leader->value() : -1;
  out.leader_epoch = partition.leader_epoch.value();
  out.replica_nodes = to_wire(partition.replicas);
  out.isr_nodes = to_wire(partition.isr);
  for (const BrokerId id : partition.replicas) {
    if (image.broker(id) == nullptr) out.offline_replicas.push_back(id.value());
  }
}

}  // namespace brook::broker

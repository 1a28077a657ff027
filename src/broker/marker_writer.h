#pragma once

#include <vector>

#include "broker/group_router.h"
#include "broker/partition_router.h"
#include "cluster/metadata_image.h"
#include "coordinator/log_port.h"

namespace brook::broker {

/// A marker for one partition, and what became of it.
struct AskedMarker {
  coordinator::TransactionEnd end;
  TopicPartition partition;
  ErrorCode code = ErrorCode::kNone;
};

/// Writes the markers that end transactions, on the shards of their partitions; those of __consumer_offsets
/// through the groups' coordinator, which lets the offsets count. Runs on: any shard.
class MarkerWriter {
 public:
  /// Both outlive it.
  MarkerWriter(PartitionRouter& partitions, GroupRouter& groups) : partitions_(partitions), groups_(groups) {}

  /// Sets each one's code: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR,
  /// INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED. `markers` outlive the task.
  [[nodiscard]] Task<void> write(cluster::ImagePtr image, std::vector<AskedMarker>& markers);

 private:
  PartitionRouter& partitions_;
  GroupRouter& groups_;
};

}  // namespace brook::broker

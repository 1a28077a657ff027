#include "client/internal/decode_metadata.h"

#include <algorithm>
#include <vector>

namespace brook::client::internal {
namespace {

std::vector<BrokerId> broker_ids(const std::vector<std::int32_t>& wire) {
  std::vector<BrokerId> ids;
  ids.reserve(wire.size());
  for (const std::int32_t id : wire) ids.emplace_back(id);
  return ids;
}

PartitionMetadata decode_partition(const protocol::MetadataResponse::MetadataResponsePartition& from) {
  PartitionMetadata partition;
  partition.index = PartitionIndex(from.partition_index);
  partition.error = static_cast<ErrorCode>(from.error_code);
  if (from.leader_id >= 0) partition.leader = BrokerId(from.leader_id);
  if (from.leader_epoch >= 0) partition.leader_epoch = LeaderEpoch(from.leader_epoch);
  partition.replicas = broker_ids(from.replica_nodes);
  partition.isr = broker_ids(from.isr_nodes);
  partition.offline = broker_ids(from.offline_replicas);
  return partition;
}

}  // namespace

ClusterMetadata decode_metadata(const protocol::MetadataResponse& response) {
  ClusterMetadata metadata;
  metadata.cluster_id = response.cluster_id;
  if (response.controller_id >= 0) metadata.controller = BrokerId(response.controller_id);
  for (const auto& from : response.brokers) {
    metadata.brokers.push_back(
        {BrokerId(from.node_id), from.host, static_cast<std::uint16_t>(from.port), from.rack});
  }
  std::ranges::sort(metadata.brokers, {}, &Broker::id);
  for (const auto& from : response.topics) {
    TopicMetadata topic{.name = from.name.value_or(""),
                        .id = from.topic_id,
                        .is_internal = from.is_internal,
                        .error = static_cast<ErrorCode>(from.error_code),
                        .partitions = {}};
    for (const auto& partition : from.partitions) topic.partitions.push_back(decode_partition(partition));
    std::ranges::sort(topic.partitions, {}, &PartitionMetadata::index);
    metadata.topics.push_back(std::move(topic));
  }
  std::ranges::sort(metadata.topics, {}, &TopicMetadata::name);
  return metadata;
}

}  // namespace brook::client::internal

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error_code.h"
#include "base/ids.h"

/// What a cluster says of itself, as values. Nothing of it is on the wire in this form.
namespace brook::client {

struct Broker {
  BrokerId id;
  std::string host;
  std::uint16_t port = 0;
  std::optional<std::string> rack;

  friend bool operator==(const Broker&, const Broker&) = default;
};

struct PartitionMetadata {
  PartitionIndex index;
  ErrorCode error = ErrorCode::kNone;  ///< such as LEADER_NOT_AVAILABLE
  std::optional<BrokerId> leader;      ///< nothing where it has none now
  std::optional<LeaderEpoch> leader_epoch;
  std::vector<BrokerId> replicas;  ///< the preferred leader first
  std::vector<BrokerId> isr;
  std::vector<BrokerId> offline;

  friend bool operator==(const PartitionMetadata&, const PartitionMetadata&) = default;
};

struct TopicMetadata {
  std::string name;
  TopicId id;  ///< zero where the broker knows no ids (before Kafka 2.8)
  bool is_internal = false;
  ErrorCode error = ErrorCode::kNone;  ///< such as UNKNOWN_TOPIC_OR_PARTITION; it has no partitions then
  std::vector<PartitionMetadata> partitions;  ///< by ascending index

  /// Nothing where the topic has no such partition.
  [[nodiscard]] const PartitionMetadata* find(PartitionIndex index) const;

  friend bool operator==(const TopicMetadata&, const TopicMetadata&) = default;
};

struct ClusterMetadata {
  std::optional<std::string> cluster_id;
  /// Where administration goes. Behind a KRaft cluster it is any broker, which forwards.
  std::optional<BrokerId> controller;
  std::vector<Broker> brokers;        ///< by ascending id
  std::vector<TopicMetadata> topics;  ///< those that were asked for, by name

  [[nodiscard]] const TopicMetadata* find(std::string_view topic) const;
  [[nodiscard]] const Broker* find(BrokerId id) const;

  friend bool operator==(const ClusterMetadata&, const ClusterMetadata&) = default;
};

}  // namespace brook::client

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/metadata_image.h"

/// Apache Kafka 3.9's znodes: where they are and what is in them. Readers accept every version that Kafka
/// wrote and any order of keys; what they can't read is KAFKA_STORAGE_ERROR, naming what is wrong. Writers
/// write Kafka 3.9's version.
namespace brook::cluster {

inline constexpr std::string_view kControllerPath = "/controller";
inline constexpr std::string_view kControllerEpochPath = "/controller_epoch";
inline constexpr std::string_view kBrokersPath = "/brokers/ids";
inline constexpr std::string_view kTopicsPath = "/brokers/topics";
inline constexpr std::string_view kConfigPath = "/config";
inline constexpr std::string_view kDeleteTopicsPath = "/admin/delete_topics";
inline constexpr std::string_view kClusterIdPath = "/cluster/id";
inline constexpr std::string_view kProducerIdBlockPath = "/latest_producer_id_block";
/// The name of a kind's default entity.
inline constexpr std::string_view kDefaultEntity = "<default>";

[[nodiscard]] std::string broker_path(BrokerId id);
[[nodiscard]] std::string topic_path(std::string_view topic);
[[nodiscard]] std::string partitions_path(std::string_view topic);
[[nodiscard]] std::string partition_path(std::string_view topic, std::int32_t partition);
[[nodiscard]] std::string partition_state_path(std::string_view topic, std::int32_t partition);
[[nodiscard]] std::string config_path(const ConfigResource& resource);
[[nodiscard]] std::string delete_topic_path(std::string_view topic);
/// Whose settings a znode below /config holds; nothing for folders and for /config/changes.
[[nodiscard]] std::optional<ConfigResource> config_resource_at(std::string_view path);

struct ControllerZnode {
  BrokerId broker;
  Timestamp timestamp;
};
[[nodiscard]] std::string encode_controller(const ControllerZnode& controller);
[[nodiscard]] Result<ControllerZnode> decode_controller(std::string_view json);

/// Plain decimal text.
[[nodiscard]] Result<ControllerEpoch> decode_controller_epoch(std::string_view text);

/// The epoch is not in the payload: it is the znode's czxid.
[[nodiscard]] std::string encode_broker(const BrokerInfo& broker, Timestamp timestamp);
[[nodiscard]] Result<BrokerInfo> decode_broker(BrokerId id, std::string_view json);

/// A topic's partitions by index, each with replicas, adding and removing; the rest of PartitionInfo is in
/// the states.
struct TopicZnode {
  TopicId id;  ///< zero where Kafka before 2.8 wrote it
  std::vector<PartitionInfo> partitions;
};
[[nodiscard]] std::string encode_topic(const TopicZnode& topic);
[[nodiscard]] Result<TopicZnode> decode_topic(std::string_view json);

struct PartitionStateZnode {
  std::optional<BrokerId> leader;
  LeaderEpoch leader_epoch;
  ControllerEpoch controller_epoch;
  std::vector<BrokerId> isr;
};
[[nodiscard]] std::string encode_partition_state(const PartitionStateZnode& state);
[[nodiscard]] Result<PartitionStateZnode> decode_partition_state(std::string_view json);

[[nodiscard]] std::string encode_config(const ConfigMap& config);
[[nodiscard]] Result<ConfigMap> decode_config(std::string_view json);

[[nodiscard]] std::string encode_cluster_id(std::string_view id);
[[nodiscard]] Result<std::string> decode_cluster_id(std::string_view json);

struct ProducerIdBlockZnode {
  BrokerId broker;
  std::int64_t first = 0;
  std::int64_t last = 0;
};
[[nodiscard]] std::string encode_producer_id_block(const ProducerIdBlockZnode& block);
[[nodiscard]] Result<ProducerIdBlockZnode> decode_producer_id_block(std::string_view json);

}  // namespace brook::cluster

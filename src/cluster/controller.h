#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/config.h"
#include "cluster/metadata_image.h"
#include "cluster/mirror.h"
#include "keeper/client.h"
#include "runtime/shard.h"

namespace brook::cluster {

struct BrokerRegistration {
  BrokerId id;
  std::vector<Endpoint> endpoints;  ///< the advertised ones
  std::optional<std::string> rack;
};

struct NewTopic {
  std::string name;
  std::optional<std::int32_t> partitions;          ///< nothing: num.partitions
  std::optional<std::int16_t> replication_factor;  ///< nothing: default.replication.factor
  /// Replicas by partition; then the two above are absent.
  std::map<std::int32_t, std::vector<BrokerId>> assignments;
  ConfigMap configs;
};

struct CreatedTopic {
  TopicId id;
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 0;
  ConfigMap configs;  ///< the topic's own
};

/// A topic by name or, where `name` is empty, by id.
struct TopicRef {
  std::string name;
  TopicId id;
};

struct NewPartitions {
  std::string topic;
  std::int32_t count = 0;                          ///< in total
  std::vector<std::vector<BrokerId>> assignments;  ///< of the new ones; empty: chosen
};

struct ConfigChange {
  ConfigResource resource;
  std::vector<ConfigAlteration> alterations;
};

struct ConfigReplacement {
  ConfigResource resource;
  ConfigMap whole;
};

struct ProducerIdBlock {
  ProducerId first;
  std::int32_t count = 0;
};

/// Changes the cluster's metadata: fenced, conditional writes to the keeper. An operation returns after the
/// mirror has its change; its own reply tells nothing that the image does not.
///
/// Every broker has one; the operations on topics and configurations are refused with NOT_CONTROLLER where
/// another broker holds the office. Operations may overlap; those that change something run one after
/// another. Batch operations answer entry by entry, in the request's order. KAFKA_STORAGE_ERROR: the keeper
/// can't write. Runs on: the mirror's shard.
class Controller {
 public:
  /// All outlive it; the mirror has been started.
  Controller(runtime::Shard& shard, keeper::Client& client, Mirror& mirror, const BrokerConfig& config);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Makes what every cluster has (before the mirror starts, too) and reads or makes the cluster's id.
  /// INCONSISTENT_CLUSTER_ID where `expected` (from meta.properties) is another. Returns the id.
  [[nodiscard]] static Task<Result<std::string>> open_cluster(runtime::Shard& shard, keeper::Client& client,
                                                              std::optional<std::string> expected);

  /// Writes /brokers/ids/N. DUPLICATE_BROKER_REGISTRATION where another living session holds that id.
  [[nodiscard]] Task<Result<BrokerEpoch>> register_broker(BrokerRegistration registration);
  /// Takes the office if it is free, then ends what a predecessor left half done. True where this broker is
  /// the controller now.
  [[nodiscard]] Task<Result<bool>> elect();
  [[nodiscard]] bool is_controller() const;

  /// INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
  /// INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST.
  [[nodiscard]] Task<std::vector<Result<CreatedTopic>>> create_topics(std::vector<NewTopic> topics,
                                                                      bool validate_only);
  /// The topic is out of the image, for good, when this returns. UNKNOWN_TOPIC_OR_PARTITION,
  /// UNKNOWN_TOPIC_ID, TOPIC_DELETION_DISABLED.
  [[nodiscard]] Task<std::vector<Result<void>>> delete_topics(std::vector<TopicRef> topics);
  /// UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT.
  [[nodiscard]] Task<std::vector<Result<void>>> create_partitions(std::vector<NewPartitions> topics,
                                                                  bool validate_only);
  /// IncrementalAlterConfigs. See alter_config(); UNKNOWN_TOPIC_OR_PARTITION.
  [[nodiscard]] Task<std::vector<Result<void>>> alter_configs(std::vector<ConfigChange> changes,
                                                              bool validate_only);
  /// The legacy AlterConfigs: what is not named is removed.
  [[nodiscard]] Task<std::vector<Result<void>>> replace_configs(std::vector<ConfigReplacement> changes,
                                                                bool validate_only);

  /// 1000 ids that nobody else gets. Any broker, controller or not.
  [[nodiscard]] Task<Result<ProducerIdBlock>> allocate_producer_ids();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Kafka's rule for topic names: INVALID_TOPIC_EXCEPTION with its words.
[[nodiscard]] Result<void> check_topic_name(std::string_view name);

}  // namespace brook::cluster

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "cluster/endpoint.h"

/// What the cluster is at one moment. Everything here is immutable once shared: any shard may read it.
namespace brook::cluster {

/// The czxid of a broker's registration: another one after each start.
using BrokerEpoch = Ordinal<std::int64_t, struct BrokerEpochTag>;
/// Counts the changes of a partition's state (its znode's version).
using PartitionEpoch = Ordinal<std::int32_t, struct PartitionEpochTag>;
/// The zxid up to which an image has been built.
using ImageVersion = Ordinal<std::int64_t, struct ImageVersionTag>;
/// A configuration entity's own settings, as they are stored: key to text.
using ConfigMap = std::map<std::string, std::string, std::less<>>;

struct BrokerInfo {
  BrokerId id;
  BrokerEpoch epoch;
  std::vector<Endpoint> endpoints;
  std::optional<std::string> rack;

  /// Null where the broker has no listener of that name.
  [[nodiscard]] const Endpoint* endpoint(std::string_view listener) const;

  friend bool operator==(const BrokerInfo&, const BrokerInfo&) = default;
};

struct PartitionInfo {
  std::vector<BrokerId> replicas;  ///< the first is the preferred leader
  std::vector<BrokerId> isr;
  std::vector<BrokerId> adding;
  std::vector<BrokerId> removing;
  std::optional<BrokerId> leader;
  LeaderEpoch leader_epoch;
  /// Nothing while the state has not been written yet: the partition was assigned a moment ago and has no
  /// leader.
  std::optional<PartitionEpoch> partition_epoch;

  friend bool operator==(const PartitionInfo&, const PartitionInfo&) = default;
};

struct TopicInfo {
  std::string name;
  TopicId id;
  std::vector<PartitionInfo> partitions;  ///< by index
  ConfigMap configs;                      ///< the topic's own settings only
  std::int32_t assignment_version = 0;    ///< of the topic's znode

  /// Null outside of the topic's partitions.
  [[nodiscard]] const PartitionInfo* partition(PartitionIndex index) const;
  /// Kafka's own topics: __consumer_offsets, __transaction_state, __share_group_state.
  [[nodiscard]] bool is_internal() const;

  friend bool operator==(const TopicInfo&, const TopicInfo&) = default;
};
using TopicPtr = std::shared_ptr<const TopicInfo>;

[[nodiscard]] bool is_internal_topic(std::string_view name);

/// Topics by name and by id. A copy shares all but what is then changed, so one topic among 10,000 is swapped
/// in microseconds.
class TopicTable {
 public:
  /// Null where absent.
  [[nodiscard]] TopicPtr find(std::string_view name) const;
  [[nodiscard]] TopicPtr find(const TopicId& id) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  /// In no particular order.
  void for_each(const std::function<void(const TopicPtr&)>& visit) const;
  /// By name.
  [[nodiscard]] std::vector<TopicPtr> sorted() const;

  /// Puts `topic` in place of the one of its name, if any. Before the table is shared only.
  void put(TopicPtr topic);
  /// Nothing happens where it is absent.
  void erase(std::string_view name);

 private:
  static constexpr std::size_t kBuckets = 512;
  using Bucket = std::vector<TopicPtr>;
  std::array<std::shared_ptr<const Bucket>, kBuckets> by_name_{};  // Sorted by name within a bucket.
  std::array<std::shared_ptr<const Bucket>, kBuckets> by_id_{};
  std::size_t size_ = 0;
};

/// What a configuration belongs to, by the folder of its znodes.
enum class ConfigEntity { kTopic, kBroker, kClientMetrics, kGroup, kUser, kClient, kIp };
[[nodiscard]] std::string_view config_entity_folder(ConfigEntity entity);

/// One entity. The default entity's name is "" (the znode `<default>`). Users and clients nest:
/// "alice/clients/app"; names of users, clients and IPs stay sanitised (URL-encoded) as they are stored.
struct ConfigResource {
  ConfigEntity entity = ConfigEntity::kTopic;
  std::string name;

  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};

struct MetadataImage {
  ImageVersion version;
  std::string cluster_id;
  std::optional<BrokerId> controller;
  ControllerEpoch controller_epoch;
  std::map<BrokerId, BrokerInfo> brokers;  ///< the registered ones: they are alive
  TopicTable topics;                       ///< without those being deleted
  /// Names of topics whose deletion has begun and not ended.
  std::set<std::string, std::less<>> deleting;
  /// Every entity but topics, whose settings are in TopicInfo. Shared between images while none of them
  /// changes.
  std::shared_ptr<const std::map<ConfigResource, ConfigMap>> configs;

  /// Empty where the entity has no settings; topics too. The reference lives as long as the image.
  [[nodiscard]] const ConfigMap& config_of(const ConfigResource& resource) const;
  /// Null where absent.
  [[nodiscard]] const BrokerInfo* broker(BrokerId id) const;
  [[nodiscard]] const PartitionInfo* partition(std::string_view topic, PartitionIndex index) const;
};
using ImagePtr = std::shared_ptr<const MetadataImage>;

/// What differs between an image and the one before. Where a topic was deleted and created again there are
/// two changes, the deletion first.
struct TopicChange {
  TopicPtr before;  ///< null: created
  TopicPtr after;   ///< null: deleted
};

struct MetadataDelta {
  std::vector<TopicChange> topics;
  std::vector<ConfigResource> configs;  ///< topics' settings included
  bool brokers_changed = false;
  bool controller_changed = false;

  [[nodiscard]] bool empty() const {
    return topics.empty() && configs.empty() && !brokers_changed && !controller_changed;
  }
};

}  // namespace brook::cluster

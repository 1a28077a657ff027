#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/config_def.h"
#include "cluster/endpoint.h"
#include "cluster/metadata_image.h"

namespace brook::cluster {

/// The settings of one broker's file and command line: checked, typed, immutable.
///
/// The getters take keys of the broker's table that are of the getter's type; anything else is a programmer's
/// error and aborts.
class BrokerConfig {
 public:
  /// Reads the text of `file_name` in .properties syntax; `overrides` win over it (command line,
  /// `key=value`). All problems at once, one a line: "server.properties:12: num.partitions=abc: must be an
  /// integer of at least 1". INVALID_CONFIG.
  [[nodiscard]] static Result<BrokerConfig> load(
      std::string_view text, std::string_view file_name,
      const std::vector<std::pair<std::string, std::string>>& overrides = {});

  /// For the log, one a line: unknown keys with the nearest known one, keys that Brook does not act on.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::int64_t number(
      std::string_view key) const;  ///< INT, SHORT, LONG; aborts where it is null
  [[nodiscard]] std::optional<std::int64_t> optional_number(std::string_view key) const;
  [[nodiscard]] std::chrono::milliseconds millis(std::string_view key) const;
  [[nodiscard]] double real(std::string_view key) const;
  [[nodiscard]] std::string text(
      std::string_view key) const;  ///< STRING, CLASS, PASSWORD; "" where it is null
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const;
  /// Whether file or command line set it.
  [[nodiscard]] bool is_set(std::string_view key) const;
  /// What the file or command line says, unparsed.
  [[nodiscard]] const ConfigMap& settings() const { return settings_; }

  /// Composed of several keys; load() has checked them.
  [[nodiscard]] BrokerId node_id() const;  ///< node.id, else broker.id, else 0
  [[nodiscard]] std::vector<Endpoint> listeners()
      const;  ///< with security protocols; without controller listeners
  [[nodiscard]] std::vector<Endpoint> advertised_listeners()
      const;  ///< a listener's own place where none is advertised
  [[nodiscard]] std::string inter_broker_listener() const;
  [[nodiscard]] std::vector<std::string> log_dirs() const;
  [[nodiscard]] std::optional<Endpoint> admin_listener()
      const;  ///< brook.admin.listener; nothing where it is off
  /// max.connections.per.ip.overrides: by numeric address.
  [[nodiscard]] std::map<std::string, std::size_t> connections_per_ip_overrides() const;

 private:
  [[nodiscard]] const ConfigValue* value(std::string_view key, bool of_right_type) const;

  ConfigMap settings_;
  std::map<std::string, ConfigValue, std::less<>> values_;  // Set ones and defaults; null ones are absent.
  std::vector<std::string> warnings_;
};

/// What stands above and below one another when a value is looked up. All outlive it.
struct ConfigLayers {
  const BrokerConfig& file;
  const ConfigMap& broker;           ///< dynamic, of this broker
  const ConfigMap& cluster_default;  ///< dynamic, of all brokers
};
/// The layers of broker `id` in `image`.
[[nodiscard]] ConfigLayers config_layers(const BrokerConfig& file, const MetadataImage& image, BrokerId id);

/// One place where a value is or would be taken from; the first of a list is the one in force.
struct ConfigSynonym {
  std::string key;
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::kDefault;
};

/// A setting in force, as DescribeConfigs shows it.
struct DescribedConfig {
  std::string key;
  std::optional<std::string> value;  ///< nothing for null and for sensitive ones
  ConfigSource source = ConfigSource::kDefault;
  ConfigType type = ConfigType::kString;
  bool read_only = false;
  bool sensitive = false;
  std::vector<ConfigSynonym> synonyms;
  std::string documentation;
};

/// All settings of the kind, by key. `own` are the entity's own.
[[nodiscard]] std::vector<DescribedConfig> describe_topic_config(const ConfigLayers& layers,
                                                                 const ConfigMap& own);
[[nodiscard]] std::vector<DescribedConfig> describe_group_config(const ConfigLayers& layers,
                                                                 const ConfigMap& own);
[[nodiscard]] std::vector<DescribedConfig> describe_client_metrics_config(const ConfigMap& own);
/// Of one broker; a broker other than this one knows its dynamic settings only, so ask it itself.
[[nodiscard]] std::vector<DescribedConfig> describe_broker_config(const ConfigLayers& layers);
/// Of the default entity of all brokers: only what is set.
[[nodiscard]] std::vector<DescribedConfig> describe_broker_default_config(const ConfigMap& own);

/// The value in force of a broker's key; aborts on keys that are not in the table.
[[nodiscard]] ConfigValue effective_broker_value(const ConfigLayers& layers, std::string_view key);
[[nodiscard]] ConfigValue effective_group_value(const ConfigLayers& layers, const ConfigMap& own,
                                                std::string_view key);

enum class CompressionType : std::uint8_t { kProducer, kUncompressed, kGzip, kSnappy, kLz4, kZstd };
enum class TimestampType : std::uint8_t { kCreateTime, kLogAppendTime };

/// A topic's settings in force, as the log needs them.
struct TopicConfig {
  std::int32_t segment_bytes = 1024 * 1024 * 1024;
  std::chrono::milliseconds segment_ms{604800000};
  std::chrono::milliseconds segment_jitter_ms{0};
  std::int32_t segment_index_bytes = 10 * 1024 * 1024;
  std::int32_t index_interval_bytes = 4096;
  std::optional<std::int64_t> retention_bytes;              ///< nothing: no limit
  std::optional<std::chrono::milliseconds> retention_ms{};  ///< nothing: for ever
  std::chrono::milliseconds file_delete_delay_ms{60000};
  std::int64_t flush_messages = INT64_MAX;
  std::chrono::milliseconds flush_ms{INT64_MAX};
  bool cleanup_delete = true;
  bool cleanup_compact = false;
  std::chrono::milliseconds delete_retention_ms{86400000};
  std::chrono::milliseconds min_compaction_lag_ms{0};
  std::chrono::milliseconds max_compaction_lag_ms{INT64_MAX};
  double min_cleanable_dirty_ratio = 0.5;
  std::int32_t max_message_bytes = 1048588;
  std::int32_t min_insync_replicas = 1;
  CompressionType compression = CompressionType::kProducer;
  std::int32_t gzip_level = -1;
  std::int32_t lz4_level = 9;
  std::int32_t zstd_level = 3;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int64_t timestamp_before_max_ms = INT64_MAX;
  std::int64_t timestamp_after_max_ms = 3600000;
  bool preallocate = false;
  bool unclean_leader_election = false;

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};
/// Stored values that no longer parse fall back to the next layer.
[[nodiscard]] TopicConfig topic_config(const ConfigLayers& layers, const ConfigMap& own);

/// By the numbers of IncrementalAlterConfigs.
enum class AlterOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct ConfigAlteration {
  std::string key;
  AlterOperation operation = AlterOperation::kSet;
  std::optional<std::string> value;
};

/// `own` after the alterations, checked as Kafka checks them; `layers` tell what APPEND and SUBTRACT start
/// from and whether settings contradict each other. INVALID_CONFIG ("Unknown topic config name: x", …),
/// INVALID_REQUEST (read-only broker keys, null values).
[[nodiscard]] Result<ConfigMap> alter_config(const ConfigLayers& layers, const ConfigResource& resource,
                                             const ConfigMap& own,
                                             const std::vector<ConfigAlteration>& alterations);
/// The whole of an entity's settings at once: CreateTopics and the legacy AlterConfigs. Same errors.
[[nodiscard]] Result<void> check_config(const ConfigLayers& layers, const ConfigResource& resource,
                                        const ConfigMap& whole);

}  // namespace brook::cluster

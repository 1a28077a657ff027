#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Settings as DescribeConfigs and IncrementalAlterConfigs speak of them.
namespace brook::client {

/// By their numbers on the wire; a broker may name others.
enum class ConfigResourceType : std::int8_t {
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};
/// "topic", "broker", "broker-logger", "client-metrics", "group"; "unknown" for any other.
[[nodiscard]] std::string_view resource_type_name(ConfigResourceType type);

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::kTopic;
  std::string name;  ///< a broker's is its id in decimal; empty for the default of all brokers

  friend auto operator<=>(const ConfigResource&, const ConfigResource&) = default;
};

/// Where a value comes from.
enum class ConfigSource : std::int8_t {
  kUnknown = 0,
  kDynamicTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kDynamicBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};
/// As Kafka's tools print it: "DYNAMIC_TOPIC_CONFIG", "DEFAULT_CONFIG".
[[nodiscard]] std::string_view config_source_name(ConfigSource source);

enum class ConfigType : std::int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};
/// "BOOLEAN", "LIST", …
[[nodiscard]] std::string_view config_type_name(ConfigType type);

struct ConfigSynonym {
  std::string name;
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::kUnknown;
};

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  ///< nothing where it is sensitive or not set
  ConfigSource source = ConfigSource::kUnknown;
  ConfigType type = ConfigType::kUnknown;  ///< unknown before Kafka 2.6
  bool is_read_only = false;
  bool is_sensitive = false;
  std::vector<ConfigSynonym> synonyms;  ///< by precedence, the one in force first
  std::optional<std::string> documentation;
};

struct DescribeConfigsOptions {
  std::vector<std::string> keys = {};
  bool synonyms = false;
  bool documentation = false;
};
struct DescribeConfigsOutcome {
  ConfigResource resource;
  Result<std::vector<ConfigEntry>> outcome;
};

enum class AlterConfigOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct AlterConfig {
  std::string name;
  AlterConfigOperation operation = AlterConfigOperation::kSet;
  std::optional<std::string> value;  ///< nothing with kDelete
};
struct AlterConfigs {
  ConfigResource resource;
  std::vector<AlterConfig> changes;
};
struct AlterConfigsOutcome {
  ConfigResource resource;
  Result<void> outcome;
};

}  // namespace brook::client

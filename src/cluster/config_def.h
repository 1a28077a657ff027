#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace brook::cluster {

/// By the numbers of DescribeConfigs.
enum class ConfigType : std::int8_t {
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

/// Where a value comes from, by the numbers of DescribeConfigs.
enum class ConfigSource : std::int8_t {
  kTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kDynamicBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

enum class ConfigScope : std::uint8_t { kBroker, kTopic, kGroup, kClientMetrics };

/// How a broker's setting may change while it runs.
enum class UpdateMode : std::uint8_t {
  kReadOnly,     ///< in the file only
  kPerBroker,    ///< by broker id
  kClusterWide,  ///< by broker id or for all
};

enum class Importance : std::uint8_t { kLow, kMedium, kHigh };

/// A broker setting that a topic's or group's default comes from: its number times `factor`.
struct ConfigSynonymDef {
  std::string_view key;
  std::int64_t factor = 1;
};

/// One row of schemas/config/: a setting that Kafka or Brook has. Constant data of the program.
struct ConfigDef {
  ConfigScope scope;
  std::string_view key;
  ConfigType type;
  std::optional<std::string_view> default_value;  ///< as it would stand in a file; nothing is Kafka's null
  std::string_view valid;                         ///< for people: "[1,...,9] or -1"
  std::optional<double> at_least;
  std::optional<double> at_most;
  std::optional<double> or_else;             ///< one number allowed outside of the bounds
  std::span<const std::string_view> one_of;  ///< of a LIST: each element
  bool any_case = false;                     ///< `one_of` disregards case
  bool not_empty = false;
  UpdateMode update = UpdateMode::kReadOnly;
  bool honoured = false;                       ///< Brook acts on it; else it is accepted, shown and warned of
  std::span<const ConfigSynonymDef> synonyms;  ///< the first that is set gives the default
  std::string_view unit;
  Importance importance = Importance::kMedium;
  std::string_view text;  ///< documentation

  [[nodiscard]] bool sensitive() const { return type == ConfigType::kPassword; }
};

/// Null where the scope has no such key.
[[nodiscard]] const ConfigDef* find_config(ConfigScope scope, std::string_view key);

/// A checked value. Numbers are in `number` for INT, SHORT and LONG, and in `real` for DOUBLE.
struct ConfigValue {
  std::string text;  ///< trimmed, as it was given
  bool boolean = false;
  std::int64_t number = 0;
  double real = 0;
  std::vector<std::string> list;
};

/// INVALID_CONFIG in Kafka's words: "Invalid value abc for configuration retention.ms: Not a number of type
/// LONG".
[[nodiscard]] Result<ConfigValue> parse_config_value(const ConfigDef& def, std::string_view text);
/// The rule in ours, for the file's errors: "must be an integer of at least 1".
[[nodiscard]] std::string config_rule(const ConfigDef& def);
/// The key of the scope that is the fewest edits away; nothing where none is near.
[[nodiscard]] std::optional<std::string_view> nearest_config_key(ConfigScope scope, std::string_view key);

}  // namespace brook::cluster

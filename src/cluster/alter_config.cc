#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cluster/config.h"

namespace brook::cluster {
namespace {

std::optional<ConfigScope> scope_of(ConfigEntity entity) {
  switch (entity) {
    case ConfigEntity::kTopic:
      return ConfigScope::kTopic;
    case ConfigEntity::kBroker:
      return ConfigScope::kBroker;
    case ConfigEntity::kGroup:
      return ConfigScope::kGroup;
    case ConfigEntity::kClientMetrics:
      return ConfigScope::kClientMetrics;
    case ConfigEntity::kUser:
    case ConfigEntity::kClient:
    case ConfigEntity::kIp:
      return std::nullopt;
  }
  return std::nullopt;
}

std::unexpected<Error> unknown_key(ConfigEntity entity, std::string_view key) {
  if (entity == ConfigEntity::kTopic)
    return fail(ErrorCode::kInvalidConfig, fmt::format("Unknown topic config name: {}", key));
  if (entity == ConfigEntity::kGroup)
    return fail(ErrorCode::kInvalidConfig, fmt::format("Unknown group config name: {}", key));
  return fail(ErrorCode::kInvalidRequest, fmt::format("Unknown client metrics configuration: {}", key));
}

/// What a listener reads from its keystore and truststore: it may change for one listener only (KIP-226).
bool is_listener_security(std::string_view key) {
  return key.starts_with("ssl.keystore.") || key.starts_with("ssl.truststore.") || key == "ssl.key.password";
}

/// Which broker settings may change at all, and for all brokers; in Kafka's order.
Result<void> check_broker_keys(const ConfigResource& resource, const ConfigMap& whole) {
  std::vector<std::string> fixed;
  std::vector<std::string> security;
  std::vector<std::string> single;
  for (const auto& [key, value] : whole) {
    const ConfigDef* def = find_config(ConfigScope::kBroker, key);
    if (def && def->update == UpdateMode::kReadOnly) fixed.push_back(key);
    if (is_listener_security(key)) security.push_back(key);
    const bool per_broker =
        key.starts_with("listener.name.") || (def && def->update == UpdateMode::kPerBroker);
    if (per_broker && resource.name.empty()) single.push_back(key);
  }
  if (!fixed.empty()) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("Cannot update these configs dynamically: [{}]", fmt::join(fixed, ", ")));
  }
  if (!security.empty()) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("These security configs can be dynamically updated only per-listener using the "
                            "listener prefix: [{}]",
                            fmt::join(security, ", ")));
  }
  if (!single.empty()) {
    return fail(
        ErrorCode::kInvalidRequest,
        fmt::format("Cannot update these configs at default cluster level, broker id must be specified: [{}]",
                    fmt::join(single, ", ")));
  }
  return {};
}

Result<void> check_topic_contradictions(const ConfigLayers& layers, const ConfigMap& whole) {
  const TopicConfig config = topic_config(layers, whole);
  if (config.min_compaction_lag_ms > config.max_compaction_lag_ms) {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                    config.min_compaction_lag_ms.count(), config.max_compaction_lag_ms.count()));
  }
  const auto remote = whole.find("remote.storage.enable");
  if (remote != whole.end() && remote->second == "true") {
    return fail(ErrorCode::kInvalidConfig,
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with "
                "remote log storage.");
  }
  return {};
}

/// The list that APPEND and SUBTRACT start from: what is in force.
std::vector<std::string> present_list(const ConfigLayers& layers, const ConfigDef& def,
                                      const ConfigMap& own) {
  const auto it = own.find(def.key);
  if (it != own.end()) {
    auto value = parse_config_value(def, it->second);
    return value ? value->list : std::vector<std::string>{};
  }
  if (def.scope == ConfigScope::kBroker) return effective_broker_value(layers, def.key).list;
  for (const ConfigSynonymDef& synonym : def.synonyms)
    return effective_broker_value(layers, synonym.key).list;
  return def.default_value ? parse_config_value(def, *def.default_value)->list : std::vector<std::string>{};
}

Result<void> alter_list(const ConfigLayers& layers, const ConfigDef* def, ConfigMap& whole,
                        const ConfigAlteration& alteration) {
  const bool append = alteration.operation == AlterOperation::kAppend;
  if (!def || def->type != ConfigType::kList) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                       append ? "APPEND" : "SUBTRACT", alteration.key));
  }
  std::vector<std::string> list = present_list(layers, *def, whole);
  std::string_view rest = *alteration.value;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const auto it = std::ranges::find(list, word);
    if (append && it == list.end()) list.emplace_back(word);
    if (!append && it != list.end()) list.erase(it);
  }
  whole[alteration.key] = fmt::format("{}", fmt::join(list, ","));
  return {};
}

}  // namespace

Result<void> check_config(const ConfigLayers& layers, const ConfigResource& resource,
                          const ConfigMap& whole) {
  const auto scope = scope_of(resource.entity);
  if (!scope) return fail(ErrorCode::kInvalidRequest, "quotas and users are not changed as configurations");
  if (resource.name.empty() && resource.entity == ConfigEntity::kTopic) {
    return fail(ErrorCode::kInvalidRequest, "Default topic resources are not allowed.");
  }
  if (resource.entity == ConfigEntity::kBroker) {
    const bool digits = std::ranges::all_of(resource.name, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits)
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("Node id must be an integer, but it is: {}", resource.name));
    BROOK_CHECK(check_broker_keys(resource, whole));
  }
  for (const auto& [key, value] : whole) {
    const ConfigDef* def = find_config(*scope, key);
    // Kafka keeps broker keys that it does not know: they may be a plug-in's.
    if (!def && resource.entity == ConfigEntity::kBroker) continue;
    if (!def) return unknown_key(resource.entity, key);
    if (auto parsed = parse_config_value(*def, value); !parsed) {
      // Kafka's code for a broker's bad value differs from that of a topic's.
      if (resource.entity == ConfigEntity::kBroker)
        return fail(ErrorCode::kInvalidRequest, parsed.error().context);
      return std::unexpected(std::move(parsed).error());
    }
  }
  if (resource.entity == ConfigEntity::kTopic) return check_topic_contradictions(layers, whole);
  return {};
}

Result<ConfigMap> alter_config(const ConfigLayers& layers, const ConfigResource& resource,
                               const ConfigMap& own, const std::vector<ConfigAlteration>& alterations) {
  const auto scope = scope_of(resource.entity);
  if (!scope) return fail(ErrorCode::kInvalidRequest, "quotas and users are not changed as configurations");
  ConfigMap whole = own;
  std::set<std::string_view> keys;
  for (const ConfigAlteration& alteration : alterations) {
    if (!keys.insert(alteration.key).second)
      return fail(ErrorCode::kInvalidRequest, "Error due to duplicate config keys");
    if (alteration.operation != AlterOperation::kDelete && !alteration.value) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("Null value not supported for : {}", alteration.key));
    }
    switch (alteration.operation) {
      case AlterOperation::kSet:
        whole[alteration.key] = *alteration.value;
        break;
      case AlterOperation::kDelete:
        whole.erase(alteration.key);
        break;
      case AlterOperation::kAppend:
      case AlterOperation::kSubtract:
        BROOK_CHECK(alter_list(layers, find_config(*scope, alteration.key), whole, alteration));
        break;
    }
  }
  BROOK_CHECK(check_config(layers, resource, whole));
  return whole;
}

}  // namespace brook::cluster

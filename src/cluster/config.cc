#include "cluster/config.h"

#include <cstdlib>
#include <limits>
#include <utility>

#include "base/log.h"
#include "cluster/config_table.h"

namespace brook::cluster {
namespace {

[[noreturn]] void abort_on_key(std::string_view key) {
  log::error("config_key_misused", {{"key", key}});
  std::abort();
}

struct Layer {
  const ConfigMap& settings;
  ConfigSource source;
};

std::vector<Layer> broker_layers(const ConfigLayers& layers) {
  return {{layers.broker, ConfigSource::kDynamicBroker},
          {layers.cluster_default, ConfigSource::kDynamicDefaultBroker},
          {layers.file.settings(), ConfigSource::kStaticBroker}};
}

/// Where a value may come from, the one in force first, with the number that it is multiplied by.
struct Candidate {
  ConfigSynonym synonym;
  std::int64_t factor = 1;
};

void add_from_brokers(const ConfigLayers& layers, std::span<const ConfigSynonymDef> keys,
                      std::vector<Candidate>& out) {
  for (const Layer& layer : broker_layers(layers)) {
    for (const ConfigSynonymDef& key : keys) {
      const auto it = layer.settings.find(key.key);
      if (it != layer.settings.end())
        out.push_back({{std::string(key.key), it->second, layer.source}, key.factor});
    }
  }
  for (const ConfigSynonymDef& key : keys) {
    const ConfigDef* def = find_config(ConfigScope::kBroker, key.key);
    if (def && def->default_value) {
      out.push_back(
          {{std::string(key.key), std::string(*def->default_value), ConfigSource::kDefault}, key.factor});
    }
  }
}

/// Of a topic's or a group's key: its own value, then the broker's keys that its default comes from.
std::vector<Candidate> entity_candidates(const ConfigLayers* layers, const ConfigDef& def,
                                         const ConfigMap& own, ConfigSource source) {
  std::vector<Candidate> candidates;
  const auto it = own.find(def.key);
  if (it != own.end()) candidates.push_back({{std::string(def.key), it->second, source}});
  if (layers) add_from_brokers(*layers, def.synonyms, candidates);
  if (def.synonyms.empty() && def.default_value) {
    candidates.push_back({{std::string(def.key), std::string(*def.default_value), ConfigSource::kDefault}});
  }
  return candidates;
}

std::vector<Candidate> broker_candidates(const ConfigLayers& layers, const ConfigDef& def) {
  std::vector<Candidate> candidates;
  const ConfigSynonymDef own[] = {{def.key, 1}};
  add_from_brokers(layers, own, candidates);
  return candidates;
}

/// What a person reads of a setting; those that Brook does not act on say so.
std::string documentation(const ConfigDef& def) {
  return def.text.empty() ? "Accepted as Apache Kafka does; Brook does not act on it yet."
                          : std::string(def.text);
}

/// `text` times `factor`, for 168 hours that are shown in milliseconds. Negative numbers mean "no limit" in
/// any unit.
std::string scaled(const std::string& text, std::int64_t factor) {
  if (factor == 1) return text;
  const std::int64_t number = std::strtoll(text.c_str(), nullptr, 10);
  if (number < 0) return "-1";
  if (number > std::numeric_limits<std::int64_t>::max() / factor)
    return std::to_string(std::numeric_limits<std::int64_t>::max());
  return std::to_string(number * factor);
}

DescribedConfig described(const ConfigDef& def, std::vector<Candidate> candidates, bool read_only) {
  DescribedConfig config{std::string(def.key), std::nullopt, ConfigSource::kDefault, def.type, read_only,
                         def.sensitive(),      {},           documentation(def)};
  if (!candidates.empty()) {
    config.source = candidates.front().synonym.source;
    if (!def.sensitive()) config.value = scaled(*candidates.front().synonym.value, candidates.front().factor);
  } else if (!def.sensitive() && def.default_value) {
    config.value = std::string(*def.default_value);
  }
  for (Candidate& candidate : candidates) {
    // As Kafka lists them: the default of the first key only, which for retention.ms is none.
    const ConfigSynonym& synonym = candidate.synonym;
    if (synonym.source == ConfigSource::kDefault && !def.synonyms.empty() && synonym.key != def.key &&
        synonym.key != def.synonyms.front().key)
      continue;
    if (def.sensitive()) candidate.synonym.value.reset();
    config.synonyms.push_back(std::move(candidate.synonym));
  }
  return config;
}

std::vector<DescribedConfig> describe_scope(ConfigScope scope, const ConfigLayers* layers,
                                            const ConfigMap& own, ConfigSource source) {
  std::vector<DescribedConfig> all;
  for (const ConfigDef& def : config_table(scope)) {
    all.push_back(described(def, entity_candidates(layers, def, own, source), false));
  }
  return all;
}

/// The first candidate that is valid for `def`. Stored values may have been written by another version.
ConfigValue first_valid(const ConfigDef& def, const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    auto value = parse_config_value(def, scaled(*candidate.synonym.value, candidate.factor));
    if (value) return *std::move(value);
  }
  if (def.default_value) {
    if (auto value = parse_config_value(def, *def.default_value)) return *std::move(value);
  }
  return {};
}

ConfigValue topic_value(const ConfigLayers& layers, const ConfigMap& own, std::string_view key) {
  const ConfigDef* def = find_config(ConfigScope::kTopic, key);
  if (!def) abort_on_key(key);
  return first_valid(*def, entity_candidates(&layers, *def, own, ConfigSource::kTopic));
}

CompressionType compression_named(std::string_view name) {
  if (name == "uncompressed") return CompressionType::kUncompressed;
  if (name == "gzip") return CompressionType::kGzip;
  if (name == "snappy") return CompressionType::kSnappy;
  if (name == "lz4") return CompressionType::kLz4;
  if (name == "zstd") return CompressionType::kZstd;
  return CompressionType::kProducer;
}

}  // namespace

ConfigLayers config_layers(const BrokerConfig& file, const MetadataImage& image, BrokerId id) {
  return {file, image.config_of({ConfigEntity::kBroker, std::to_string(id.value())}),
          image.config_of({ConfigEntity::kBroker, ""})};
}

std::vector<DescribedConfig> describe_topic_config(const ConfigLayers& layers, const ConfigMap& own) {
  return describe_scope(ConfigScope::kTopic, &layers, own, ConfigSource::kTopic);
}

std::vector<DescribedConfig> describe_group_config(const ConfigLayers& layers, const ConfigMap& own) {
  return describe_scope(ConfigScope::kGroup, &layers, own, ConfigSource::kGroup);
}

std::vector<DescribedConfig> describe_client_metrics_config(const ConfigMap& own) {
  return describe_scope(ConfigScope::kClientMetrics, nullptr, own, ConfigSource::kClientMetrics);
}

std::vector<DescribedConfig> describe_broker_config(const ConfigLayers& layers) {
  std::vector<DescribedConfig> all;
  for (const ConfigDef& def : config_table(ConfigScope::kBroker)) {
    all.push_back(described(def, broker_candidates(layers, def), def.update == UpdateMode::kReadOnly));
  }
  // Keys that only a plug-in would know may hold secrets: they are named and not shown, as Kafka does.
  for (const Layer& layer : broker_layers(layers)) {
    if (layer.source == ConfigSource::kStaticBroker) continue;
    for (const auto& [key, value] : layer.settings) {
      if (find_config(ConfigScope::kBroker, key)) continue;
      all.push_back({key,
                     std::nullopt,
                     layer.source,
                     ConfigType::kString,
                     false,
                     true,
                     {{key, std::nullopt, layer.source}},
                     ""});
    }
  }
  return all;
}

std::vector<DescribedConfig> describe_broker_default_config(const ConfigMap& own) {
  std::vector<DescribedConfig> all;
  for (const auto& [key, value] : own) {
    const ConfigDef* def = find_config(ConfigScope::kBroker, key);
    const bool sensitive = !def || def->sensitive();
    const std::optional<std::string> shown = sensitive ? std::nullopt : std::optional(value);
    all.push_back({key,
                   shown,
                   ConfigSource::kDynamicDefaultBroker,
                   def ? def->type : ConfigType::kString,
                   false,
                   sensitive,
                   {{key, shown, ConfigSource::kDynamicDefaultBroker}},
                   def ? documentation(*def) : ""});
  }
  return all;
}

ConfigValue effective_broker_value(const ConfigLayers& layers, std::string_view key) {
  const ConfigDef* def = find_config(ConfigScope::kBroker, key);
  if (!def) abort_on_key(key);
  return first_valid(*def, broker_candidates(layers, *def));
}

ConfigValue effective_group_value(const ConfigLayers& layers, const ConfigMap& own, std::string_view key) {
  const ConfigDef* def = find_config(ConfigScope::kGroup, key);
  if (!def) abort_on_key(key);
  return first_valid(*def, entity_candidates(&layers, *def, own, ConfigSource::kGroup));
}

TopicConfig topic_config(const ConfigLayers& layers, const ConfigMap& own) {
  using std::chrono::milliseconds;
  const auto number = [&](std::string_view key) { return topic_value(layers, own, key).number; };
  const auto small = [&](std::string_view key) { return static_cast<std::int32_t>(number(key)); };
  const auto limit = [&](std::string_view key) {
    const std::int64_t value = number(key);
    return value < 0 ? std::optional<std::int64_t>{} : std::optional(value);
  };
  TopicConfig config;
  config.segment_bytes = small("segment.bytes");
  config.segment_ms = milliseconds(number("segment.ms"));
  config.segment_jitter_ms = milliseconds(number("segment.jitter.ms"));
  config.segment_index_bytes = small("segment.index.bytes");
  config.index_interval_bytes = small("index.interval.bytes");
  config.retention_bytes = limit("retention.bytes");
  if (const auto ms = limit("retention.ms")) config.retention_ms = milliseconds(*ms);
  config.file_delete_delay_ms = milliseconds(number("file.delete.delay.ms"));
  config.flush_messages = number("flush.messages");
  config.flush_ms = milliseconds(number("flush.ms"));
  config.cleanup_delete = config.cleanup_compact = false;
  for (const std::string& policy : topic_value(layers, own, "cleanup.policy").list) {
    if (policy == "delete") config.cleanup_delete = true;
    if (policy == "compact") config.cleanup_compact = true;
  }
  config.delete_retention_ms = milliseconds(number("delete.retention.ms"));
  config.min_compaction_lag_ms = milliseconds(number("min.compaction.lag.ms"));
  config.max_compaction_lag_ms = milliseconds(number("max.compaction.lag.ms"));
  config.min_cleanable_dirty_ratio = topic_value(layers, own, "min.cleanable.dirty.ratio").real;
  config.max_message_bytes = small("max.message.bytes");
  config.min_insync_replicas = small("min.insync.replicas");
  config.compression = compression_named(topic_value(layers, own, "compression.type").text);
  config.gzip_level = small("compression.gzip.level");
  config.lz4_level = small("compression.lz4.level");
  config.zstd_level = small("compression.zstd.level");
  config.timestamp_type = topic_value(layers, own, "message.timestamp.type").text == "LogAppendTime"
                              ? TimestampType::kLogAppendTime
                              : TimestampType::kCreateTime;
  config.timestamp_before_max_ms = number("message.timestamp.before.max.ms");
  config.timestamp_after_max_ms = number("message.timestamp.after.max.ms");
  config.preallocate = topic_value(layers, own, "preallocate").boolean;
  config.unclean_leader_election = topic_value(layers, own, "unclean.leader.election.enable").boolean;
  return config;
}

}  // namespace brook::cluster

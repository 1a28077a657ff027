#include "cluster/znode_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <utility>

namespace brook::cluster {
namespace {

namespace json = boost::json;

/// What is wrong with a payload; caught at this file's door.
struct BadZnode {
  std::string what;
};

template <class T>
T read_integer(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw BadZnode{fmt::format("\"{}\" is no integer", text)};
  return value;
}

const json::value& field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value) throw BadZnode{fmt::format("{} is missing", key)};
  return *value;
}

/// A number, or a number in a text, as Kafka writes some.
template <class T>
T integer(const json::value& value) {
  if (const auto* text = value.if_string()) return read_integer<T>(std::string_view(*text));
  if (const auto* number = value.if_int64(); number && std::in_range<T>(*number))
    return static_cast<T>(*number);
  throw BadZnode{"an integer is expected"};
}

std::string text(const json::value& value) {
  if (const auto* string = value.if_string()) return std::string(*string);
  throw BadZnode{"a text is expected"};
}

const json::object& object(const json::value& value) {
  if (const auto* found = value.if_object()) return *found;
  throw BadZnode{"an object is expected"};
}

const json::array& array(const json::value& value) {
  if (const auto* found = value.if_array()) return *found;
  throw BadZnode{"an array is expected"};
}

std::vector<BrokerId> broker_ids(const json::value& value) {
  std::vector<BrokerId> ids;
  for (const json::value& id : array(value)) ids.emplace_back(integer<std::int32_t>(id));
  return ids;
}

json::array to_json(const std::vector<BrokerId>& ids) {
  json::array out;
  for (const BrokerId id : ids) out.emplace_back(id.value());
  return out;
}

/// Parses and reads; everything that is wrong becomes an Error that begins with `what`.
template <class T, class Read>
Result<T> decode(std::string_view what, std::string_view payload, Read read) {
  json::error_code error;
  const json::value parsed = json::parse(json::string_view(payload.data(), payload.size()), error);
  if (error)
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("the znode of {} is no JSON: {}", what, error.message()));
  try {
    return read(object(parsed));
  } catch (const BadZnode& bad) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("the znode of {} can't be read: {}", what, bad.what));
  }
}

/// `partitions`, `adding_replicas` or `removing_replicas` of a topic.
void read_replicas(const json::object& from, std::vector<PartitionInfo>& to,
                   std::vector<BrokerId> PartitionInfo::* member) {
  for (const auto& [key, ids] : from) {
    const auto index = read_integer<std::int32_t>(std::string_view(key));
    if (index < 0 || static_cast<std::size_t>(index) >= to.size())
      throw BadZnode{fmt::format("partition {} leaves a gap", index)};
    to[static_cast<std::size_t>(index)].*member = broker_ids(ids);
  }
}

json::object replicas_to_json(const std::vector<PartitionInfo>& partitions,
                              std::vector<BrokerId> PartitionInfo::* member, bool with_empty) {
  json::object out;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (with_empty || !(partitions[i].*member).empty())
      out.emplace(std::to_string(i), to_json(partitions[i].*member));
  }
  return out;
}

/// Names that may hold anything are URL-encoded, as Kafka does it; those of users, clients and IPs come
/// encoded already.
bool is_free_text(ConfigEntity entity) {
  return entity == ConfigEntity::kGroup || entity == ConfigEntity::kClientMetrics;
}

std::string sanitised(std::string_view name) {
  const bool only_dots = name.find_first_not_of('.') == std::string_view::npos;
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && !only_dots);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string desanitised(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned byte = 0;
    if (name[i] == '%' && name.size() - i > 2 &&
        std::from_chars(name.data() + i + 1, name.data() + i + 3, byte, 16).ptr == name.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += name[i];
    }
  }
  return out;
}

constexpr ConfigEntity kEntities[] = {
    ConfigEntity::kTopic, ConfigEntity::kBroker, ConfigEntity::kClientMetrics,
    ConfigEntity::kGroup, ConfigEntity::kUser,   ConfigEntity::kClient,
    ConfigEntity::kIp};

}  // namespace

std::string broker_path(BrokerId id) { return fmt::format("{}/{}", kBrokersPath, id.value()); }
std::string topic_path(std::string_view topic) { return fmt::format("{}/{}", kTopicsPath, topic); }
std::string partitions_path(std::string_view topic) {
  return fmt::format("{}/{}/partitions", kTopicsPath, topic);
}
std::string partition_path(std::string_view topic, std::int32_t partition) {
  return fmt::format("{}/{}/partitions/{}", kTopicsPath, topic, partition);
}
std::string partition_state_path(std::string_view topic, std::int32_t partition) {
  return fmt::format("{}/{}/partitions/{}/state", kTopicsPath, topic, partition);
}
std::string config_path(const ConfigResource& resource) {
  std::string name = resource.name.empty() ? std::string(kDefaultEntity) : resource.name;
  if (!resource.name.empty() && is_free_text(resource.entity)) name = sanitised(name);
  return fmt::format("{}/{}/{}", kConfigPath, config_entity_folder(resource.entity), name);
}
std::string delete_topic_path(std::string_view topic) {
  return fmt::format("{}/{}", kDeleteTopicsPath, topic);
}

std::optional<ConfigResource> config_resource_at(std::string_view path) {
  if (!path.starts_with(kConfigPath) || path.size() <= kConfigPath.size() + 1) return std::nullopt;
  path.remove_prefix(kConfigPath.size() + 1);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  for (const ConfigEntity entity : kEntities) {
    if (path.substr(0, slash) != config_entity_folder(entity)) continue;
    const std::string_view name = path.substr(slash + 1);
    if (name.ends_with("/clients")) return std::nullopt;
    if (name == kDefaultEntity) return ConfigResource{entity, ""};
    return ConfigResource{entity, is_free_text(entity) ? desanitised(name) : std::string(name)};
  }
  return std::nullopt;
}

std::string encode_controller(const ControllerZnode& controller) {
  return json::serialize(json::object{{"version", 2},
                                      {"brokerid", controller.broker.value()},
                                      {"timestamp", std::to_string(controller.timestamp.value())},
                                      {"kraftControllerEpoch", -1}});
}

Result<ControllerZnode> decode_controller(std::string_view payload) {
  return decode<ControllerZnode>("the controller", payload, [](const json::object& root) {
    return ControllerZnode{BrokerId(integer<std::int32_t>(field(root, "brokerid"))),
                           Timestamp(integer<std::int64_t>(field(root, "timestamp")))};
  });
}

Result<ControllerEpoch> decode_controller_epoch(std::string_view payload) {
  try {
    return ControllerEpoch(read_integer<std::int32_t>(payload));
  } catch (const BadZnode& bad) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("the znode of the controller epoch can't be read: {}", bad.what));
  }
}

std::string encode_broker(const BrokerInfo& broker, Timestamp timestamp) {
  json::array endpoints;
  json::object protocols;
  json::value host = nullptr;
  std::int32_t port = -1;
  for (const Endpoint& endpoint : broker.endpoints) {
    endpoints.emplace_back(endpoint_text(endpoint));
    protocols.emplace(endpoint.listener, endpoint.security_protocol);
    if (port == -1 && endpoint.security_protocol == "PLAINTEXT") {
      host = endpoint.host;
      port = endpoint.port;
    }
  }
  json::object root{{"version", 5},
                    {"host", host},
                    {"port", port},
                    {"endpoints", std::move(endpoints)},
                    {"jmx_port", -1},
                    {"timestamp", std::to_string(timestamp.value())},
                    {"listener_security_protocol_map", std::move(protocols)},
                    {"features", json::object{}}};
  if (broker.rack) root.emplace("rack", *broker.rack);
  return json::serialize(root);
}

Result<BrokerInfo> decode_broker(BrokerId id, std::string_view payload) {
  return decode<BrokerInfo>(fmt::format("broker {}", id.value()), payload, [&](const json::object& root) {
    BrokerInfo broker{id, {}, {}, std::nullopt};
    if (const json::value* rack = root.if_contains("rack"); rack && !rack->is_null())
      broker.rack = text(*rack);
    if (integer<int>(field(root, "version")) < 2) {
      broker.endpoints.push_back(
          {"PLAINTEXT", text(field(root, "host")), integer<std::uint16_t>(field(root, "port")), "PLAINTEXT"});
      return broker;
    }
    const json::value* protocols = root.if_contains("listener_security_protocol_map");
    for (const json::value& place : array(field(root, "endpoints"))) {
      auto endpoint = parse_endpoint(text(place));
      if (!endpoint) throw BadZnode{endpoint.error().context};
      if (protocols) {
        if (const json::value* protocol = object(*protocols).if_contains(endpoint->listener))
          endpoint->security_protocol = text(*protocol);
      }
      broker.endpoints.push_back(*std::move(endpoint));
    }
    return broker;
  });
}

std::string encode_topic(const TopicZnode& topic) {
  json::object root{{"version", 3}};
  if (!topic.id.is_zero()) root.emplace("topic_id", topic.id.text());
  root.emplace("partitions", replicas_to_json(topic.partitions, &PartitionInfo::replicas, true));
  root.emplace("adding_replicas", replicas_to_json(topic.partitions, &PartitionInfo::adding, false));
  root.emplace("removing_replicas", replicas_to_json(topic.partitions, &PartitionInfo::removing, false));
  return json::serialize(root);
}

Result<TopicZnode> decode_topic(std::string_view payload) {
  return decode<TopicZnode>("a topic", payload, [](const json::object& root) {
    TopicZnode topic;
    if (const json::value* id = root.if_contains("topic_id")) {
      const auto parsed = TopicId::parse(text(*id));
      if (!parsed) throw BadZnode{"topic_id is no UUID"};
      topic.id = *parsed;
    }
    const json::object& partitions = object(field(root, "partitions"));
    topic.partitions.resize(partitions.size());
    read_replicas(partitions, topic.partitions, &PartitionInfo::replicas);
    if (const json::value* adding = root.if_contains("adding_replicas")) {
      read_replicas(object(*adding), topic.partitions, &PartitionInfo::adding);
    }
    if (const json::value* removing = root.if_contains("removing_replicas")) {
      read_replicas(object(*removing), topic.partitions, &PartitionInfo::removing);
    }
    return topic;
  });
}

std::string encode_partition_state(const PartitionStateZnode& state) {
  return json::serialize(json::object{{"version", 1},
                                      {"leader", state.leader ? state.leader->value() : -1},
                                      {"leader_epoch", state.leader_epoch.value()},
                                      {"controller_epoch", state.controller_epoch.value()},
                                      {"isr", to_json(state.isr)}});
}

Result<PartitionStateZnode> decode_partition_state(std::string_view payload) {
  return decode<PartitionStateZnode>("a partition", payload, [](const json::object& root) {
    PartitionStateZnode state;
    if (const auto leader = integer<std::int32_t>(field(root, "leader")); leader >= 0)
      state.leader = BrokerId(leader);
    state.leader_epoch = LeaderEpoch(integer<std::int32_t>(field(root, "leader_epoch")));
    state.controller_epoch = ControllerEpoch(integer<std::int32_t>(field(root, "controller_epoch")));
    state.isr = broker_ids(field(root, "isr"));
    return state;
  });
}

std::string encode_config(const ConfigMap& config) {
  json::object values;
  for (const auto& [key, value] : config) values.emplace(key, value);
  return json::serialize(json::object{{"version", 1}, {"config", std::move(values)}});
}

Result<ConfigMap> decode_config(std::string_view payload) {
  if (payload.empty()) return ConfigMap{};
  return decode<ConfigMap>("a configuration", payload, [](const json::object& root) {
    ConfigMap config;
    for (const auto& [key, value] : object(field(root, "config")))
      config.emplace(std::string(key), text(value));
    return config;
  });
}

std::string encode_cluster_id(std::string_view id) {
  return json::serialize(json::object{{"version", "1"}, {"id", json::string_view(id.data(), id.size())}});
}

Result<std::string> decode_cluster_id(std::string_view payload) {
  return decode<std::string>("the cluster's id", payload,
                             [](const json::object& root) { return text(field(root, "id")); });
}

std::string encode_producer_id_block(const ProducerIdBlockZnode& block) {
  return json::serialize(json::object{{"version", 1},
                                      {"broker", block.broker.value()},
                                      {"block_start", std::to_string(block.first)},
                                      {"block_end", std::to_string(block.last)}});
}

Result<ProducerIdBlockZnode> decode_producer_id_block(std::string_view payload) {
  return decode<ProducerIdBlockZnode>("the producer ids", payload, [](const json::object& root) {
    return ProducerIdBlockZnode{BrokerId(integer<std::int32_t>(field(root, "broker"))),
                                integer<std::int64_t>(field(root, "block_start")),
                                integer<std::int64_t>(field(root, "block_end"))};
  });
}

}  // namespace brook::cluster

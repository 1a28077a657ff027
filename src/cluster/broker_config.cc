#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/log.h"
#include "cluster/config.h"
#include "cluster/config_table.h"
#include "cluster/properties.h"

namespace brook::cluster {
namespace {

constexpr std::string_view kHidden = "[hidden]";

/// Where each setting was written: "server.properties:12".
using Origins = std::map<std::string, std::string, std::less<>>;

[[noreturn]] void abort_on_key(std::string_view key) {
  log::error("config_key_misused", {{"key", key}});
  std::abort();
}

/// "LISTENER:PROTOCOL,…"; INVALID_CONFIG where it is something else.
Result<std::map<std::string, std::string, std::less<>>> parse_protocol_map(std::string_view text) {
  std::map<std::string, std::string, std::less<>> protocols;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    const std::size_t colon = entry.find(':');
    const std::string_view protocol = colon == std::string_view::npos ? "" : entry.substr(colon + 1);
    if (protocol != "PLAINTEXT" && protocol != "SSL" && protocol != "SASL_PLAINTEXT" &&
        protocol != "SASL_SSL") {
      return fail(ErrorCode::kInvalidConfig,
                  "must be a list of LISTENER:PROTOCOL with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
    }
    std::string listener(entry.substr(0, colon));
    for (char& c : listener) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    protocols[std::move(listener)] = protocol;
  }
  return protocols;
}

/// The listeners of `key`, with their protocols, without the controller's own.
Result<std::vector<Endpoint>> parse_listeners(const BrokerConfig& config, std::string_view key) {
  BROOK_TRY(const auto protocols, parse_protocol_map(config.text("listener.security.protocol.map")));
  const std::vector<std::string> controller = config.list("controller.listener.names");
  std::vector<Endpoint> listeners;
  std::set<std::string> names;
  for (const std::string& text : config.list(key)) {
    BROOK_TRY(Endpoint endpoint, parse_endpoint(text));
    if (!names.insert(endpoint.listener).second) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("names the listener {} twice", endpoint.listener));
    }
    if (std::ranges::find(controller, endpoint.listener) != controller.end()) continue;
    const auto protocol = protocols.find(endpoint.listener);
    if (protocol == protocols.end()) {
      return fail(
          ErrorCode::kInvalidConfig,
          fmt::format("the listener {} has no entry in listener.security.protocol.map", endpoint.listener));
    }
    endpoint.security_protocol = protocol->second;
    listeners.push_back(std::move(endpoint));
  }
  return listeners;
}

Result<std::optional<Endpoint>> parse_admin_listener(const BrokerConfig& config) {
  const std::string place = config.text("brook.admin.listener");
  if (place.empty()) return std::optional<Endpoint>{};
  auto endpoint = parse_endpoint("ADMIN://" + place);
  if (!endpoint) return fail(ErrorCode::kInvalidConfig, "must be host:port, or empty for none");
  endpoint->security_protocol = "PLAINTEXT";
  return std::optional(*std::move(endpoint));
}

/// "address:count,…"; an IPv6 address has colons of its own, and may stand in brackets.
Result<std::map<std::string, std::size_t>> parse_connection_overrides(std::string_view text) {
  std::map<std::string, std::size_t> overrides;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t colon = entry.rfind(':');
    std::string_view address = entry.substr(0, colon == std::string_view::npos ? 0 : colon);
    const std::string_view count = entry.substr(colon == std::string_view::npos ? entry.size() : colon + 1);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    std::size_t most = 0;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), most);
    const bool numeric = address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
    if (address.empty() || !numeric || count.empty() || error != std::errc() ||
        end != count.data() + count.size()) {
      return fail(ErrorCode::kInvalidConfig, "must be a list of ADDRESS:COUNT with numeric addresses");
    }
    overrides[std::string(address)] = most;
  }
  return overrides;
}

/// Settings that are wrong together only: key and what is wrong.
std::vector<std::pair<std::string, std::string>> find_contradictions(const BrokerConfig& config) {
  std::vector<std::pair<std::string, std::string>> problems;
  const auto listeners = parse_listeners(config, "listeners");
  if (!listeners) {
    problems.emplace_back("listeners", listeners.error().context);
  } else if (listeners->empty()) {
    problems.emplace_back("listeners", "must name at least one listener for clients");
  }
  const auto advertised = parse_listeners(config, "advertised.listeners");
  if (!advertised) {
    problems.emplace_back("advertised.listeners", advertised.error().context);
  } else if (listeners) {
    for (const Endpoint& endpoint : *advertised) {
      if (endpoint.host.empty() || endpoint.host == "0.0.0.0" || endpoint.host == "::") {
        problems.emplace_back("advertised.listeners",
                              fmt::format("clients can't connect to {}", endpoint_text(endpoint)));
      }
      if (std::ranges::find(*listeners, endpoint.listener, &Endpoint::listener) == listeners->end()) {
        problems.emplace_back("advertised.listeners",
                              fmt::format("{} is none of the listeners", endpoint.listener));
      }
    }
  }
  if (const auto admin = parse_admin_listener(config); !admin) {
    problems.emplace_back("brook.admin.listener", admin.error().context);
  }
  if (const auto overrides = parse_connection_overrides(config.text("max.connections.per.ip.overrides"));
      !overrides) {
    problems.emplace_back("max.connections.per.ip.overrides", overrides.error().context);
  }
  if (config.is_set("node.id") && config.number("broker.id") >= 0 &&
      config.number("broker.id") != config.number("node.id")) {
    problems.emplace_back("broker.id",
                          fmt::format("must be the same as node.id={}", config.number("node.id")));
  }
  const std::string inter_broker = config.text("inter.broker.listener.name");
  if (!inter_broker.empty() && listeners &&
      std::ranges::find(*listeners, inter_broker, &Endpoint::listener) == listeners->end()) {
    problems.emplace_back("inter.broker.listener.name", "is none of the listeners");
  }
  const std::vector<std::string> protocols = config.list("group.coordinator.rebalance.protocols");
  if (std::ranges::find(protocols, "classic") == protocols.end())
    problems.emplace_back("group.coordinator.rebalance.protocols", "must have classic");
  const std::vector<std::string> dirs = config.log_dirs();
  if (dirs.empty() || std::ranges::find(dirs, "") != dirs.end())
    problems.emplace_back("log.dirs", "must name directories");
  return problems;
}

std::string unknown_key_warning(const std::string& origin, const std::string& key) {
  if (key.starts_with("listener.name."))
    return fmt::format("{}: {} has no effect: settings of one listener are not supported", origin, key);
  const auto nearest = nearest_config_key(ConfigScope::kBroker, key);
  return fmt::format("{}: {} is no known key{}", origin, key,
                     nearest ? fmt::format("; did you mean {}?", *nearest) : "");
}

}  // namespace

Result<BrokerConfig> BrokerConfig::load(std::string_view text, std::string_view file_name,
                                        const std::vector<std::pair<std::string, std::string>>& overrides) {
  BrokerConfig config;
  Origins origins;
  std::string problems;
  const auto complain = [&](std::string_view problem) {
    problems += fmt::format("{}{}", problems.empty() ? "" : "\n", problem);
  };

  const Properties properties = parse_properties(text);
  for (const auto& problem : properties.problems)
    complain(fmt::format("{}:{}: {}", file_name, problem.line, problem.what));
  for (const Property& property : properties.entries) {
    const std::string origin = fmt::format("{}:{}", file_name, property.line);
    if (const auto earlier = origins.find(property.key); earlier != origins.end()) {
      config.warnings_.push_back(fmt::format("{}: {} replaces {}", origin, property.key, earlier->second));
    }
    origins[property.key] = origin;
    config.settings_[property.key] = property.value;
  }
  for (const auto& [key, value] : overrides) {
    origins[key] = "command line";
    config.settings_[key] = value;
  }

  for (const auto& [key, value] : config.settings_) {
    const std::string& origin = origins.find(key)->second;
    const ConfigDef* def = find_config(ConfigScope::kBroker, key);
    if (!def) {
      config.warnings_.push_back(unknown_key_warning(origin, key));
      continue;
    }
    if (!def->honoured)
      config.warnings_.push_back(fmt::format("{}: {} is accepted but has no effect in Brook", origin, key));
    auto parsed = parse_config_value(*def, value);
    if (parsed) {
      config.values_[key] = *std::move(parsed);
    } else {
      complain(
          fmt::format("{}: {}={}: {}", origin, key, def->sensitive() ? kHidden : value, config_rule(*def)));
    }
  }
  for (const ConfigDef& def : config_table(ConfigScope::kBroker)) {
    if (!def.default_value || config.values_.contains(def.key)) continue;
    auto parsed = parse_config_value(def, *def.default_value);
    if (parsed) config.values_[std::string(def.key)] = *std::move(parsed);
  }
  if (problems.empty()) {
    for (const auto& [key, what] : find_contradictions(config)) {
      const auto origin = origins.find(key);
      const auto value = config.settings_.find(key);
      complain(fmt::format("{}: {}={}: {}", origin == origins.end() ? file_name : origin->second, key,
                           value == config.settings_.end() ? "" : value->second, what));
    }
  }
  if (!problems.empty()) return fail(ErrorCode::kInvalidConfig, std::move(problems));
  return config;
}

const ConfigValue* BrokerConfig::value(std::string_view key, bool of_right_type) const {
  if (!of_right_type || !find_config(ConfigScope::kBroker, key)) abort_on_key(key);
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

namespace {

bool is_type(std::string_view key, std::initializer_list<ConfigType> types) {
  const ConfigDef* def = find_config(ConfigScope::kBroker, key);
  return def && std::ranges::find(types, def->type) != types.end();
}

}  // namespace

bool BrokerConfig::boolean(std::string_view key) const {
  const ConfigValue* found = value(key, is_type(key, {ConfigType::kBoolean}));
  return found && found->boolean;
}

std::optional<std::int64_t> BrokerConfig::optional_number(std::string_view key) const {
  const ConfigValue* found =
      value(key, is_type(key, {ConfigType::kInt, ConfigType::kShort, ConfigType::kLong}));
  return found ? std::optional(found->number) : std::nullopt;
}

std::int64_t BrokerConfig::number(std::string_view key) const {
  const auto found = optional_number(key);
  if (!found) abort_on_key(key);
  return *found;
}

std::chrono::milliseconds BrokerConfig::millis(std::string_view key) const {
  return std::chrono::milliseconds(number(key));
}

double BrokerConfig::real(std::string_view key) const {
  const ConfigValue* found = value(key, is_type(key, {ConfigType::kDouble}));
  return found ? found->real : 0;
}

std::string BrokerConfig::text(std::string_view key) const {
  const ConfigValue* found =
      value(key, is_type(key, {ConfigType::kString, ConfigType::kClass, ConfigType::kPassword}));
  return found ? found->text : "";
}

std::vector<std::string> BrokerConfig::list(std::string_view key) const {
  const ConfigValue* found = value(key, is_type(key, {ConfigType::kList}));
  return found ? found->list : std::vector<std::string>{};
}

bool BrokerConfig::is_set(std::string_view key) const { return settings_.contains(key); }

BrokerId BrokerConfig::node_id() const {
  const bool by_broker_id = !is_set("node.id") && number("broker.id") >= 0;
  return BrokerId(static_cast<std::int32_t>(number(by_broker_id ? "broker.id" : "node.id")));
}

// load() refused what these can't parse.
std::vector<Endpoint> BrokerConfig::listeners() const { return *parse_listeners(*this, "listeners"); }

std::vector<Endpoint> BrokerConfig::advertised_listeners() const {
  const std::vector<Endpoint> advertised = *parse_listeners(*this, "advertised.listeners");
  std::vector<Endpoint> all = listeners();
  if (advertised.empty()) return all;
  std::erase_if(all, [&](Endpoint& endpoint) {
    const auto it = std::ranges::find(advertised, endpoint.listener, &Endpoint::listener);
    if (it != advertised.end()) endpoint = *it;
    return it == advertised.end();
  });
  return all;
}

std::string BrokerConfig::inter_broker_listener() const {
  std::string name = text("inter.broker.listener.name");
  if (!name.empty()) return name;
  const std::vector<Endpoint> all = listeners();
  const auto it =
      std::ranges::find(all, text("security.inter.broker.protocol"), &Endpoint::security_protocol);
  return it != all.end() ? it->listener : all.front().listener;
}

std::map<std::string, std::size_t> BrokerConfig::connections_per_ip_overrides() const {
  return *parse_connection_overrides(text("max.connections.per.ip.overrides"));
}

std::vector<std::string> BrokerConfig::log_dirs() const {
  std::vector<std::string> dirs = list("log.dirs");
  return dirs.empty() ? list("log.dir") : dirs;
}

std::optional<Endpoint> BrokerConfig::admin_listener() const { return *parse_admin_listener(*this); }

}  // namespace brook::cluster

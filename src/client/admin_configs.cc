// Settings: DescribeConfigs 1 to 4 (3: types and documentation), IncrementalAlterConfigs 0 to 1,
// ListConfigResources 0 to 1 (0, of Kafka 3.7: client metrics only). What concerns one broker goes to it.
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "client/admin.h"
#include "client/client.h"
#include "client/internal/call.h"
#include "client/internal/outcome.h"
#include "protocol/describe_configs.h"
#include "protocol/incremental_alter_configs.h"
#include "protocol/list_config_resources.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr std::int16_t kListVersionWithTypes = 1;

/// The broker that alone knows a resource: whose own settings or loggers they are.
std::optional<BrokerId> broker_of(const ConfigResource& resource) {
  if (resource.type != ConfigResourceType::kBroker && resource.type != ConfigResourceType::kBrokerLogger) {
    return std::nullopt;
  }
  std::int32_t id = 0;
  const char* const end = resource.name.data() + resource.name.size();
  const auto [parsed_to, error] = std::from_chars(resource.name.data(), end, id);
  if (error != std::errc() || parsed_to != end) return std::nullopt;
  return BrokerId(id);
}

const ConfigResource& resource_of(const ConfigResource& resource) { return resource; }
const ConfigResource& resource_of(const AlterConfigs& alter) { return alter.resource; }

/// Items by who is to be asked: one broker, or nothing for `otherwise`.
template <class Item>
std::map<std::optional<BrokerId>, std::vector<std::size_t>> by_broker(const std::vector<Item>& items) {
  std::map<std::optional<BrokerId>, std::vector<std::size_t>> groups;
  for (std::size_t item = 0; item < items.size(); ++item)
    groups[broker_of(resource_of(items[item]))].push_back(item);
  return groups;
}

Target target_of(std::optional<BrokerId> broker, Target otherwise) {
  return broker ? Target(*broker) : otherwise;
}

protocol::DescribeConfigsRequest describe_request(const std::vector<ConfigResource>& resources,
                                                  const std::vector<std::size_t>& items,
                                                  const DescribeConfigsOptions& options) {
  protocol::DescribeConfigsRequest request;
  request.include_synonyms = options.synonyms;
  request.include_documentation = options.documentation;
  for (const std::size_t item : items) {
    auto& entry = request.resources.emplace_back();
    entry.resource_type = static_cast<std::int8_t>(resources[item].type);
    entry.resource_name = resources[item].name;
    entry.configuration_keys = std::nullopt;
    if (!options.keys.empty()) entry.configuration_keys = options.keys;
  }
  return request;
}

std::vector<ConfigEntry> decode_entries(
    const protocol::DescribeConfigsResponse::DescribeConfigsResult& from) {
  std::vector<ConfigEntry> entries;
  for (const auto& config : from.configs) {
    ConfigEntry& entry = entries.emplace_back();
    entry.name = config.name;
    entry.value = config.value;
    entry.source = static_cast<ConfigSource>(config.config_source);
    entry.type = static_cast<ConfigType>(config.config_type);
    entry.is_read_only = config.read_only;
    entry.is_sensitive = config.is_sensitive;
    entry.documentation = config.documentation;
    for (const auto& synonym : config.synonyms) {
      entry.synonyms.push_back({synonym.name, synonym.value, static_cast<ConfigSource>(synonym.source)});
    }
  }
  return entries;
}

protocol::IncrementalAlterConfigsRequest alter_request(const std::vector<AlterConfigs>& alters,
                                                       const std::vector<std::size_t>& items,
                                                       bool validate_only) {
  protocol::IncrementalAlterConfigsRequest request;
  request.validate_only = validate_only;
  for (const std::size_t item : items) {
    auto& entry = request.resources.emplace_back();
    entry.resource_type = static_cast<std::int8_t>(alters[item].resource.type);
    entry.resource_name = alters[item].resource.name;
    for (const AlterConfig& change : alters[item].changes) {
      entry.configs.push_back({change.name, static_cast<std::int8_t>(change.operation), change.value});
    }
  }
  return request;
}

/// The item of `answered` about `resource`; nullptr where it has none.
template <class Items>
const typename Items::value_type* find_resource(const Items& answered, const ConfigResource& resource) {
  for (const auto& item : answered) {
    if (static_cast<ConfigResourceType>(item.resource_type) == resource.type &&
        item.resource_name == resource.name)
      return &item;
  }
  return nullptr;
}

template <class Item>
Result<void> outcome_of(const Item* item, const ConfigResource& resource) {
  if (item == nullptr) return unanswered(resource.name);
  return outcome(item->error_code, item->error_message, resource.name);
}

constexpr auto kNoVerdict = [](const auto& /*body*/) { return ErrorCode::kNone; };

}  // namespace

Task<Result<std::vector<DescribeConfigsOutcome>>> Admin::describe_configs(
    std::vector<ConfigResource> resources, DescribeConfigsOptions options) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  std::vector<DescribeConfigsOutcome> outcomes;
  for (const ConfigResource& resource : resources) outcomes.push_back({resource, unanswered(resource.name)});
  for (const auto& [broker, items] : by_broker(resources)) {
    const auto answer = co_await ask<protocol::DescribeConfigsResponse>(
        cluster, target_of(broker, AnyBroker()), describe_request(resources, items, options), deadline, {},
        kNoVerdict);
    if (!answer && !broker) co_return std::unexpected(answer.error());
    for (const std::size_t item : items) {
      if (!answer) {
        outcomes[item].outcome = std::unexpected(answer.error());
        continue;
      }
      const auto* found = find_resource(answer->body.results, resources[item]);
      const Result<void> described = outcome_of(found, resources[item]);
      if (described) {
        outcomes[item].outcome = decode_entries(*found);
      } else {
        outcomes[item].outcome = std::unexpected(described.error());
      }
    }
  }
  co_return outcomes;
}

Task<Result<std::vector<AlterConfigsOutcome>>> Admin::alter_configs(std::vector<AlterConfigs> resources,
                                                                    bool validate_only) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  std::vector<AlterConfigsOutcome> outcomes;
  for (const AlterConfigs& alter : resources)
    outcomes.push_back({alter.resource, unanswered(alter.resource.name)});
  for (const auto& [broker, items] : by_broker(resources)) {
    const auto answer = co_await ask<protocol::IncrementalAlterConfigsResponse>(
        cluster, target_of(broker, Controller()), alter_request(resources, items, validate_only), deadline,
        {}, kNoVerdict);
    if (!answer && !broker) co_return std::unexpected(answer.error());
    for (const std::size_t item : items) {
      const ConfigResource& resource = resources[item].resource;
      outcomes[item].outcome = answer ? outcome_of(find_resource(answer->body.responses, resource), resource)
                                      : Result<void>(std::unexpected(answer.error()));
    }
  }
  co_return outcomes;
}

Task<Result<std::vector<ConfigResource>>> Admin::list_config_resources(
    std::vector<ConfigResourceType> types) {
  Cluster& cluster = client_.internals();
  protocol::ListConfigResourcesRequest request;
  VersionRange versions;
  for (const ConfigResourceType type : types) {
    request.resource_types.push_back(static_cast<std::int8_t>(type));
    versions.min = kListVersionWithTypes;
  }
  BROOK_CO_TRY(const auto answer, co_await ask<protocol::ListConfigResourcesResponse>(
                                      cluster, AnyBroker(), std::move(request), cluster.operation_deadline(),
                                      versions, [](const protocol::ListConfigResourcesResponse& body) {
                                        return static_cast<ErrorCode>(body.error_code);
                                      }));
  BROOK_CO_CHECK(outcome(answer.body.error_code, std::nullopt, "ListConfigResources"));
  std::vector<ConfigResource> resources;
  for (const auto& from : answer.body.config_resources) {
    resources.push_back({static_cast<ConfigResourceType>(from.resource_type), from.resource_name});
  }
  co_return resources;
}

}  // namespace brook::client

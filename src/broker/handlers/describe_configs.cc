// DescribeConfigs: versions 1 to 4. Topics, brokers (a broker's own settings are known to itself only), the
// brokers' common dynamic defaults (empty name), client metrics and groups; synonyms in the order in which
// they apply, types and texts from 3.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "broker/config_resources.h"
#include "broker/handlers/handlers.h"
#include "protocol/describe_configs.h"

namespace brook::broker {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;

class DescribeConfigsHandler final : public TypedHandler<DescribeConfigsRequest, DescribeConfigsResponse> {
 public:
  explicit DescribeConfigsHandler(ClusterView& view) : view_(view) {}

 private:
  Task<DescribeConfigsResponse> serve(const RequestContext& /*context*/,
                                      DescribeConfigsRequest request) override {
    DescribeConfigsResponse response;
    for (const auto& resource : request.resources) {
      auto& result = response.results.emplace_back();
      result.resource_type = resource.resource_type;
      result.resource_name = resource.resource_name;
      result.error_message.reset();
      const Result<std::vector<cluster::DescribedConfig>> described = describe(resource);
      if (!described) {
        result.error_code = wire(described.error().code);
        result.error_message = described.error().context;
        continue;
      }
      for (const cluster::DescribedConfig& config : *described) {
        const bool wanted =
            !resource.configuration_keys || resource.configuration_keys->empty() ||
            std::ranges::find(*resource.configuration_keys, config.key) != resource.configuration_keys->end();
        if (wanted) result.configs.push_back(shown(config, request));
      }
    }
    co_return response;
  }

  [[nodiscard]] std::uint64_t reply_bytes(const RequestContext& /*context*/,
                                          const DescribeConfigsRequest& request) const override {
    // A setting with its text and synonyms, described and encoded; a broker has some 330, others some 30.
    constexpr std::uint64_t kSetting = 1024;
    std::uint64_t settings = 0;
    for (const auto& resource : request.resources) {
      const bool broker =
          static_cast<ConfigResourceType>(resource.resource_type) == ConfigResourceType::kBroker;
      settings += broker ? 350 : 40;
    }
    return settings * kSetting;
  }

  [[nodiscard]] Result<std::vector<cluster::DescribedConfig>> describe(
      const DescribeConfigsRequest::DescribeConfigsResource& asked) const {
    if (static_cast<ConfigResourceType>(asked.resource_type) == ConfigResourceType::kBrokerLogger) {
      return std::vector<cluster::DescribedConfig>();
    }
    BROOK_TRY(const cluster::ConfigResource resource,
              to_config_resource(asked.resource_type, asked.resource_name));
    const cluster::ImagePtr image = view_.image();
    const cluster::ConfigLayers layers = view_.layers();
    switch (resource.entity) {
      case cluster::ConfigEntity::kTopic: {
        BROOK_CHECK(cluster::check_topic_name(resource.name));
        const cluster::TopicPtr topic = image->topics.find(resource.name);
        if (!topic)
          return fail(ErrorCode::kUnknownTopicOrPartition,
                      fmt::format("Topic {} does not exist", resource.name));
        return cluster::describe_topic_config(layers, topic->configs);
      }
      case cluster::ConfigEntity::kBroker: {
        if (resource.name.empty()) return cluster::describe_broker_default_config(image->config_of(resource));
        std::int32_t id = -1;
        const auto [end, wrong] =
            std::from_chars(resource.name.data(), resource.name.data() + resource.name.size(), id);
        if (wrong != std::errc() || end != resource.name.data() + resource.name.size()) {
          return fail(ErrorCode::kInvalidRequest,
                      fmt::format("Broker id must be an integer, but it is: {}", resource.name));
        }
        if (BrokerId(id) != view_.self()) {
          return fail(ErrorCode::kInvalidRequest,
                      fmt::format("Unexpected broker id, expected {} or empty string, but received {}",
                                  view_.self().value(), id));
        }
        return cluster::describe_broker_config(layers);
      }
      case cluster::ConfigEntity::kClientMetrics:
        if (resource.name.empty())
          return fail(ErrorCode::kInvalidRequest, "Client metrics subscription name must not be empty");
        return cluster::describe_client_metrics_config(image->config_of(resource));
      case cluster::ConfigEntity::kGroup:
        if (resource.name.empty()) return fail(ErrorCode::kInvalidRequest, "Group name must not be empty");
        return cluster::describe_group_config(layers, image->config_of(resource));
      default:
        return fail(ErrorCode::kInvalidRequest,
                    fmt::format("Unsupported config resource type {}", asked.resource_type));
    }
  }

  static DescribeConfigsResponse::DescribeConfigsResourceResult shown(const cluster::DescribedConfig& config,
                                                                      const DescribeConfigsRequest& request) {
    DescribeConfigsResponse::DescribeConfigsResourceResult out;
    out.name = config.key;
    out.value = config.value;
    out.read_only = config.read_only;
    out.config_source = static_cast<std::int8_t>(config.source);
    out.is_sensitive = config.sensitive;
    out.config_type = static_cast<std::int8_t>(config.type);
    out.documentation.reset();
    if (request.include_documentation) out.documentation = config.documentation;
    if (request.include_synonyms) {
      for (const cluster::ConfigSynonym& synonym : config.synonyms) {
        out.synonyms.push_back({synonym.key, synonym.value, static_cast<std::int8_t>(synonym.source)});
      }
    }
    return out;
  }

  ClusterView& view_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_configs_handler(ClusterView& view) {
  return std::make_unique<DescribeConfigsHandler>(view);
}

}  // namespace brook::broker

// ListConfigResources: version 0 lists client-metrics subscriptions only (then ListClientMetricsResources), 1
// the types asked for, all by default.
#include <algorithm>
#include <set>

#include "broker/config_resources.h"
#include "broker/handlers/handlers.h"
#include "protocol/list_config_resources.h"

namespace brook::broker {
namespace {

using protocol::ListConfigResourcesRequest;
using protocol::ListConfigResourcesResponse;

class ListConfigResourcesHandler final
    : public TypedHandler<ListConfigResourcesRequest, ListConfigResourcesResponse> {
 public:
  explicit ListConfigResourcesHandler(ClusterView& view) : view_(view) {}

 private:
  Task<ListConfigResourcesResponse> serve(const RequestContext& context,
                                          ListConfigResourcesRequest request) override {
    ListConfigResourcesResponse response;
    std::set<std::int8_t> types(request.resource_types.begin(), request.resource_types.end());
    if (context.version == 0) types = {static_cast<std::int8_t>(ConfigResourceType::kClientMetrics)};
    if (types.empty()) types = {2, 4, 8, 16, 32};
    const cluster::ImagePtr image = view_.image();
    for (const std::int8_t type : types) {
      switch (static_cast<ConfigResourceType>(type)) {
        case ConfigResourceType::kTopic:
          for (const cluster::TopicPtr& topic : image->topics.sorted())
            response.config_resources.push_back({topic->name, type});
          break;
        case ConfigResourceType::kBroker:
        case ConfigResourceType::kBrokerLogger:
          for (const auto& [id, broker] : image->brokers)
            response.config_resources.push_back({std::to_string(id.value()), type});
          break;
        case ConfigResourceType::kClientMetrics:
          add(*image, cluster::ConfigEntity::kClientMetrics, type, response);
          break;
        case ConfigResourceType::kGroup:
          add(*image, cluster::ConfigEntity::kGroup, type, response);
          break;
        default:
          response.config_resources.clear();
          response.error_code = wire(ErrorCode::kUnsupportedVersion);
          co_return response;
      }
    }
    co_return response;
  }

  static void add(const cluster::MetadataImage& image, cluster::ConfigEntity entity, std::int8_t type,
                  ListConfigResourcesResponse& response) {
    if (!image.configs) return;
    for (const auto& [resource, config] : *image.configs) {
      if (resource.entity == entity && !resource.name.empty())
        response.config_resources.push_back({resource.name, type});
    }
  }

  ClusterView& view_;
};

}  // namespace

std::unique_ptr<Handler> make_list_config_resources_handler(ClusterView& view) {
  return std::make_unique<ListConfigResourcesHandler>(view);
}

}  // namespace brook::broker

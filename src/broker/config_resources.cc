#include "broker/config_resources.h"

#include <fmt/core.h>

namespace brook::broker {

Result<cluster::ConfigResource> to_config_resource(std::int8_t type, std::string name) {
  switch (static_cast<ConfigResourceType>(type)) {
    case ConfigResourceType::kTopic:
      return cluster::ConfigResource{cluster::ConfigEntity::kTopic, std::move(name)};
    case ConfigResourceType::kBroker:
      return cluster::ConfigResource{cluster::ConfigEntity::kBroker, std::move(name)};
    case ConfigResourceType::kClientMetrics:
      return cluster::ConfigResource{cluster::ConfigEntity::kClientMetrics, std::move(name)};
    case ConfigResourceType::kGroup:
      return cluster::ConfigResource{cluster::ConfigEntity::kGroup, std::move(name)};
    case ConfigResourceType::kBrokerLogger:
      break;
  }
  return fail(ErrorCode::kInvalidRequest, fmt::format("Unsupported config resource type {}", type));
}

}  // namespace brook::broker

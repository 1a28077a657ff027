#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// ConfigResource.Type on the wire.
enum class ConfigResourceType : std::int8_t {
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32
};

/// The entity that a resource on the wire names. INVALID_REQUEST for types that have none.
[[nodiscard]] Result<cluster::ConfigResource> to_config_resource(std::int8_t type, std::string name);

}  // namespace brook::broker

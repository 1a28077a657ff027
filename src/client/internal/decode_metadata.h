#pragma once

#include "client/metadata.h"
#include "protocol/metadata.h"

namespace brook::client::internal {

[[nodiscard]] ClusterMetadata decode_metadata(const protocol::MetadataResponse& response);

}  // namespace brook::client::internal

#include "client/internal/api_versions.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/api.h"

namespace brook::client::internal {

VersionRange intersection(VersionRange a, VersionRange b) {
  return {std::max(a.min, b.min), std::min(a.max, b.max)};
}

VersionRange our_versions(protocol::ApiKey key) {
  const protocol::ApiInfo& api = protocol::api_info(key);
  // What Apache Kafka advertises is stable; beyond it a schema may still change.
  return {api.min_version, api.is_advertised() ? api.advertised_max : api.max_version};
}

ApiVersionTable::ApiVersionTable(const protocol::ApiVersionsResponse& response) {
  for (const auto& api : response.api_keys) ranges_[api.api_key] = {api.min_version, api.max_version};
}

Result<std::int16_t> ApiVersionTable::common(protocol::ApiKey key, VersionRange wanted) const {
  const auto theirs = ranges_.find(static_cast<std::int16_t>(key));
  if (theirs == ranges_.end()) {
    return fail(ErrorCode::kUnsupportedVersion,
                fmt::format("the broker does not know {}", protocol::api_name(key)));
  }
  const VersionRange ours = intersection(our_versions(key), wanted);
  const VersionRange both = intersection(ours, theirs->second);
  if (!both.empty()) return both.max;
  return fail(
      ErrorCode::kUnsupportedVersion,
      fmt::format("the broker speaks {} in versions {} to {}, and {} to {} are needed",
                  protocol::api_name(key), theirs->second.min, theirs->second.max, ours.min, ours.max));
}

}  // namespace brook::client::internal

#pragma once

#include <cstdint>
#include <map>

#include "base/result.h"
#include "protocol/api_key.h"
#include "protocol/api_versions.h"

namespace brook::client::internal {

/// Versions of one API, both ends included.
struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = 32767;

  [[nodiscard]] bool empty() const { return min > max; }
};
[[nodiscard]] VersionRange intersection(VersionRange a, VersionRange b);

/// The versions of an API that we speak: those that have a schema and are stable.
[[nodiscard]] VersionRange our_versions(protocol::ApiKey key);

/// What a broker answered to ApiVersions.
class ApiVersionTable {
 public:
  ApiVersionTable() = default;
  explicit ApiVersionTable(const protocol::ApiVersionsResponse& response);

  /// The highest version that the broker, we and `wanted` have in common. UNSUPPORTED_VERSION says what each
  /// has.
  [[nodiscard]] Result<std::int16_t> common(protocol::ApiKey key, VersionRange wanted = {}) const;

 private:
  std::map<std::int16_t, VersionRange> ranges_;
};

}  // namespace brook::client::internal

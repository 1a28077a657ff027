#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/api_versions.h"
#include "saturate/connection.h"

namespace brook::saturate {

/// What a broker offers: the versions of its APIs, and its features.
class Offered {
 public:
  /// Asks it.
  explicit Offered(Connection& connection);

  /// The newest version that the broker and this program know; without one the program ends.
  template <class Request>
  [[nodiscard]] std::int16_t newest() const {
    return newest(Request::kApiKey, Request::kMinVersion, Request::kMaxVersion);
  }
  /// The level that the cluster has agreed on; 0 where it has none.
  [[nodiscard]] std::int16_t feature_level(std::string_view feature) const;

 private:
  [[nodiscard]] std::int16_t newest(std::int16_t api, std::int16_t least, std::int16_t most) const;

  protocol::ApiVersionsResponse versions_;
};

}  // namespace brook::saturate

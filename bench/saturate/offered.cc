#include "saturate/offered.h"

#include <fmt/core.h>

#include <algorithm>

#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int16_t kVersion = 3;

}  // namespace

Offered::Offered(Connection& connection) {
  protocol::ApiVersionsRequest request;
  request.client_software_name = "bench";
  request.client_software_version = "1";
  connection.send_all(encode(request, kVersion).bytes());
  versions_ = decode<protocol::ApiVersionsResponse>(connection.receive_frame(), kVersion);
  if (versions_.error_code != 0) stop(fmt::format("ApiVersions: error {}", versions_.error_code));
}

std::int16_t Offered::newest(std::int16_t api, std::int16_t least, std::int16_t most) const {
  for (const auto& offered : versions_.api_keys) {
    if (offered.api_key != api) continue;
    const std::int16_t newest = std::min(most, offered.max_version);
    if (newest >= least && newest >= offered.min_version) return newest;
  }
  stop(fmt::format("the broker offers no version of API {} from {} to {}", api, least, most));
}

std::int16_t Offered::feature_level(std::string_view feature) const {
  for (const auto& finalized : versions_.finalized_features) {
    if (finalized.name == feature) return finalized.max_version_level;
  }
  return 0;
}

}  // namespace brook::saturate

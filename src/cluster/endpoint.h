#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace brook::cluster {

/// One listener of a broker: what it is called, how it speaks, where it is.
struct Endpoint {
  std::string listener;  ///< upper case, such as PLAINTEXT or INTERNAL
  std::string host;      ///< empty in `listeners` means every interface
  std::uint16_t port = 0;
  std::string security_protocol = "PLAINTEXT";  ///< PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Reads "LISTENER://host:port", with [host] for IPv6; security_protocol is left at the listener's name.
/// INVALID_CONFIG.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
/// The inverse.
[[nodiscard]] std::string endpoint_text(const Endpoint& endpoint);

}  // namespace brook::cluster

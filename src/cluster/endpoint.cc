#include "cluster/endpoint.h"

#include <fmt/format.h>

#include <charconv>

namespace brook::cluster {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("\"{}\" is no listener: NAME://host:port is expected", text));
  };
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return bad();
  Endpoint endpoint;
  for (const char c : text.substr(0, scheme)) {
    const bool lower = c >= 'a' && c <= 'z';
    if (!lower && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
      return bad();
    endpoint.listener += static_cast<char>(lower ? c - 'a' + 'A' : c);
  }
  endpoint.security_protocol = endpoint.listener;
  const std::string_view place = text.substr(scheme + 3);
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = place.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  endpoint.host = host;
  const std::string_view port = place.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || port.empty() || end != port.data() + port.size()) return bad();
  return endpoint;
}

std::string endpoint_text(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", endpoint.listener, v6 ? "[" : "", endpoint.host, v6 ? "]" : "",
                     endpoint.port);
}

}  // namespace brook::cluster

#include "client/options.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace brook::client {
namespace {

constexpr std::uint16_t kDefaultPort = 9092;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::unexpected<Error> unreadable(std::string_view server) {
  return fail(
      ErrorCode::kInvalidConfig,
      fmt::format("'{}' is no server: host:port or [IPv6]:port is wanted, a port from 1 to 65535", server));
}

Result<runtime::Address> parse_server(std::string_view server) {
  std::string_view host = server;
  std::string_view port;
  bool has_port = false;
  if (server.starts_with('[')) {
    const auto end = server.find(']');
    if (end == std::string_view::npos) return unreadable(server);
    host = server.substr(1, end - 1);
    const std::string_view rest = server.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!has_port && !rest.empty()) return unreadable(server);
    if (has_port) port = rest.substr(1);
  } else if (const auto colon = server.find(':'); colon != std::string_view::npos) {
    host = server.substr(0, colon);
    port = server.substr(colon + 1);
    has_port = true;
  }
  if (host.empty()) return unreadable(server);
  runtime::Address address{std::string(host), kDefaultPort};
  if (!has_port) return address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port == 0)
    return unreadable(server);
  return address;
}

}  // namespace

Result<std::vector<runtime::Address>> parse_bootstrap(std::string_view servers) {
  std::vector<runtime::Address> addresses;
  while (!servers.empty()) {
    const auto comma = servers.find(',');
    const std::string_view server = trimmed(servers.substr(0, comma));
    servers.remove_prefix(comma == std::string_view::npos ? servers.size() : comma + 1);
    if (server.empty()) continue;
    BROOK_TRY(runtime::Address address, parse_server(server));
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) return fail(ErrorCode::kInvalidConfig, "no bootstrap server is given");
  return addresses;
}

}  // namespace brook::client

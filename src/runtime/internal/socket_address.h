#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network.h"

namespace brook::runtime::internal {

/// An address as the socket calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* raw();
  [[nodiscard]] const sockaddr* raw() const;
  [[nodiscard]] int family() const { return storage.ss_family; }
  /// Numeric; an IPv4 address that came over an IPv6 socket is shown as IPv4.
  [[nodiscard]] Address text() const;
};

/// The socket's own address; "" and 0 where it has none.
[[nodiscard]] Address local_address(int fd);

enum class Resolve { kNumericOnly, kMayBlock };
/// Nothing where the host is a name and `how` forbids to look it up. An empty host is every interface.
[[nodiscard]] Result<std::optional<std::vector<SocketAddress>>> resolve(const Address& address, Resolve how);

}  // namespace brook::runtime::internal

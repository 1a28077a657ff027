#include "runtime/internal/socket_address.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "runtime/internal/errno_error.h"

namespace brook::runtime::internal {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

SocketAddress copy_of(const addrinfo& info) {
  SocketAddress address;
  address.size = info.ai_addrlen;
  copy_bytes(std::as_writable_bytes(std::span(&address.storage, 1)),
             {static_cast<const std::byte*>(static_cast<const void*>(info.ai_addr)), info.ai_addrlen});
  return address;
}

}  // namespace

sockaddr* SocketAddress::raw() { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
const sockaddr* SocketAddress::raw() const {
  return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
}

Address SocketAddress::text() const {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(raw(), size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  constexpr std::string_view kMapped = "::ffff:";
  std::string name = host.data();
  if (name.starts_with(kMapped) && name.find('.') != std::string::npos) name.erase(0, kMapped.size());
  return {std::move(name), static_cast<std::uint16_t>(std::stoul(port.data()))};
}

Address local_address(int fd) {
  SocketAddress own;
  if (::getsockname(fd, own.raw(), &own.size) != 0) return {};
  return own.text();
}

Result<std::optional<std::vector<SocketAddress>>> resolve(const Address& address, Resolve how) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (address.host.empty() ? AI_PASSIVE : 0) |
                   (how == Resolve::kNumericOnly && !address.host.empty() ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int outcome = ::getaddrinfo(host, std::to_string(address.port).c_str(), &hints, &found);
  const AddressList list(found, &::freeaddrinfo);
  if (outcome == EAI_NONAME && how == Resolve::kNumericOnly)
    return std::optional<std::vector<SocketAddress>>();
  if (outcome != 0) {
    const std::string why = outcome == EAI_SYSTEM ? errno_text(errno) : ::gai_strerror(outcome);
    return fail(ErrorCode::kNetworkException, fmt::format("cannot resolve {}: {}", address.host, why));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = list.get(); info != nullptr; info = info->ai_next)
    addresses.push_back(copy_of(*info));
  return std::optional(std::move(addresses));
}

}  // namespace brook::runtime::internal

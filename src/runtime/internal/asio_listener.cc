#include "runtime/internal/asio_listener.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "base/log.h"
#include "runtime/internal/errno_error.h"
#include "runtime/internal/pending_socket.h"
#include "runtime/internal/process_lookup.h"
#include "runtime/internal/socket_address.h"

namespace brook::runtime::internal {
namespace {

/// Rest after EMFILE and its like: the connection stays in the kernel's queue and would be reported again at
/// once.
constexpr auto kExhaustedRest = std::chrono::milliseconds(100);
constexpr auto kExhaustedLogPeriod = std::chrono::seconds(10);

bool is_exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// Before listen(): the window that a connection may announce is settled when it opens.
void set_buffers(int fd, const ListenOptions& options) {
  const auto set = [&](int name, std::optional<std::int32_t> bytes) {
    if (bytes) (void)::setsockopt(fd, SOL_SOCKET, name, &*bytes, sizeof *bytes);
  };
  set(SO_RCVBUF, options.receive_buffer_bytes);
  set(SO_SNDBUF, options.send_buffer_bytes);
}

Result<OwnedFd> bind_and_listen(const SocketAddress& at, const Address& asked, const ListenOptions& options) {
  const std::string what = fmt::format("listen on {}", to_text(asked));
  OwnedFd fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return network_error(what, errno);
  const int on = 1;
  const int off = 0;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // An empty host means every interface, of both families.
  if (at.family() == AF_INET6 && asked.host.empty()) {
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  set_buffers(fd.get(), options);
  const int backlog = options.backlog.value_or(SOMAXCONN);
  if (::bind(fd.get(), at.raw(), at.size) == 0 && ::listen(fd.get(), backlog) == 0) return fd;
  const int error = errno;
  const std::string holder = error == EADDRINUSE ? process_listening_on(asked.port) : std::string();
  if (holder.empty()) return network_error(what, error);
  return fail(ErrorCode::kNetworkException, fmt::format("cannot {}: {}: port {} is taken by {}", what,
                                                        errno_text(error), asked.port, holder));
}

}  // namespace

Result<std::unique_ptr<Listener>> AsioListener::open(boost::asio::io_context& loop, Clock& clock,
                                                     const Address& at, const ListenOptions& options) {
  BROOK_TRY(const std::optional<std::vector<SocketAddress>> resolved, resolve(at, Resolve::kMayBlock));
  std::vector<SocketAddress> addresses = resolved.value_or(std::vector<SocketAddress>());
  if (at.host.empty()) {
    std::ranges::partition(addresses, [](const auto& a) { return a.family() == AF_INET6; });
  }
  Result<OwnedFd> fd =
      fail(ErrorCode::kNetworkException, fmt::format("cannot listen on {}: no address", to_text(at)));
  for (const SocketAddress& address : addresses) {
    fd = bind_and_listen(address, at, options);
    if (fd) break;
  }
  if (!fd) return std::unexpected(std::move(fd).error());
  Address local = local_address(fd->get());
  return std::make_unique<AsioListener>(loop, clock, *std::move(fd), std::move(local));
}

AsioListener::AsioListener(boost::asio::io_context& loop, Clock& clock, OwnedFd fd, Address local)
    : socket_(std::make_shared<Descriptor>(loop, std::move(fd))),
      clock_(clock),
      local_(std::move(local)),
      closed_(clock) {}

Task<Result<std::unique_ptr<PendingStream>>> AsioListener::accept() {
  const std::shared_ptr<Descriptor> socket = socket_;
  while (socket->is_open()) {
    SocketAddress peer;
    OwnedFd fd(::accept4(socket->fd(), peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      Address own = local_address(fd.get());
      co_return std::make_unique<PendingSocket>(std::move(fd), std::move(own), peer.text());
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      (void)co_await socket->readable();
    } else if (is_exhausted(error)) {
      log_exhausted(error);
      (void)co_await closed_.wait_until(clock_.now() + kExhaustedRest);
    } else if (error == EBADF || error == EINVAL || error == ENOTSOCK) {
      co_return network_error("accept a connection", error);
    }
    // All else (ECONNABORTED, EPROTO, EPERM of a firewall, …) concerns one connection that is gone: take the
    // next.
  }
  co_return fail(ErrorCode::kNetworkException, "cannot accept a connection: the listener was closed");
}

void AsioListener::close() {
  socket_->close();
  closed_.notify_all();
}

void AsioListener::log_exhausted(int error) {
  const Instant now = clock_.now();
  if (now < next_log_) return;
  next_log_ = now + kExhaustedLogPeriod;
  log::warn("accept_failed", {{"listener", to_text(local_)}, {"error", errno_text(error)}});
}

}  // namespace brook::runtime::internal

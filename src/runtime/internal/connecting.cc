#include "runtime/internal/connecting.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "runtime/internal/asio_stream.h"
#include "runtime/internal/descriptor.h"
#include "runtime/internal/errno_error.h"
#include "runtime/internal/socket_address.h"
#include "runtime/internal/socket_options.h"

namespace brook::runtime::internal {
namespace {

/// Connects one socket; 0 or errno.
Task<int> finish_connect(std::shared_ptr<Descriptor> socket, SocketAddress to, Clock& clock,
                         Instant deadline) {
  if (!socket->is_open()) co_return EMFILE;
  if (::connect(socket->fd(), to.raw(), to.size) == 0) co_return 0;
  if (errno != EINPROGRESS && errno != EINTR) co_return errno;
  const std::unique_ptr<Timer> timer = clock.call_at(deadline, [socket] { socket->close(); });
  const bool open = co_await socket->writable();
  if (!open) co_return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) co_return errno;
  co_return error;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_stream(boost::asio::io_context& loop, FilePool& pool,
                                                     Clock& clock, Address to, Instant deadline) {
  BROOK_CO_TRY(std::optional<std::vector<SocketAddress>> addresses, resolve(to, Resolve::kNumericOnly));
  if (!addresses) {
    auto look_up = [to] { return resolve(to, Resolve::kMayBlock); };
    BROOK_CO_TRY(addresses, co_await pool.run(std::move(look_up)));
  }
  int error = EADDRNOTAVAIL;
  for (const SocketAddress& address : *addresses) {
    OwnedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      error = errno;
      continue;
    }
    auto socket = std::make_shared<Descriptor>(loop, std::move(fd));
    error = co_await finish_connect(socket, address, clock, deadline);
    if (error == 0) {
      Address local = local_address(socket->fd());
      Address peer = address.text();
      tune(socket->fd(), local, peer);
      co_return std::make_unique<AsioStream>(std::move(socket), std::move(local), std::move(peer));
    }
    if (error == ETIMEDOUT) break;
  }
  co_return network_error(fmt::format("connect to {}", to_text(to)), error);
}

}  // namespace brook::runtime::internal

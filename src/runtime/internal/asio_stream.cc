#include "runtime/internal/asio_stream.h"

#include <fmt/core.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/aligned_buffer.h"
#include "runtime/internal/errno_error.h"
#include "runtime/internal/pending_socket.h"
#include "runtime/internal/socket_address.h"
#include "runtime/internal/socket_options.h"

namespace brook::runtime::internal {
namespace {

/// Below this a copy costs less than sendfile() does.
constexpr std::uint64_t kSendfileMin = 64UL * 1024;
/// How much of a file is looked at, brought into the page cache and sent at a time.
constexpr std::uint64_t kSendPiece = 1024UL * 1024;
constexpr std::size_t kPartsPerCall = 256;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::unexpected<Error> closed(std::string_view action, const Address& peer) {
  return fail(ErrorCode::kNetworkException,
              fmt::format("cannot {} {}: the connection was closed here", action, to_text(peer)));
}

std::unexpected<Error> failed(std::string_view action, const Address& peer, int error) {
  return network_error(fmt::format("{} {}", action, to_text(peer)), error);
}

/// What is still to be written of some parts.
struct Unwritten {
  std::span<const ByteView> parts;
  std::size_t skip = 0;  ///< bytes of parts.front() that are gone

  void advance(std::size_t bytes) {
    skip += bytes;
    while (!parts.empty() && skip >= parts.front().size()) {
      skip -= parts.front().size();
      parts = parts.subspan(1);
    }
  }
};

/// One sendmsg() of as many parts as it takes; bytes written, or -1 and errno. No SIGPIPE.
ssize_t send_parts(int fd, const Unwritten& rest, int flags) {
  std::array<iovec, kPartsPerCall> vectors;
  const std::size_t count = std::min(rest.parts.size(), vectors.size());
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView part = i == 0 ? rest.parts[i].subspan(rest.skip) : rest.parts[i];
    vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  const bool more = rest.parts.size() > count;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | flags | (more ? MSG_MORE : 0));
}

}  // namespace

std::unique_ptr<Stream> AsioStream::adopt(boost::asio::io_context& loop,
                                          std::unique_ptr<PendingStream> pending) {
  auto& socket = static_cast<PendingSocket&>(*pending);
  tune(socket.fd.get(), socket.local, socket.peer());
  auto descriptor = std::make_shared<Descriptor>(loop, std::move(socket.fd));
  return std::make_unique<AsioStream>(std::move(descriptor), std::move(socket.local), socket.peer());
}

AsioStream::AsioStream(std::shared_ptr<Descriptor> socket, Address local, Address peer)
    : socket_(std::move(socket)), local_(std::move(local)), peer_(std::move(peer)) {}

void AsioStream::when_readable(std::coroutine_handle<> waiter, bool& open) {
  socket_->when_readable(waiter, open);
}

Result<std::optional<std::size_t>> AsioStream::read_now(MutableBytes to) {
  while (socket_->is_open()) {
    const ssize_t got = ::recv(socket_->fd(), to.data(), to.size(), MSG_DONTWAIT);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (would_block(errno)) return std::nullopt;
    if (errno != EINTR) return failed("read from", peer_, errno);
  }
  return closed("read from", peer_);
}

Result<std::size_t> AsioStream::write_now(std::span<const ByteView> parts) {
  Unwritten rest{parts};
  rest.advance(0);
  while (socket_->is_open()) {
    if (rest.parts.empty()) return std::size_t{0};
    const ssize_t sent = send_parts(socket_->fd(), rest, 0);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (would_block(errno)) return std::size_t{0};
    if (errno != EINTR) return failed("write to", peer_, errno);
  }
  return closed("write to", peer_);
}

Task<Result<std::size_t>> AsioStream::read_some(MutableBytes to) {
  const std::shared_ptr<Descriptor> socket = socket_;
  const Address peer = peer_;
  while (socket->is_open()) {
    const ssize_t got = ::recv(socket->fd(), to.data(), to.size(), MSG_DONTWAIT);
    if (got >= 0) co_return static_cast<std::size_t>(got);
    if (would_block(errno)) {
      (void)co_await socket->readable();
    } else if (errno != EINTR) {
      co_return failed("read from", peer, errno);
    }
  }
  co_return closed("read from", peer);
}

Task<Result<void>> AsioStream::write_ahead(std::span<const ByteView> parts) {
  return write_all(parts, MSG_MORE);
}

Task<Result<void>> AsioStream::write_all(std::span<const ByteView> parts, int flags) {
  const std::shared_ptr<Descriptor> socket = socket_;
  const Address peer = peer_;
  Unwritten rest{parts};
  rest.advance(0);
  while (socket->is_open()) {
    if (rest.parts.empty()) co_return Result<void>();
    const ssize_t sent = send_parts(socket->fd(), rest, flags);
    if (sent >= 0) {
      rest.advance(static_cast<std::size_t>(sent));
    } else if (would_block(errno)) {
      (void)co_await socket->writable();
    } else if (errno != EINTR) {
      co_return failed("write to", peer, errno);
    }
  }
  co_return closed("write to", peer);
}

Task<Result<void>> AsioStream::send_file(File& file, std::uint64_t offset, std::uint64_t size) {
  // Another implementation of File (a fake, one that injects faults) is read, not bypassed.
  auto* posix = size < kSendfileMin ? nullptr : dynamic_cast<PosixFile*>(&file);
  if (posix != nullptr) return send_resident(*posix, offset, size);
  return send_copied(file, offset, size);
}

Task<Result<void>> AsioStream::send_copied(File& file, std::uint64_t offset, std::uint64_t size) {
  const std::shared_ptr<Descriptor> socket = socket_;
  const AlignedBuffer buffer(std::min(size, kSendfileMin));
  while (size > 0) {
    const MutableBytes room = buffer.bytes().first(std::min<std::size_t>(size, buffer.size()));
    BROOK_CO_TRY(const std::size_t got, co_await file.read_at(offset, room));
    if (got < room.size()) {
      co_return fail(ErrorCode::kKafkaStorageError,
                     fmt::format("cannot send {} at {}: the file ends there", file.path(), offset + got));
    }
    if (!socket->is_open())
      co_return fail(ErrorCode::kNetworkException, "cannot send a file: the connection was closed here");
    const ByteView part = room;
    BROOK_CO_CHECK(co_await write({&part, 1}));
    offset += got;
    size -= got;
  }
  co_return Result<void>();
}

Task<Result<void>> AsioStream::send_resident(PosixFile& file, std::uint64_t offset, std::uint64_t size) {
  const std::shared_ptr<Descriptor> socket = socket_;
  const Address peer = peer_;
  while (size > 0) {
    const std::uint64_t piece = std::min(size, kSendPiece);
    BROOK_CO_CHECK(co_await file.make_resident(offset, piece));
    auto position = static_cast<off_t>(offset);
    const auto end = static_cast<off_t>(offset + piece);
    while (position < end) {
      if (!socket->is_open()) co_return closed("send a file to", peer);
      const ssize_t sent =
          ::sendfile(socket->fd(), file.fd(), &position, static_cast<std::size_t>(end - position));
      if (sent > 0) continue;
      if (sent == 0) {
        co_return fail(ErrorCode::kKafkaStorageError,
                       fmt::format("cannot send {} at {}: the file ends there", file.path(), position));
      }
      if (would_block(errno)) {
        (void)co_await socket->writable();
      } else if (errno != EINTR) {
        co_return failed("send a file to", peer, errno);
      }
    }
    offset += piece;
    size -= piece;
  }
  co_return Result<void>();
}

}  // namespace brook::runtime::internal

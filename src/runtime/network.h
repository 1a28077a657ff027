#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/task.h"

namespace brook::runtime {

struct Address {
  std::string host;  ///< numeric, or a name that connect() and listen() resolve
  std::uint16_t port = 0;
};

/// host:port, or [host]:port of IPv6.
[[nodiscard]] std::string to_text(const Address& address);

/// What a listener asks of the kernel; its connections inherit the buffers. Nothing: the system's choice.
struct ListenOptions {
  std::optional<std::int32_t> backlog{};               ///< connections that may wait to be accepted
  std::optional<std::int32_t> receive_buffer_bytes{};  ///< SO_RCVBUF: the kernel then stops to tune it
  std::optional<std::int32_t> send_buffer_bytes{};     ///< SO_SNDBUF, the same
};

/// One TCP connection. At most one read and one write at a time. Errors carry NETWORK_EXCEPTION. Runs on: one
/// shard.
class Stream {
 public:
  virtual ~Stream() = default;
  [[nodiscard]] virtual const Address& local() const = 0;
  [[nodiscard]] virtual const Address& peer() const = 0;
  /// An awaiter and no Task: ten thousand idle connections stand here.
  struct Readable {
    Stream& stream;
    bool open = false;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { stream.when_readable(waiter, open); }
    [[nodiscard]] bool await_resume() const noexcept { return open; }
  };
  /// To be awaited: until a read would not wait, so that an idle connection holds no buffer. False where the
  /// stream was closed or destroyed meanwhile.
  [[nodiscard]] Readable wait_readable() { return {*this}; }
  /// What is there, without waiting: 0 at the end of the stream, nothing where a read would wait.
  [[nodiscard]] virtual Result<std::optional<std::size_t>> read_now(MutableBytes to) = 0;
  /// What is there, at least one byte; 0 at the end of the stream.
  [[nodiscard]] virtual Task<Result<std::size_t>> read_some(MutableBytes to) = 0;
  /// As many of the first bytes of `parts` as go without waiting.
  [[nodiscard]] virtual Result<std::size_t> write_now(std::span<const ByteView> parts) = 0;
  /// All of `parts`, which stay alive until then.
  [[nodiscard]] virtual Task<Result<void>> write(std::span<const ByteView> parts) = 0;
  /// The same where more is written at once: the peer need not be woken for these alone.
  [[nodiscard]] virtual Task<Result<void>> write_ahead(std::span<const ByteView> parts) = 0;
  /// `size` bytes of `file` from `offset`, from page cache to socket where the platform can. An error where
  /// the file ends early.
  [[nodiscard]] virtual Task<Result<void>> send_file(File& file, std::uint64_t offset,
                                                     std::uint64_t size) = 0;
  /// Pending and later operations end with an error.
  virtual void close() = 0;

 protected:
  /// Sets `open` and resumes `waiter` in a later turn, once a read would not wait or the stream is gone.
  virtual void when_readable(std::coroutine_handle<> waiter, bool& open) = 0;
};

/// A connection that no shard owns yet; hand it to Shard::adopt on the shard that shall own it. Any thread.
class PendingStream {
 public:
  virtual ~PendingStream() = default;
  [[nodiscard]] virtual const Address& peer() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual const Address& local() const = 0;
  [[nodiscard]] virtual Task<Result<std::unique_ptr<PendingStream>>> accept() = 0;
  virtual void close() = 0;
};

}  // namespace brook::runtime

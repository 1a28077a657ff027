#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <coroutine>

#include "runtime/internal/owned_fd.h"

namespace brook::runtime::internal {

/// A non-blocking socket that waits in one loop's reactor; its owner does the system calls. Always owned by a
/// shared_ptr, of which every waiting operation holds one, so that the socket's owner may be destroyed while
/// it waits: the wait then ends with false and the operation touches nothing else. Runs on: the loop's shard.
class Descriptor {
 public:
  using Ready = boost::asio::posix::stream_descriptor::wait_type;

  Descriptor(boost::asio::io_context& loop, OwnedFd fd) : socket_(loop) {
    boost::system::error_code error;
    const int raw = fd.release();
    socket_.assign(raw, error);
    if (error) (void)OwnedFd(raw);  // Closed. Out of epoll watches: every operation will tell.
  }

  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  [[nodiscard]] int fd() { return socket_.native_handle(); }
  /// Pending waits end with false in a later turn.
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  struct Wait {
    Descriptor& descriptor;
    Ready what;
    [[nodiscard]] bool await_ready() const noexcept { return !descriptor.is_open(); }
    void await_suspend(std::coroutine_handle<> awaiter) const {
      descriptor.socket_.async_wait(what, [awaiter](const boost::system::error_code&) { awaiter.resume(); });
    }
    /// False where the descriptor was closed.
    [[nodiscard]] bool await_resume() const { return descriptor.is_open(); }
  };
  /// The same without a coroutine that holds the descriptor: it may die meanwhile.
  void when_readable(std::coroutine_handle<> waiter, bool& open) {
    socket_.async_wait(Ready::wait_read, [waiter, &open](const boost::system::error_code& error) {
      open = !error;
      waiter.resume();
    });
  }
  [[nodiscard]] Wait readable() { return {*this, Ready::wait_read}; }
  [[nodiscard]] Wait writable() { return {*this, Ready::wait_write}; }

 private:
  boost::asio::posix::stream_descriptor socket_;
};

}  // namespace brook::runtime::internal

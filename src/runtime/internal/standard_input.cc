#include "runtime/internal/standard_input.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/internal/descriptor.h"
#include "runtime/internal/errno_error.h"
#include "runtime/internal/owned_fd.h"

namespace brook::runtime::internal {
namespace {

/// An epoll descriptor that is readable when standard input is; none where that is a file, which always is.
/// The loop waits for it in standard input's place, because asio makes what it waits for non-blocking: of a
/// terminal that would be every process's on it, and our own standard output's.
OwnedFd make_watch() {
  OwnedFd watch(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{.events = EPOLLIN, .data = {}};
  if (watch && ::epoll_ctl(watch.get(), EPOLL_CTL_ADD, STDIN_FILENO, &wanted) == 0) return watch;
  return {};
}

class StandardInput final : public InputStream {
 public:
  explicit StandardInput(boost::asio::io_context& loop) {
    OwnedFd watch = make_watch();
    if (watch) watch_ = std::make_shared<Descriptor>(loop, std::move(watch));
  }
  ~StandardInput() override { close(); }

  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes to) override {
    const std::shared_ptr<Descriptor> watch = watch_;
    while (!closed_) {
      if (watch) {
        const bool is_open = co_await watch->readable();
        if (!is_open) co_return std::size_t{0};
      }
      const ssize_t got = ::read(STDIN_FILENO, to.data(), to.size());
      if (got >= 0) co_return static_cast<std::size_t>(got);
      if (errno != EINTR && errno != EAGAIN) co_return storage_error("read standard input", errno);
    }
    co_return std::size_t{0};
  }
  void close() override {
    closed_ = true;
    if (watch_) watch_->close();
  }

 private:
  std::shared_ptr<Descriptor> watch_;  // none where standard input never keeps one waiting
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<InputStream> open_standard_input(boost::asio::io_context& loop) {
  return std::make_unique<StandardInput>(loop);
}

}  // namespace brook::runtime::internal

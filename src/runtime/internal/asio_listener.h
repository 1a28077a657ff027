#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

#include "runtime/clock.h"
#include "runtime/internal/descriptor.h"
#include "runtime/network.h"
#include "runtime/signal.h"

namespace brook::runtime::internal {

/// A listening socket. Where the process is out of descriptors or memory, accept() rests for a moment and
/// tries again, and says so in the log once per period. It outlives its pending accept(): close it, then wait
/// for that to end.
class AsioListener final : public Listener {
 public:
  /// May block on name look-up: at start-up.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(boost::asio::io_context& loop, Clock& clock,
                                                              const Address& at,
                                                              const ListenOptions& options);
  AsioListener(boost::asio::io_context& loop, Clock& clock, OwnedFd fd, Address local);
  ~AsioListener() override { close(); }

  [[nodiscard]] const Address& local() const override { return local_; }
  [[nodiscard]] Task<Result<std::unique_ptr<PendingStream>>> accept() override;
  void close() override;

 private:
  void log_exhausted(int error);

  std::shared_ptr<Descriptor> socket_;
  Clock& clock_;
  Address local_;
  Signal closed_;
  Instant next_log_ = Instant::min();
};

}  // namespace brook::runtime::internal

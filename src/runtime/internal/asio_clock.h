#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>

#include "runtime/clock.h"

namespace brook::runtime::internal {

/// The clock of one event loop: an ordered map of pending calls over a single asio timer, armed for the
/// earliest. Calls that are due at once skip the timer and go through the loop's queue. Equal instants fire
/// in the order in which they were asked for; a call that is made while others fire waits for the next turn.
/// Outlives its timers.
class AsioClock final : public Clock {
 public:
  explicit AsioClock(boost::asio::io_context& loop) : loop_(loop), alarm_(loop) {}

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] Timestamp wall_now() const override;
  [[nodiscard]] std::unique_ptr<Timer> call_at(Instant when, std::move_only_function<void()> call) override;
  [[nodiscard]] Task<void> sleep_until(Instant when) override;

 private:
  class PendingCall;
  using Calls = std::multimap<Instant, PendingCall*>;

  void arm();
  void post_due();
  /// Fires what `due_` held when it was called, not what is added meanwhile.
  void fire_due();

  boost::asio::io_context& loop_;
  boost::asio::steady_timer alarm_;
  Instant armed_for_ = Instant::max();
  Calls waiting_;
  Calls due_;     ///< for the next turn
  Calls firing_;  ///< the present turn's rest
  bool due_posted_ = false;
};

}  // namespace brook::runtime::internal

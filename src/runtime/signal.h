#pragma once

#include <list>
#include <memory>

#include "runtime/clock.h"

namespace brook::runtime {

/// A condition that coroutines of one shard wait for. notify_all() wakes every present waiter in the next
/// turn of the loop (never inside the call); a woken waiter checks its condition again. Destroying it wakes
/// all with false. Runs on: one shard.
class Signal {
 public:
  explicit Signal(Clock& clock) : clock_(clock) {}
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void notify_all();
  /// True where notified, false where the deadline passed first.
  [[nodiscard]] Task<bool> wait_until(Instant deadline);
  [[nodiscard]] bool has_waiters() const { return !waiters_.empty(); }

 private:
  struct Waiter;
  Clock& clock_;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace brook::runtime

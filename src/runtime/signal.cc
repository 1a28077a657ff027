#include "runtime/signal.h"

#include <coroutine>
#include <utility>

namespace brook::runtime {

/// One suspended wait_until(). Shared by its coroutine, the signal's list and the timer that will resume it;
/// `timer` is the deadline first and the wake-up then, so that a waiter is resumed exactly once.
struct Signal::Waiter {
  std::coroutine_handle<> awaiter;
  bool notified = false;
  std::unique_ptr<Timer> timer;

  static void wake_next_turn(const std::shared_ptr<Waiter>& waiter, Clock& clock, bool notified) {
    waiter->notified = notified;
    waiter->timer = clock.call_at(Instant::min(), [waiter] { waiter->awaiter.resume(); });
  }
};

Signal::~Signal() {
  for (const auto& waiter : waiters_) Waiter::wake_next_turn(waiter, clock_, false);
}

void Signal::notify_all() {
  for (const auto& waiter : waiters_) Waiter::wake_next_turn(waiter, clock_, true);
  waiters_.clear();
}

Task<bool> Signal::wait_until(Instant deadline) {
  struct Woken {
    Signal& signal;
    Instant deadline;
    std::shared_ptr<Waiter> waiter = std::make_shared<Waiter>();

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) {
      waiter->awaiter = awaiter;
      const auto place = signal.waiters_.insert(signal.waiters_.end(), waiter);
      if (deadline == Instant::max()) return;
      // The timer dies with the waiter or is replaced when the signal wakes it, so `owner` and `place` are
      // valid when it fires.
      waiter->timer = signal.clock_.call_at(deadline, [owner = &signal, place] {
        const std::shared_ptr<Waiter> self = *place;
        owner->waiters_.erase(place);
        self->awaiter.resume();
      });
    }
    [[nodiscard]] bool await_resume() const noexcept {
      return waiter->notified;
    }  // The signal may be gone by now.
  };
  const bool notified = co_await Woken{*this, deadline};
  co_return notified;
}

}  // namespace brook::runtime

#include "runtime/simulated/simulated_clock.h"

#include <coroutine>
#include <utility>

namespace brook::runtime::simulated {

class SimulatedClock::PendingCall final : public Timer {
 public:
  PendingCall(SimulatedClock& clock, CallPtr call) : clock_(clock), call_(std::move(call)) {}
  ~PendingCall() override {
    if (std::exchange(call_->waits, false)) clock_.waiting_.erase(call_->place);
    call_->work = {};  // In the queue it is passed over.
  }

 private:
  SimulatedClock& clock_;
  CallPtr call_;
};

std::unique_ptr<Timer> SimulatedClock::call_at(Instant when, std::move_only_function<void()> call) {
  auto made = std::make_shared<Call>(std::move(call));
  if (when <= now()) {
    ready_.push_back(made);
  } else {
    made->waits = true;
    made->place = waiting_.emplace(when, made);
  }
  return std::make_unique<PendingCall>(*this, std::move(made));
}

Task<void> SimulatedClock::sleep_until(Instant when) {
  struct Slept {
    SimulatedClock& clock;
    Instant when;
    std::unique_ptr<Timer> timer;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) {
      timer = clock.call_at(when, [awaiter] { awaiter.resume(); });
    }
    void await_resume() const noexcept {}
  };
  co_await Slept{*this, when, nullptr};
}

void SimulatedClock::post(std::move_only_function<void()> call) {
  ready_.push_back(std::make_shared<Call>(std::move(call)));
}

bool SimulatedClock::make_ready() {
  while (!waiting_.empty() && waiting_.begin()->first <= now()) {
    CallPtr call = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    call->waits = false;
    ready_.push_back(std::move(call));
  }
  while (!ready_.empty() && !ready_.front()->work) ready_.pop_front();
  return !ready_.empty();
}

Instant SimulatedClock::next_due() const {
  return waiting_.empty() ? Instant::max() : waiting_.begin()->first;
}

void SimulatedClock::run_one() {
  const CallPtr call = std::move(ready_.front());
  ready_.pop_front();
  // Moved out first: the call may destroy its timer.
  auto work = std::move(call->work);
  work();
}

}  // namespace brook::runtime::simulated

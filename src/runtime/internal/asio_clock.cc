#include "runtime/internal/asio_clock.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <utility>

namespace brook::runtime::internal {
namespace {

using Steady = std::chrono::steady_clock;
/// The alarm is set at most this far ahead, so that Instant::max() and its like can't overflow asio's
/// arithmetic.
constexpr auto kAlarmMax = std::chrono::hours(1);

}  // namespace

/// Stands in exactly one of the clock's maps until it fires or dies.
class AsioClock::PendingCall final : public Timer {
 public:
  explicit PendingCall(std::move_only_function<void()> call) : call_(std::move(call)) {}
  ~PendingCall() override {
    if (calls_ != nullptr) calls_->erase(place_);
  }

  void enter(Calls& calls, Instant when) {
    calls_ = &calls;
    place_ = calls.emplace(when, this);
  }
  void move_to(Calls& calls) {
    place_ = calls.insert(calls.end(), calls_->extract(place_));
    calls_ = &calls;
  }
  /// The call may destroy this object.
  void fire() {
    calls_->erase(place_);
    calls_ = nullptr;
    auto call = std::move(call_);
    call();
  }

 private:
  std::move_only_function<void()> call_;
  Calls* calls_ = nullptr;
  Calls::iterator place_;
};

Instant AsioClock::now() const {
  return Instant(std::chrono::duration_cast<Duration>(Steady::now().time_since_epoch()));
}

Timestamp AsioClock::wall_now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

std::unique_ptr<Timer> AsioClock::call_at(Instant when, std::move_only_function<void()> call) {
  auto timer = std::make_unique<PendingCall>(std::move(call));
  if (when <= now()) {
    timer->enter(due_, when);
    post_due();
  } else {
    timer->enter(waiting_, when);
    if (when < armed_for_) arm();
  }
  return timer;
}

Task<void> AsioClock::sleep_until(Instant when) {
  struct Slept {
    AsioClock& clock;
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

void AsioClock::arm() {
  if (waiting_.empty()) return;
  const Instant present = now();
  const Instant earliest = waiting_.begin()->first;
  armed_for_ = earliest - present > kAlarmMax ? present + kAlarmMax : earliest;
  alarm_.expires_at(Steady::time_point(armed_for_.time_since_epoch()));
  alarm_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // Set anew.
    armed_for_ = Instant::max();
    const auto end = waiting_.upper_bound(now());
    while (waiting_.begin() != end) waiting_.begin()->second->move_to(due_);
    fire_due();
    if (armed_for_ == Instant::max()) arm();
  });
}

void AsioClock::post_due() {
  if (std::exchange(due_posted_, true)) return;
  boost::asio::post(loop_, [this] {
    due_posted_ = false;
    fire_due();
  });
}

void AsioClock::fire_due() {
  while (!due_.empty()) due_.begin()->second->move_to(firing_);
  while (!firing_.empty()) firing_.begin()->second->fire();
}

}  // namespace brook::runtime::internal

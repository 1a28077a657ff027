#pragma once

#include <chrono>

#include "runtime/clock.h"
#include "runtime/signal.h"
#include "runtime/task.h"

namespace brook::cluster::internal {

/// Lets one coroutine through at a time; the others wait. Runs on: one shard.
class Turnstile {
 public:
  /// Held from enter() until it is destroyed.
  class Turn {
   public:
    explicit Turn(Turnstile& turnstile) : turnstile_(&turnstile) {}
    Turn(Turn&& other) noexcept : turnstile_(other.turnstile_) { other.turnstile_ = nullptr; }
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (!turnstile_) return;
      turnstile_->taken_ = false;
      turnstile_->freed_.notify_all();
    }

   private:
    Turnstile* turnstile_;
  };

  explicit Turnstile(runtime::Clock& clock) : clock_(clock), freed_(clock) {}
  [[nodiscard]] Task<Turn> enter() {
    while (taken_) (void)co_await freed_.wait_until(clock_.now() + std::chrono::seconds(60));
    taken_ = true;
    co_return Turn(*this);
  }

 private:
  runtime::Clock& clock_;
  runtime::Signal freed_;
  bool taken_ = false;
};

}  // namespace brook::cluster::internal

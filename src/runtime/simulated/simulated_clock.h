#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "runtime/clock.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// The calls of one shard: those that are due, in order, and those that wait for their time. Outlives its
/// timers, unless its process has died: then neither is ever destroyed.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(World& world) : world_(world) {}

  [[nodiscard]] Instant now() const override { return world_.now(); }
  [[nodiscard]] Timestamp wall_now() const override { return world_.wall_now(); }
  [[nodiscard]] std::unique_ptr<Timer> call_at(Instant when, std::move_only_function<void()> call) override;
  [[nodiscard]] Task<void> sleep_until(Instant when) override;

  void post(std::move_only_function<void()> call);
  /// True where a call is ready now.
  [[nodiscard]] bool make_ready();
  [[nodiscard]] Instant next_due() const;
  /// The first that is ready.
  void run_one();

 private:
  struct Call;
  class PendingCall;
  using CallPtr = std::shared_ptr<Call>;
  using Waiting = std::multimap<Instant, CallPtr>;
  struct Call {
    std::move_only_function<void()> work;
    bool waits = false;
    Waiting::iterator place = {};
  };

  World& world_;
  std::deque<CallPtr> ready_;
  Waiting waiting_;
};

}  // namespace brook::runtime::simulated

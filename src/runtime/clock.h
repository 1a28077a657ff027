#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/ids.h"
#include "runtime/task.h"

namespace brook::runtime {

/// Monotonic time of the process: for deadlines. Wall time (Timestamp, ms since 1970) is another type: for
/// records.
using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<struct MonotonicTag, Duration>;

/// A pending call; destroying it cancels the call. Runs on: the shard that made it.
class Timer {
 public:
  virtual ~Timer() = default;
};

/// The time of one shard.
class Clock {
 public:
  virtual ~Clock() = default;
  /// May be some microseconds old: taken once per turn of the event loop where that is cheaper.
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual Timestamp wall_now() const = 0;
  /// Calls `call` on this shard at `when`, or in the next turn if that has passed.
  [[nodiscard]] virtual std::unique_ptr<Timer> call_at(Instant when,
                                                       std::move_only_function<void()> call) = 0;
  [[nodiscard]] virtual Task<void> sleep_until(Instant when) = 0;
};

}  // namespace brook::runtime

#pragma once

#include <cstdint>

#include "replica/partition.h"
#include "runtime/clock.h"
#include "runtime/signal.h"
#include "storage/work_pace.h"

namespace brook::replica {

/// What ends the background work of one shard: stop() ends its waits at once. Runs on: its shard.
class WorkStop {
 public:
  explicit WorkStop(runtime::Clock& clock) : stopped_(clock) {}

  void stop() {
    stopping_ = true;
    stopped_.notify_all();
  }
  [[nodiscard]] bool stopping() const { return stopping_; }
  /// Until then, or until stop().
  [[nodiscard]] Task<void> wait_until(runtime::Instant deadline);

 private:
  runtime::Signal stopped_;
  bool stopping_ = false;
};

/// Gives way after each step of work on a partition's log, and keeps to the rate; ends when the work is
/// stopped or the partition closes. Runs on: its shard.
class PartitionPace final : public storage::WorkPace {
 public:
  /// All outlive it.
  PartitionPace(runtime::Clock& clock, WorkStop& stop, const Partition& partition, double bytes_per_second)
      : clock_(clock), stop_(stop), partition_(partition) {
    set_rate(bytes_per_second);
  }

  /// At least a byte a second.
  void set_rate(double bytes_per_second);
  [[nodiscard]] Task<bool> pause(std::uint64_t bytes) override;

 private:
  [[nodiscard]] bool ended() const { return stop_.stopping() || partition_.closed(); }

  runtime::Clock& clock_;
  WorkStop& stop_;
  const Partition& partition_;
  double seconds_per_byte_ = 0;
  runtime::Instant next_{};
};

}  // namespace brook::replica

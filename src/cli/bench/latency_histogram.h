#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/clock.h"

namespace brook::cli {

/// Counts durations in log-linear buckets: one for each nanosecond below 256 ns, then 128 for each power of
/// two. So every answer is at most 1/128 (0.8 %) above the duration that it stands for and never below it;
/// the greatest is exact. What is above kGreatest (73 minutes) counts as kGreatest, what is negative as 0.
/// Runs on: any; a reader may see a count that the greatest does not show yet.
class LatencyHistogram {
 public:
  using Duration = runtime::Duration;

  static constexpr double kRelativeErrorMax = 1.0 / 128;
  static constexpr Duration kGreatest{(std::int64_t{1} << 42) - 1};

  void record(Duration duration);
  /// Adds what `other` has counted.
  void merge(const LatencyHistogram& other);

  [[nodiscard]] std::uint64_t count() const;
  /// The least duration that at least `fraction` (0 to 1) of all are not above; 0 where nothing was counted.
  [[nodiscard]] Duration percentile(double fraction) const;
  [[nodiscard]] Duration greatest() const { return Duration(greatest_.load(std::memory_order_relaxed)); }

 private:
  static constexpr int kSubBits = 7;
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = (42 - kSubBits + 1) * kSub;

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  /// The greatest duration of a bucket.
  static std::uint64_t upper_bound(std::size_t bucket);

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::int64_t> greatest_{0};
};

}  // namespace brook::cli

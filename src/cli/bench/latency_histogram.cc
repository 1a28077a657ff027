#include "cli/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace brook::cli {

std::size_t LatencyHistogram::bucket_of(std::uint64_t nanoseconds) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(nanoseconds)) - kSubBits - 1);
  return static_cast<std::size_t>(shift) * kSub + static_cast<std::size_t>(nanoseconds >> shift);
}

std::uint64_t LatencyHistogram::upper_bound(std::size_t bucket) {
  if (bucket < 2 * kSub) return bucket;
  const std::size_t shift = bucket / kSub - 1;
  const std::uint64_t top_bits = bucket - shift * kSub;
  return ((top_bits + 1) << shift) - 1;
}

void LatencyHistogram::record(Duration duration) {
  const Duration kept = std::clamp(duration, Duration::zero(), kGreatest);
  counts_[bucket_of(static_cast<std::uint64_t>(kept.count()))].fetch_add(1, std::memory_order_relaxed);
  std::int64_t before = greatest_.load(std::memory_order_relaxed);
  while (before < kept.count() &&
         !greatest_.compare_exchange_weak(before, kept.count(), std::memory_order_relaxed)) {
  }
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const std::uint64_t added = other.counts_[bucket].load(std::memory_order_relaxed);
    if (added > 0) counts_[bucket].fetch_add(added, std::memory_order_relaxed);
  }
  greatest_.store(std::max(greatest().count(), other.greatest().count()), std::memory_order_relaxed);
}

std::uint64_t LatencyHistogram::count() const {
  std::uint64_t sum = 0;
  for (const auto& each : counts_) sum += each.load(std::memory_order_relaxed);
  return sum;
}

LatencyHistogram::Duration LatencyHistogram::percentile(double fraction) const {
  const std::uint64_t total = count();
  if (total == 0) return Duration::zero();
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket].load(std::memory_order_relaxed);
    if (seen >= rank) return std::min(Duration(static_cast<std::int64_t>(upper_bound(bucket))), greatest());
  }
  return greatest();
}

}  // namespace brook::cli

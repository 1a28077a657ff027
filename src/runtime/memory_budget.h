#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace brook::runtime {

/// Bytes that requests in flight, buffers and caches may hold together. Any thread. What does not fit waits:
/// a connection is not read from until its charge is granted.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}
  /// Takes `bytes` if they fit; a charge larger than the whole budget is granted when nothing else is held,
  /// so that it can't hang.
  [[nodiscard]] bool try_charge(std::uint64_t bytes);
  void release(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace brook::runtime

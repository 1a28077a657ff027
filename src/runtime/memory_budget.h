#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace brook::runtime {

/// Bytes that requests in flight, buffers and caches may hold together. Any thread. What does not fit waits:
/// a connection is not read from until its charge is granted.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}
  /// Takes `bytes` if they fit; a charge larger than the whole budget is granted when nothing else is held,
  /// so that it can't hang.
  [[nodiscard]] bool try_charge(std::uint64_t bytes);
  /// Takes them, fit or not: for what exists already.
  void charge(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void release(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  /// Somebody waits for a charge: who holds one and gets nowhere should give it up.
  [[nodiscard]] bool is_waited_for() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  friend class BudgetWait;

  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::int64_t> waiting_{0};
};

/// What its owner holds of the budget, which outlives it; given back when it dies.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  explicit MemoryCharge(MemoryBudget& budget) : budget_(&budget) {}
  ~MemoryCharge() { release(); }
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Holds at least `bytes` afterwards; false, and nothing changed, where the difference does not fit.
  [[nodiscard]] bool try_grow_to(std::uint64_t bytes);
  /// Holds exactly `bytes` afterwards, fit or not.
  void set(std::uint64_t bytes);

 private:
  void release();

  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// Lives as long as somebody waits for a charge.
class BudgetWait {
 public:
  explicit BudgetWait(MemoryBudget& budget) : budget_(budget) { budget_.waiting_.fetch_add(1); }
  ~BudgetWait() { budget_.waiting_.fetch_sub(1); }
  BudgetWait(const BudgetWait&) = delete;
  BudgetWait& operator=(const BudgetWait&) = delete;

 private:
  MemoryBudget& budget_;
};

}  // namespace brook::runtime

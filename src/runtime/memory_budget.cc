#include "runtime/memory_budget.h"

namespace brook::runtime {

bool MemoryBudget::try_charge(std::uint64_t bytes) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    const bool fits = used <= limit_ && bytes <= limit_ - used;
    const bool alone = used == 0;
    if (!fits && !alone) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

void MemoryBudget::release(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

MemoryCharge& MemoryCharge::operator=(MemoryCharge&& other) noexcept {
  if (this != &other) {
    release();
    budget_ = other.budget_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

bool MemoryCharge::try_grow_to(std::uint64_t bytes) {
  if (bytes <= bytes_) return true;
  if (!budget_->try_charge(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

void MemoryCharge::set(std::uint64_t bytes) {
  if (bytes > bytes_) budget_->charge(bytes - bytes_);
  if (bytes < bytes_) budget_->release(bytes_ - bytes);
  bytes_ = bytes;
}

void MemoryCharge::release() {
  if (bytes_ > 0) budget_->release(std::exchange(bytes_, 0));
}

}  // namespace brook::runtime

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

}  // namespace brook::runtime

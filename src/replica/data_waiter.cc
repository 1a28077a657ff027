#include "replica/data_waiter.h"

#include <algorithm>

namespace brook::replica {

void DataWaiter::wake() {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  if (runtime::Shard::current() == &origin_) {
    signal_.notify_all();
    return;
  }
  origin_.post([self = shared_from_this()] { self->signal_.notify_all(); });
}

Task<bool> DataWaiter::wait_until(runtime::Instant deadline) {
  bool in_time = true;
  while (in_time && !woken_.load(std::memory_order_acquire)) {
    in_time = co_await signal_.wait_until(deadline);
  }
  co_return woken_.exchange(false, std::memory_order_acq_rel);
}

void DataWaiters::add(const std::shared_ptr<DataWaiter>& waiter) {
  // Ended fetches leave an expired entry behind; they are cleared before the list would grow.
  if (waiters_.size() == waiters_.capacity()) {
    std::erase_if(waiters_, [](const std::weak_ptr<DataWaiter>& held) { return held.expired(); });
  }
  waiters_.push_back(waiter);
}

void DataWaiters::wake_all() {
  if (waiters_.empty()) return;
  std::vector<std::weak_ptr<DataWaiter>> woken;
  woken.swap(waiters_);
  for (const std::weak_ptr<DataWaiter>& held : woken) {
    if (const auto waiter = held.lock()) waiter->wake();
  }
}

}  // namespace brook::replica

#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::replica {

/// A long fetch that waits until one of its partitions has more to read. It belongs to the shard that made
/// it; partitions on any shard hold it weakly and wake it.
class DataWaiter : public std::enable_shared_from_this<DataWaiter> {
 public:
  explicit DataWaiter(runtime::Shard& origin) : origin_(origin), signal_(origin.clock()) {}

  /// Any thread. Costs one message, and none while an earlier wake is not consumed.
  void wake();
  /// True where a wake has come since the last call, false at the deadline. Runs on: the shard that made it.
  [[nodiscard]] Task<bool> wait_until(runtime::Instant deadline);

 private:
  runtime::Shard& origin_;
  runtime::Signal signal_;
  std::atomic<bool> woken_{false};
};

/// The waiters of one partition. Runs on: the partition's shard.
class DataWaiters {
 public:
  void add(const std::shared_ptr<DataWaiter>& waiter);
  /// Wakes all and forgets them: whoever finds too little registers again.
  void wake_all();

 private:
  std::vector<std::weak_ptr<DataWaiter>> waiters_;
};

}  // namespace brook::replica

#include "coordinator/transaction_coordinator.h"

#include <utility>

namespace brook::coordinator {

void TransactionCoordinator::lead(PartitionIndex partition, std::unique_ptr<LogPort> log) {
  take(partition, [&] {
    return std::make_shared<TransactionPartition>(shard(), gate(), config_, metrics_, port_, partition,
                                                  std::move(log));
  });
}

Task<void> TransactionCoordinator::abort_timed_out() {
  return do_at(config_.timeout_check_interval, &TransactionPartition::abort_timed_out);
}

Task<void> TransactionCoordinator::expire() {
  return do_at(config_.expiration_check_interval, &TransactionPartition::expire);
}

}  // namespace brook::coordinator

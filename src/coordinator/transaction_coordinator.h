#pragma once

#include <memory>
#include <string_view>

#include "coordinator/led_partitions.h"
#include "coordinator/transaction_config.h"
#include "coordinator/transaction_metrics.h"
#include "coordinator/transaction_partition.h"
#include "coordinator/transaction_port.h"
#include "runtime/shard.h"

namespace brook::coordinator {

/// The partitions of __transaction_state that this broker leads on one shard. Runs on: its shard.
class TransactionCoordinator : public LedPartitions<TransactionPartition> {
 public:
  static constexpr std::string_view kTopic = "__transaction_state";

  /// `shard`, `metrics` and `port` outlive it.
  TransactionCoordinator(runtime::Shard& shard, TransactionConfig config, TransactionMetrics& metrics,
                         TransactionPort& port)
      : LedPartitions(shard), config_(config), metrics_(metrics), port_(port) {}

  /// Takes a partition over and begins to load it; nothing happens where it has it already.
  void lead(PartitionIndex partition, std::unique_ptr<LogPort> log);

  /// Time-outs and expired ids, each at its interval, until stop().
  [[nodiscard]] Task<void> abort_timed_out();
  [[nodiscard]] Task<void> expire();

 private:
  const TransactionConfig config_;
  TransactionMetrics& metrics_;
  TransactionPort& port_;
};

}  // namespace brook::coordinator

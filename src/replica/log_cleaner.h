#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/config.h"
#include "replica/log_cleaner_metrics.h"
#include "replica/partition.h"
#include "replica/partition_pace.h"
#include "replica/replica_set.h"
#include "runtime/memory_budget.h"
#include "runtime/shard.h"
#include "storage/compaction.h"

namespace brook::replica {

/// The log.cleaner.* settings in force.
struct LogCleanerConfig {
  bool enabled = true;
  std::size_t threads = 1;                ///< logs that are compacted at a time, on all shards together
  std::size_t dedupe_buffer_bytes = 0;    ///< for the keys of one log
  double load_factor = 0.9;               ///< of that buffer
  std::size_t io_buffer_bytes = 0;        ///< to read and to write one log, half of it each
  double bytes_per_second_max = 0;        ///< that one log may cost, read and written
  std::chrono::milliseconds back_off{0};  ///< while there is nothing to do
};
/// Each log's part of what the settings say for all `threads`.
[[nodiscard]] LogCleanerConfig log_cleaner_config(const cluster::ConfigLayers& layers);

/// How many logs are being compacted, on all shards. Any thread.
class CompactionSlots {
 public:
  [[nodiscard]] bool try_take(std::size_t slots);
  void give_back() { taken_.fetch_sub(1); }

 private:
  std::atomic<std::size_t> taken_{0};
};

/// Compacts the logs of one shard, the dirtiest first, one at a time and in small steps: it reads and writes
/// between what the shard does for clients. A log that fails is tried again with a growing delay and keeps no
/// other waiting. Runs on: its shard.
class LogCleaner {
 public:
  /// All outlive it.
  LogCleaner(runtime::Shard& shard, ReplicaSet& replicas, CompactionSlots& slots,
             runtime::MemoryBudget& budget, LogCleanerMetrics& metrics);

  /// Until stop(). `replicas` has its first image.
  [[nodiscard]] Task<void> run();
  void stop() { stop_.stop(); }

 private:
  struct Failure {
    std::string why;
    std::uint32_t times = 0;
    runtime::Instant again;
  };

  /// False where there was nothing to compact, or no room to do it in.
  [[nodiscard]] Task<bool> compact_dirtiest();
  /// Null where none wants it.
  [[nodiscard]] Task<std::shared_ptr<Partition>> dirtiest();
  [[nodiscard]] Task<std::optional<storage::CompactionRange>> range_of(std::shared_ptr<Partition> partition);
  [[nodiscard]] Task<bool> compact(std::shared_ptr<Partition> partition, LogCleanerConfig config);
  void note_success(const Partition& partition, const storage::CompactionRange& range,
                    const storage::CompactionOutcome& outcome, runtime::Instant began);
  [[nodiscard]] bool may_be_compacted(const Partition& partition) const;
  void note_failure(const Partition& partition, const Error& error);
  void forget_failures_of_deleted();
  /// Room for the keys of so many records, or for as many as the budget has room for; 0 where it has none.
  [[nodiscard]] std::size_t take_memory(runtime::MemoryCharge& charge, std::uint64_t records,
                                        const LogCleanerConfig& config) const;

  runtime::Shard& shard_;
  ReplicaSet& replicas_;
  CompactionSlots& slots_;
  runtime::MemoryBudget& budget_;
  LogCleanerMetrics& metrics_;
  std::unordered_map<TopicIdPartition, Failure> failures_;
  std::int64_t cleanable_bytes_ = 0;  ///< this shard's part of the gauge
  WorkStop stop_;
};

}  // namespace brook::replica

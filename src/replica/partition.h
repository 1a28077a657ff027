#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "cluster/config.h"
#include "record/validate.h"
#include "replica/data_waiter.h"
#include "replica/replica_metrics.h"
#include "storage/log.h"

namespace brook::replica {

/// How far a reader may look: replicas to the log's end, consumers to the high watermark, those of committed
/// transactions to the last stable offset.
enum class Isolation { kReadUncommitted, kReadCommitted };

struct Appended {
  Offset base_offset;
  std::optional<Timestamp> log_append_time;  ///< where the topic's timestamps are append times
  Offset log_start_offset;
  std::int32_t record_count = 0;  ///< appended now: 0 for a duplicate
};

struct ReadOutcome {
  storage::LogSlice slice;
  Offset high_watermark;
  Offset last_stable_offset;
  Offset log_start_offset;
  /// Only for read_committed, and only those that reach into the slice.
  std::vector<storage::AbortedTransaction> aborted;
  /// The reader's log has diverged: it truncates to here before it reads (KIP-595). The slice is empty then.
  std::optional<storage::EpochEndOffset> diverging;
};

/// A replica that this broker leads. With no followers yet, what is appended is committed.
///
/// Invariants: log_start_offset ≤ high_watermark ≤ log_end_offset. Held by shared_ptr, so that a read that
/// waits for the disk outlives the topic's deletion; closed() says then that it is gone. Runs on: its shard.
class Partition {
 public:
  Partition(TopicIdPartition id, std::string log_directory, std::unique_ptr<storage::Log> log,
            LeaderEpoch leader_epoch);

  [[nodiscard]] const TopicIdPartition& id() const { return id_; }
  [[nodiscard]] const TopicPartition& name() const { return log_->partition(); }
  /// The log.dirs entry that it is in.
  [[nodiscard]] const std::string& log_directory() const { return log_directory_; }
  [[nodiscard]] LeaderEpoch leader_epoch() const { return leader_epoch_; }
  [[nodiscard]] storage::Log& log() { return *log_; }
  [[nodiscard]] bool closed() const { return closed_; }

  /// It outlives the partition.
  void set_metrics(ReplicaMetrics& metrics) {
    metrics_ = &metrics;
    log_->count_syncs(metrics.flushes);
  }
  /// Keys of what clients append are kept for compaction (storage::Log::keep_keys()).
  void keep_keys(runtime::MemoryBudget& budget, SipKey seed);
  void set_config(const cluster::TopicConfig& config, std::chrono::milliseconds producer_id_expiration);

  /// FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH where the client knows another epoch than `leader_epoch()`;
  /// -1 is none (KIP-320).
  [[nodiscard]] Result<void> check_leader_epoch(std::int32_t current_leader_epoch) const;

  /// Checks the records in the buffer that they came in, assigns offsets in place, and appends. Errors as
  /// record::validate and storage::Log::append_as_leader.
  /// `transaction_version` is that of a marker's transaction.
  [[nodiscard]] std::expected<Appended, record::ValidationFailure> append(
      MutableBytes records, Timestamp now, storage::AppendOrigin origin,
      std::int16_t transaction_version = 0);
  /// Makes durable what flush.messages and flush.ms demand before an append is acknowledged.
  [[nodiscard]] Task<Result<void>> flush_if_due();

  /// OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR. `last_fetched_epoch` -1: not known.
  [[nodiscard]] Task<Result<ReadOutcome>> read(Offset from, std::size_t max_bytes, bool at_least_one_batch,
                                               Isolation isolation, std::int32_t last_fetched_epoch);

  [[nodiscard]] Offset high_watermark() const { return log_->log_end_offset(); }
  [[nodiscard]] Offset last_stable_offset() { return log_->last_stable_offset(high_watermark()); }
  /// DeleteRecords; nothing means up to the high watermark. The new log start offset. OFFSET_OUT_OF_RANGE.
  [[nodiscard]] Result<Offset> delete_records(std::optional<Offset> before);

  /// Woken when there is more to read, and when the partition closes.
  [[nodiscard]] DataWaiters& waiters() { return waiters_; }

  /// Takes no appends and reads from here on; waits for those under way.
  [[nodiscard]] Task<Result<void>> close(storage::CloseMode mode);

 private:
  TopicIdPartition id_;
  std::string log_directory_;
  std::unique_ptr<storage::Log> log_;
  LeaderEpoch leader_epoch_;
  record::ValidateOptions checks_;
  std::optional<record::KeyHashes> keys_;  ///< of the batch that is appended
  ReplicaMetrics* metrics_ = nullptr;
  DataWaiters waiters_;
  bool closed_ = false;
};

/// What the log needs of a topic's settings.
[[nodiscard]] storage::LogConfig log_config(const cluster::TopicConfig& topic,
                                            std::chrono::milliseconds producer_id_expiration);

}  // namespace brook::replica

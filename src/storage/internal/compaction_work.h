#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "storage/compaction.h"
#include "storage/internal/batch_filter.h"
#include "storage/internal/batch_header.h"
#include "storage/internal/batch_scan.h"
#include "storage/internal/cleaned_segment.h"
#include "storage/internal/transaction_tracker.h"
#include "storage/producer_state.h"

namespace brook::storage::internal {

/// The last batch of each producer of a log, or its last marker where no batch is known: what its state would
/// be read from again. Runs on: any.
class LastBatches {
 public:
  explicit LastBatches(const ProducerState& producers);
  [[nodiscard]] bool contain(const BatchHeader& header) const;

 private:
  struct Entry {
    std::optional<Offset> last_offset;
    std::optional<ProducerEpoch> epoch;
  };
  std::unordered_map<ProducerId, Entry> entries_;
};

/// What compaction does with a log's bytes: pass one puts keys into the map, pass two writes what stays. Each
/// does a piece, about as much as the job's step, and returns so that others get their turn. Errors: those of
/// the files, CORRUPT_MESSAGE and INVALID_RECORD for what can't be read. Runs on: any, one thread at a time.
class CompactionWork {
 public:
  /// `last_batches` are those of now; all of the log is flushed before pass one. What the job refers to
  /// outlives it. It stays where it is.
  CompactionWork(CompactionRange range, CompactionJob job, LastBatches last_batches);
  CompactionWork(const CompactionWork&) = delete;
  CompactionWork& operator=(const CompactionWork&) = delete;

  /// What is mapped next is of the segment of `base_offset`.
  void begin_mapping(Offset base_offset) { records_mapped_ = &mapped_records_[base_offset]; }
  /// False where the map is full: all before mapped_end() is in it.
  [[nodiscard]] Result<bool> map_piece(BatchScan& scan, TransactionTracker& transactions);
  /// The same for keys that are known, one for each offset from `first` on.
  [[nodiscard]] bool map_keys(Offset first, std::span<const Hash128> keys);
  /// The keys of all records below are in the map, or not needed.
  [[nodiscard]] Offset mapped_end() const { return mapped_end_; }
  /// There is nothing of the segment that ends at `end` but what was mapped.
  void mapped_to(Offset end) { mapped_end_ = std::max(mapped_end_, end); }
  /// What is expected to be left of the records of the segment [base, end), 0 to 1.
  [[nodiscard]] double surviving_share(Offset base, Offset end) const;

  /// Pass one is over.
  void begin_cleaning(std::chrono::milliseconds delete_retention);
  /// Before the batches of the segment that they reach into.
  void add_aborted(std::span<const AbortedTransaction> transactions) {
    filter_->transactions().add_aborted(transactions);
  }
  /// `changed` is set where something is lost.
  [[nodiscard]] Result<void> clean_piece(BatchScan& scan, CleanedSegment& output, bool& changed);

  /// Bytes read and written since the last call.
  [[nodiscard]] std::uint64_t take_worked() { return std::exchange(worked_, 0); }
  [[nodiscard]] CompactionTotals totals() const;

 private:
  /// True where the piece is done.
  bool worked(std::uint64_t bytes) {
    worked_ += bytes;
    return worked_ >= job_.step_bytes;
  }
  /// False where the map is full: the batch is in it up to mapped_end_.
  [[nodiscard]] Result<bool> map_records(const record::BatchView& batch);

  CompactionRange range_;
  CompactionJob job_;
  LastBatches last_batches_;
  Offset mapped_end_;
  std::map<Offset, std::uint64_t> mapped_records_;  ///< how many of a segment, by its base offset
  std::uint64_t* records_mapped_ = nullptr;         ///< of the segment that is looked at
  std::vector<std::pair<Hash128, Offset>> keys_;    ///< of the batch that is looked at
  std::optional<BatchFilter> filter_;
  std::uint64_t worked_ = 0;
  std::uint64_t keys_kept_ = 0;
};

}  // namespace brook::storage::internal

#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"
#include "storage/compaction.h"
#include "storage/internal/batch_header.h"
#include "storage/internal/transaction_tracker.h"

namespace brook::storage::internal {

/// What compaction leaves of one batch.
struct FilteredBatch {
  /// Nothing, the batch as it was, or another that lives until the next call.
  ByteView bytes;
  bool changed = false;
  /// For the new segment's transaction index.
  std::optional<AbortedTransaction> aborted;
};

struct BatchFilterOptions {
  Timestamp now;
  std::chrono::milliseconds delete_retention{0};
  Offset mapped_end;  ///< records from here on stay: later ones of their keys are not known
  Offset round_end;   ///< the batch before it stays, if need be empty, so that its offsets stay known
};

/// The rules by which a compacted log loses records, batch after batch in the order of the log (KIP-534 for
/// the times of tombstones and markers). A batch keeps its base and last offset, leader epoch, producer with
/// sequence, codec and kind of timestamp, whatever it loses. Runs on: any.
class BatchFilter {
 public:
  /// The batch holds the last sequence that is known of a producer that is still known, or the last marker.
  using LastOfProducer = std::function<bool(const BatchHeader&)>;

  /// `newest` outlives the filter.
  BatchFilter(const OffsetMap& newest, BatchFilterOptions options, LastOfProducer last_of_producer)
      : newest_(newest), options_(options), last_of_producer_(std::move(last_of_producer)) {}

  /// `batch` is whole, `header` its head. CORRUPT_MESSAGE and INVALID_RECORD where it can't be read.
  [[nodiscard]] Result<FilteredBatch> filter(const BatchHeader& header, ByteView batch);
  [[nodiscard]] TransactionTracker& transactions() { return transactions_; }
  [[nodiscard]] CompactionTotals& totals() { return totals_; }
  [[nodiscard]] const CompactionTotals& totals() const { return totals_; }

 private:
  /// How many of a batch's records stay: those of `candidates_` that do.
  struct Selection {
    std::int32_t count = 0;
    bool tombstones = false;                         ///< among those that stay
    Timestamp max_timestamp = record::kNoTimestamp;  ///< of those that stay
  };
  /// Of a batch of which no record stays.
  [[nodiscard]] bool stays_empty(const BatchHeader& header) const {
    return header.last_offset.next() == options_.round_end ||
           (header.producer_id.value() >= 0 && last_of_producer_(header));
  }
  [[nodiscard]] Result<Selection> select(const record::BatchView& batch, ByteView records, bool drop_all);
  /// What decides about one record.
  struct Candidate {
    Offset offset;
    std::int64_t timestamp_delta = 0;
    ByteView bytes;  ///< the record as it stands in the batch
    bool has_key = false;
    bool has_value = false;
    bool stays = false;
    std::optional<bool> replaced;  ///< nothing: `key` has to be looked up
    Hash128 key{};
  };
  [[nodiscard]] Candidate candidate_of(const record::BatchView& batch, const record::RecordView& record);
  [[nodiscard]] bool stays(const Candidate& record, std::optional<Timestamp> delete_horizon);
  /// What stays, as it stands in the batch.
  void reduce(const record::BatchView& batch, const Selection& selection);
  /// The same where more of the batch changes than which records it has.
  [[nodiscard]] Result<record::Bytes> rebuilt(const record::BatchView& batch, ByteView records,
                                              const Selection& selection,
                                              std::optional<Timestamp> delete_horizon) const;

  const OffsetMap& newest_;
  BatchFilterOptions options_;
  LastOfProducer last_of_producer_;
  TransactionTracker transactions_;
  CompactionTotals totals_;
  record::Bytes rebuilt_;
  std::vector<Candidate> candidates_;  ///< the records of the batch that is looked at
};

}  // namespace brook::storage::internal

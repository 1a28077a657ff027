#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/validate.h"

namespace brook::storage {

/// Who appends. A client's sequences are checked; what is replicated was checked by its leader and is only
/// followed.
using AppendOrigin = record::Origin;

/// What the end marker of a transaction says.
struct EndMarker {
  bool commit = false;
  std::int32_t coordinator_epoch = 0;
  std::int16_t transaction_version =
      0;  ///< of the WriteTxnMarkers request; not in the record, so 0 where it is not known
};

/// The part of a batch that concerns its producer.
struct ProducerBatch {
  ProducerId producer_id;
  ProducerEpoch epoch;
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset first_offset;
  Offset last_offset;
  Timestamp max_timestamp;
  bool transactional = false;
  bool control = false;
  std::optional<EndMarker> marker;  ///< of a control batch that has its record
};

/// One of the last five batches of a producer, by which a repeated one is recognised.
struct BatchMetadata {
  std::int32_t last_sequence = -1;
  Offset last_offset;
  std::int32_t offset_delta = 0;
  Timestamp timestamp;

  [[nodiscard]] Offset first_offset() const { return last_offset - offset_delta; }
  [[nodiscard]] std::int32_t first_sequence() const;
  friend bool operator==(const BatchMetadata&, const BatchMetadata&) = default;
};

/// What is known of one producer id; Kafka's ProducerStateEntry.
struct ProducerEntry {
  static constexpr std::size_t kBatchesToRetain =
      5;  // Kafka's: max.in.flight.requests.per.connection is at most 5

  std::optional<ProducerEpoch> epoch;
  std::int32_t coordinator_epoch = -1;
  Timestamp last_timestamp{-1};
  std::optional<Offset> current_txn_first_offset;
  /// Markers since the log was opened: a write that was allowed before one of them is of an ended
  /// transaction.
  std::uint32_t markers = 0;
  std::array<BatchMetadata, kBatchesToRetain> batches{};  ///< the first `batch_count` of them, oldest first
  std::uint8_t batch_count = 0;

  [[nodiscard]] std::int32_t last_sequence() const {
    return batch_count == 0 ? -1 : batches[batch_count - 1U].last_sequence;
  }
  [[nodiscard]] std::optional<Offset> last_offset() const;
  [[nodiscard]] const BatchMetadata* find_duplicate(const ProducerBatch& batch) const;
  void add_batch(ProducerEpoch batch_epoch, const BatchMetadata& batch);
  void set_epoch(ProducerEpoch new_epoch);
};

/// A transaction that ended: what the transaction index and the last stable offset need.
struct CompletedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;  ///< of the marker
  bool aborted = false;
};

/// A transaction without an end marker, or with one above the high watermark.
struct OpenTransaction {
  ProducerId producer_id;
  Offset first_offset;
  std::optional<Offset> last_offset;
};

/// What one append would change; ProducerState::apply makes it so, dropping it changes nothing.
class ProducerUpdate {
 public:
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<CompletedTransaction>& completed() const { return completed_; }

 private:
  friend class ProducerState;
  std::vector<std::pair<ProducerId, ProducerEntry>> entries_;
  std::vector<OpenTransaction> started_;
  std::vector<CompletedTransaction> completed_;
};

/// The producers of one partition (KIP-98, KIP-360, KIP-890): sequences, duplicates, transactions that hold
/// the last stable offset back. Pure: no files, no clock. Runs on: the log's shard.
class ProducerState {
 public:
  /// Checks `batch` against the state and what `update` already holds, and adds it there. Errors, all with
  /// Kafka 4.3's rules: INVALID_PRODUCER_EPOCH (older than the last seen), OUT_OF_ORDER_SEQUENCE_NUMBER
  /// (clients only; a producer without state may start anywhere), INVALID_TXN_STATE (plain write within a
  /// transaction), TRANSACTION_COORDINATOR_FENCED (old marker).
  [[nodiscard]] Result<void> check(const ProducerBatch& batch, AppendOrigin origin,
                                   ProducerUpdate& update) const;
  /// The batch that `batch` repeats, if it is among the last five of its producer.
  [[nodiscard]] const BatchMetadata* find_duplicate(const ProducerBatch& batch) const;
  /// Takes over what `update` holds, but for the ends of transactions: complete() them in their order.
  void apply(const ProducerUpdate& update);
  void complete(const CompletedTransaction& completed);
  /// The log now ends at `end_offset`, whoever wrote it.
  void set_end_offset(Offset end_offset) { end_offset_ = end_offset; }
  [[nodiscard]] Offset end_offset() const { return end_offset_; }

  /// The first offset of a transaction that is open, or whose end is not yet below `high_watermark`; what is
  /// below is forgotten.
  [[nodiscard]] std::optional<Offset> first_unstable_offset(Offset high_watermark);
  /// The last stable offset once `completed` is, asked before complete(): the end of it, or the start of the
  /// earliest other open transaction.
  [[nodiscard]] Offset last_stable_offset_after(const CompletedTransaction& completed) const;
  [[nodiscard]] std::optional<Offset> first_open_transaction() const;
  void on_log_start_advanced(Offset log_start_offset);
  /// Forgets producers without a transaction that wrote nothing for `expiration`; returns how many.
  std::size_t remove_expired(Timestamp now, std::chrono::milliseconds expiration);
  void clear(Offset end_offset);

  [[nodiscard]] const ProducerEntry* find(ProducerId id) const;
  [[nodiscard]] const std::unordered_map<ProducerId, ProducerEntry>& entries() const { return entries_; }

  /// Kafka's snapshot file, version 1.
  [[nodiscard]] std::string snapshot() const;
  /// Replaces the state by a snapshot that was taken at `offset`, leaving out expired producers.
  /// CORRUPT_MESSAGE names `path`.
  [[nodiscard]] Result<void> load_snapshot(ByteView file, Offset offset, Timestamp now,
                                           std::chrono::milliseconds expiration, std::string_view path);

 private:
  std::unordered_map<ProducerId, ProducerEntry> entries_;
  std::map<Offset, OpenTransaction> ongoing_;  ///< by first offset
  std::map<Offset, OpenTransaction>
      unreplicated_;  ///< ended, but the end marker is not yet below the high watermark
  Offset end_offset_{0};
};

}  // namespace brook::storage

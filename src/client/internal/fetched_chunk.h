#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/consumer.h"
#include "client/internal/connection.h"
#include "record/batch.h"

namespace brook::client::internal {

/// A transaction that was aborted, and where it began in the partition.
struct AbortedRange {
  ProducerId producer;
  Offset first_offset;
};

/// What one reply brought of one partition: whole batches, decoded one by one as they are asked for. Runs on:
/// any.
class FetchedChunk {
 public:
  /// `records` are in `frame`; a part of a batch at their end is left out. `aborted` is empty unless the
  /// reader is to be shielded from them. CORRUPT_MESSAGE or UNSUPPORTED_FOR_MESSAGE_FORMAT where no whole
  /// batch of format 2 is there.
  [[nodiscard]] static Result<FetchedChunk> make(ReplyFrame frame, ByteView records,
                                                 std::vector<AbortedRange> aborted);

  /// The whole batches' bytes.
  [[nodiscard]] std::size_t size_in_bytes() const { return records_.size(); }
  /// Of these, what next() has not come to yet.
  [[nodiscard]] std::size_t bytes_left() const { return batches_.rest().size(); }
  /// Behind the last batch: where the next fetch begins.
  [[nodiscard]] Offset next_offset() const { return next_offset_; }

  /// The records at or behind `from` of the next batch that has any for the application; nothing at the end.
  /// Control batches and aborted records are passed over. After an error it is over.
  [[nodiscard]] Result<std::optional<ConsumedBatch>> next(const TopicPartition& partition, Offset from,
                                                          const ConsumerOptions& options);

 private:
  FetchedChunk(ReplyFrame frame, ByteView records, std::vector<AbortedRange> aborted);

  /// Whether the batch belongs to a transaction that was aborted; follows the ends of transactions.
  Result<bool> is_aborted(const record::BatchView& batch);
  Result<ConsumedBatch> decode(const record::BatchView& batch, Offset from,
                               const ConsumerOptions& options) const;

  ReplyFrame frame_;
  ByteView records_;
  record::BatchIterator batches_;
  Offset next_offset_;
  std::deque<AbortedRange> aborted_;  ///< not begun yet, by first offset
  std::set<ProducerId> aborting_;     ///< begun and not ended
};

}  // namespace brook::client::internal

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"

namespace brook::record {

struct BatchOptions {
  Compression compression = {};
  Offset base_offset = {};
  std::optional<LeaderEpoch> leader_epoch = {};
  TimestampType timestamp_type = TimestampType::kCreateTime;
  /// In place of the greatest timestamp of the records: the append time, or what compaction keeps for a batch
  /// it empties.
  std::optional<Timestamp> max_timestamp = {};
  std::optional<Timestamp> delete_horizon = {};
  std::optional<ProducerId> producer_id = {};
  ProducerEpoch producer_epoch{-1};
  std::optional<std::int32_t> base_sequence = {};
  bool transactional = false;
  bool control = false;
};

/// Builds one batch of format 2. Runs on: any.
class BatchBuilder {
 public:
  explicit BatchBuilder(BatchOptions options);

  /// Adds a record at the offset that follows the last one's. Keys, values and headers are copied.
  void append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const HeaderView> headers = {});
  /// Adds a record at `offset`, which is greater than that of the last record: what compaction leaves has
  /// gaps.
  void append_at(Offset offset, Timestamp timestamp, std::optional<ByteView> key,
                 std::optional<ByteView> value, std::span<const HeaderView> headers = {});
  /// Makes the batch end at `offset`, not before its last record: compaction keeps a batch's range.
  void set_last_offset(Offset offset);

  [[nodiscard]] std::int32_t record_count() const { return record_count_; }
  /// The size that the batch would have now without compression.
  [[nodiscard]] std::size_t uncompressed_size() const { return kBatchHeaderSize + records_.size(); }

  /// The batch, checksum and all. The builder is spent then. Without records it is a bare header, as
  /// compaction writes.
  [[nodiscard]] Bytes finish();

 private:
  BatchOptions options_;
  Bytes records_;
  std::int32_t record_count_ = 0;
  std::int32_t last_offset_delta_ = -1;
  std::optional<Timestamp> base_timestamp_;
  Timestamp max_timestamp_ = kNoTimestamp;
};

/// Makes one batch of `bytes`: room for a header, and behind it `count` of the records of `batch`, as they
/// stand in it decompressed. It keeps everything of `batch` but the other records, whose offsets become gaps,
/// and the codec's output; `max_timestamp` is that of the records. `count` is greater than 0.
void finish_reduced(const BatchView& batch, Bytes& bytes, std::int32_t count, Timestamp max_timestamp);

}  // namespace brook::record

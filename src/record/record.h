#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// The records inside of a batch, after decompression.
namespace brook::record {

struct HeaderView {
  ByteView key;  ///< UTF-8 by convention; nothing checks it
  std::optional<ByteView> value;
};

/// One record as views into the batch's payload. Its structure has been checked, headers included.
struct RecordView {
  std::size_t size_in_bytes = 0;  ///< with the length in front
  std::int8_t attributes = 0;     ///< unused by Kafka
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  std::int32_t header_count = 0;
  ByteView header_bytes;  ///< the headers as they stand in the record, without their count

  [[nodiscard]] std::vector<HeaderView> headers() const;
};

/// Walks the decompressed records of a batch. It is strict: every length must fit, each record must fill its
/// declared size, header keys must not be null, and after `record_count` records nothing may be left.
class RecordIterator {
 public:
  RecordIterator(ByteView records, std::int32_t record_count) : rest_(records), record_count_(record_count) {}

  /// The next record, nothing after the last. INVALID_RECORD, with the record's index in the sentence.
  [[nodiscard]] Result<std::optional<RecordView>> next();
  /// The same into `record`; false after the last.
  [[nodiscard]] Result<bool> next(RecordView& record);
  /// The index of the record that next() gives next.
  [[nodiscard]] std::int32_t index() const { return index_; }

 private:
  ByteView rest_;
  std::int32_t record_count_;
  std::int32_t index_ = 0;
};

}  // namespace brook::record

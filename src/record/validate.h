#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/siphash.h"
#include "record/batch.h"
#include "record/compression.h"

/// What Kafka's LogValidator does, as a function: checks the records that a producer sent for one partition,
/// and makes them what the log appends, in place wherever it can.
namespace brook::record {

/// Who appends. Only clients are held to a base offset of 0, to sequences, and to no control batches.
enum class Origin : std::uint8_t { kClient, kCoordinator, kReplication };

/// Past this a compressed batch is refused, so that a small request cannot cost minutes of decompression.
inline constexpr std::size_t kDecompressedBytesMax = std::size_t{256} << 20U;
/// A refusal lists so many records and no more; its sentence counts them all.
inline constexpr std::size_t kRecordErrorsMax = 1000;

/// Hashes of a batch's keys, one record after the other; records without a key are left out.
struct KeyHashes {
  SipKey seed;
  std::vector<Hash128> hashes;
};

struct ValidateOptions {
  /// For sentences. The view lives as long as the call.
  std::string_view topic;
  PartitionIndex partition;
  /// The offset that the first record gets: the log's end.
  Offset next_offset;
  LeaderEpoch leader_epoch;
  /// The broker's wall clock.
  Timestamp now;
  /// The topic's compression.type with its level; nothing is `producer`: what the producer chose stays.
  std::optional<Compression> compression;
  TimestampType timestamp_type = TimestampType::kCreateTime;  ///< message.timestamp.type
  std::chrono::milliseconds timestamp_before_max =
      std::chrono::milliseconds::max();                                   ///< message.timestamp.before.max.ms
  std::chrono::milliseconds timestamp_after_max = std::chrono::hours(1);  ///< message.timestamp.after.max.ms
  /// cleanup.policy has compact: every record needs a key.
  bool compacted = false;
  std::size_t max_message_bytes = 1048588;  ///< max.message.bytes
  std::size_t decompressed_bytes_max = kDecompressedBytesMax;
  /// False trusts the header of a compressed batch that is kept as it came, and does not decompress it: then
  /// counts, deltas and timestamps are the producer's word. Kafka always looks. A compacted topic is looked
  /// into in any case.
  bool check_compressed_records = true;
  Origin origin = Origin::kClient;
  /// Filled while the records are read; nobody else reads their keys then. Lives as long as the call.
  KeyHashes* keys = nullptr;
};

/// A batch that is ready to append: offsets, leader epoch, timestamps and checksum are set.
struct Validated {
  /// The batch in the buffer that it came in; without what followed it there (a cut-off batch is dropped, as
  /// Kafka does).
  MutableBytes in_place;
  /// The batch anew, where the topic's codec or the deltas demanded it; empty otherwise.
  Bytes rewritten;

  Offset first_offset;
  Offset last_offset;
  /// kNoTimestamp where no record has one.
  Timestamp max_timestamp;
  /// What the time index keeps beside it: the batch's last offset, not that of the record (as Kafka
  /// since 3.8).
  Offset offset_of_max_timestamp;
  std::int32_t record_count = 0;
  /// What the producer sent, and what the log gets.
  Codec source_codec = Codec::kNone;
  Codec codec = Codec::kNone;

  [[nodiscard]] bool was_rewritten() const { return !rewritten.empty(); }
  /// What to append.
  [[nodiscard]] ByteView bytes() const { return was_rewritten() ? ByteView(rewritten) : ByteView(in_place); }
};

/// One record that was refused, by its index in the batch: `record_errors` of a produce response.
struct RecordError {
  std::int32_t batch_index = 0;
  std::string message;

  friend bool operator==(const RecordError&, const RecordError&) = default;
};

struct ValidationFailure {
  Error error;
  std::vector<RecordError> record_errors;
};

/// Checks the records of one partition in a produce request (version 3 and later) and assigns their offsets.
/// On failure the buffer is as it was. Errors:
///   INVALID_RECORD                no batch, more than one, a format before 2, an offset other than 0, counts
///   that disagree, a control
///                                 batch, a producer without epoch or sequence, broken records or
///                                 compression, a missing key
///   CORRUPT_MESSAGE               no batch can look like this, or the checksum is wrong
///   MESSAGE_TOO_LARGE             larger than max.message.bytes, before or after recompression; decompresses
///   to too much INVALID_TIMESTAMP             records too old, too new, or claiming the append time
///   UNSUPPORTED_COMPRESSION_TYPE  a codec that does not exist. (zstd before Produce 7 is for the handler:
///   Validated::source_codec.)
[[nodiscard]] std::expected<Validated, ValidationFailure> validate(MutableBytes records,
                                                                   const ValidateOptions& options);

}  // namespace brook::record

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/compression.h"

/// Record batches of format 2 (magic 2), as producers send them, the log keeps them and consumers receive
/// them.
namespace brook::record {

/// What precedes the bytes that a batch's length counts: base offset and length.
inline constexpr std::size_t kLogOverhead = 12;
/// A batch without records.
inline constexpr std::size_t kBatchHeaderSize = 61;
/// Up to and with the magic byte: what one must have to know how long a batch is and whether it can be one.
inline constexpr std::size_t kHeaderSizeToMagic = 17;

/// The timestamp of a record that has none.
inline constexpr Timestamp kNoTimestamp{-1};

enum class TimestampType : std::uint8_t { kCreateTime, kLogAppendTime };

/// The size in bytes of the batch that begins here, of any format; nothing where fewer bytes are here than
/// the batch (or its header up to the magic) has. CORRUPT_MESSAGE where no batch can begin like this: an
/// impossible length or magic.
[[nodiscard]] Result<std::optional<std::size_t>> frame_size(ByteView bytes);

/// Reads one batch of format 2 in bytes that someone else owns. The header's lengths and codec have been
/// checked against the bytes; nothing else has: see check_crc(), and validate.h for what a producer may send.
class BatchView {
 public:
  /// The first batch in `bytes`, which may go on behind it. CORRUPT_MESSAGE where the bytes are no whole
  /// batch, UNSUPPORTED_FOR_MESSAGE_FORMAT for a message of format 0 or 1, UNSUPPORTED_COMPRESSION_TYPE for
  /// an unknown codec.
  [[nodiscard]] static Result<BatchView> parse(ByteView bytes);

  /// The whole batch, header and records.
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size_in_bytes() const { return bytes_.size(); }

  [[nodiscard]] Offset base_offset() const { return Offset(get<std::int64_t>(0)); }
  /// What follows the length field: size_in_bytes() − kLogOverhead.
  [[nodiscard]] std::int32_t batch_length() const { return get<std::int32_t>(8); }
  /// Nothing in a batch that no leader has appended.
  [[nodiscard]] std::optional<LeaderEpoch> partition_leader_epoch() const;
  [[nodiscard]] std::int8_t magic() const { return get<std::int8_t>(16); }
  [[nodiscard]] std::uint32_t crc() const { return get<std::uint32_t>(17); }

  [[nodiscard]] std::uint16_t attributes() const { return get<std::uint16_t>(21); }
  [[nodiscard]] Codec codec() const { return static_cast<Codec>(attributes() & 0x07U); }
  [[nodiscard]] TimestampType timestamp_type() const;
  [[nodiscard]] bool is_transactional() const { return (attributes() & 0x10U) != 0; }
  [[nodiscard]] bool is_control() const { return (attributes() & 0x20U) != 0; }
  /// When compaction may drop the tombstones and markers of this batch (KIP-534); it stands in the base
  /// timestamp's place.
  [[nodiscard]] std::optional<Timestamp> delete_horizon() const;

  [[nodiscard]] std::int32_t last_offset_delta() const { return get<std::int32_t>(23); }
  /// May be less than base_offset() in a batch that was not validated.
  [[nodiscard]] Offset last_offset() const;
  [[nodiscard]] Timestamp base_timestamp() const { return Timestamp(get<std::int64_t>(27)); }
  [[nodiscard]] Timestamp max_timestamp() const { return Timestamp(get<std::int64_t>(35)); }
  /// A record's own timestamp: base plus delta, or the append time of the whole batch.
  [[nodiscard]] Timestamp timestamp_of(std::int64_t timestamp_delta) const;

  /// Nothing where the producer is neither idempotent nor transactional; epoch and sequence mean nothing
  /// then.
  [[nodiscard]] std::optional<ProducerId> producer_id() const;
  [[nodiscard]] ProducerEpoch producer_epoch() const { return ProducerEpoch(get<std::int16_t>(51)); }
  /// Nothing in markers, which have a producer but no sequence.
  [[nodiscard]] std::optional<std::int32_t> base_sequence() const;
  /// The sequence of the last record; it wraps from 2^31 − 1 to 0.
  [[nodiscard]] std::optional<std::int32_t> last_sequence() const;

  /// As the header declares it; negative values are the producer's mistake.
  [[nodiscard]] std::int32_t record_count() const { return get<std::int32_t>(57); }
  /// The records, compressed as one block by codec().
  [[nodiscard]] ByteView records() const { return bytes_.subspan(kBatchHeaderSize); }

  /// CORRUPT_MESSAGE where the checksum is not that of the bytes from the attributes on.
  [[nodiscard]] Result<void> check_crc() const;
  [[nodiscard]] std::uint32_t computed_crc() const;

 private:
  explicit BatchView(ByteView bytes) : bytes_(bytes) {}

  template <class T>
  [[nodiscard]] T get(std::size_t at) const {
    return load_be<T>(bytes_.data() + at);
  }

  ByteView bytes_;
};

/// `sequence` moved on by `records`, as sequences wrap: 2^31 − 1 is followed by 0. Neither is negative.
[[nodiscard]] std::int32_t increment_sequence(std::int32_t sequence, std::int32_t records);

/// Patches a batch that BatchView::parse accepted. Offset and leader epoch are outside of the checksum.
void set_base_offset(MutableBytes batch, Offset offset);
void set_partition_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
/// Sets the maximum timestamp and what kind of timestamp it is, and the checksum anew; without a change it
/// touches nothing.
void set_max_timestamp(MutableBytes batch, TimestampType type, Timestamp max_timestamp);

/// Makes the batch one of an idempotent producer, whose sequence of its first record is `base_sequence`, and
/// sets the checksum anew. A producer knows them only when it sends.
void set_producer(MutableBytes batch, ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence);

/// Walks the batches of a buffer, of which the last may be cut off.
class BatchIterator {
 public:
  explicit BatchIterator(ByteView bytes) : bytes_(bytes) {}

  /// The next batch; nothing at the end, and where only a part of a batch is left. After an error the walk is
  /// over.
  [[nodiscard]] Result<std::optional<BatchView>> next();
  /// Where the next batch begins: the length of the whole batches passed so far.
  [[nodiscard]] std::size_t position() const { return position_; }
  /// What has not been walked; at the end, the partial batch.
  [[nodiscard]] ByteView rest() const { return bytes_.subspan(position_); }

 private:
  ByteView bytes_;
  std::size_t position_ = 0;
};

}  // namespace brook::record

#include "record/batch.h"

#include <fmt/format.h>

#include <limits>

#include "base/crc32c.h"

namespace brook::record {
namespace {

// Where the fields begin that are also written here.
constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kLeaderEpochAt = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = 21;
constexpr std::size_t kMaxTimestampAt = 35;
constexpr std::size_t kProducerIdAt = 43;
constexpr std::size_t kProducerEpochAt = 51;
constexpr std::size_t kBaseSequenceAt = 53;

constexpr std::int8_t kMagic = 2;
// The shortest message of format 0: its length counts checksum, magic, attributes and two lengths.
constexpr std::int32_t kLegacyLengthMin = 14;
constexpr std::uint16_t kLogAppendTimeBit = 0x08;
constexpr std::uint16_t kDeleteHorizonBit = 0x40;

std::uint32_t crc_of(ByteView batch) { return crc32c(batch.subspan(kAttributesAt)); }

}  // namespace

Result<std::optional<std::size_t>> frame_size(ByteView bytes) {
  if (bytes.size() < kLogOverhead) return std::optional<std::size_t>();
  const auto length = load_be<std::int32_t>(bytes.data() + kLengthAt);
  if (length < kLegacyLengthMin) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("a batch declares {} bytes after its length, less than the {} of the "
                            "shortest message",
                            length, kLegacyLengthMin));
  }
  if (bytes.size() < kHeaderSizeToMagic) return std::optional<std::size_t>();
  const auto magic = load_be<std::int8_t>(bytes.data() + kMagicAt);
  if (magic < 0 || magic > kMagic) {
    return fail(ErrorCode::kCorruptMessage, fmt::format("a batch has magic {}, which does not exist", magic));
  }
  const std::size_t size = kLogOverhead + static_cast<std::size_t>(length);
  if (magic == kMagic && size < kBatchHeaderSize) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("a batch declares a size of {} bytes, less than its header of {}", size,
                            kBatchHeaderSize));
  }
  if (bytes.size() < size) return std::optional<std::size_t>();
  return std::optional<std::size_t>(size);
}

Result<BatchView> BatchView::parse(ByteView bytes) {
  BROOK_TRY(const auto size, frame_size(bytes));
  if (!size) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("the {} bytes here end before their batch does", bytes.size()));
  }
  const BatchView batch(bytes.first(*size));
  if (batch.magic() != kMagic) {
    return fail(
        ErrorCode::kUnsupportedForMessageFormat,
        fmt::format("messages of format {} are not read, only batches of format 2 (Kafka 0.11 and later)",
                    batch.magic()));
  }
  if (const auto codec = batch.attributes() & 0x07U; codec >= kCodecCount) {
    return fail(ErrorCode::kUnsupportedCompressionType,
                fmt::format("the batch at offset {} names compression codec {}, which does not exist",
                            batch.base_offset().value(), codec));
  }
  return batch;
}

std::optional<LeaderEpoch> BatchView::partition_leader_epoch() const {
  const auto epoch = get<std::int32_t>(kLeaderEpochAt);
  return epoch < 0 ? std::nullopt : std::optional(LeaderEpoch(epoch));
}

TimestampType BatchView::timestamp_type() const {
  return (attributes() & kLogAppendTimeBit) != 0 ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
}

std::optional<Timestamp> BatchView::delete_horizon() const {
  return (attributes() & kDeleteHorizonBit) != 0 ? std::optional(base_timestamp()) : std::nullopt;
}

Offset BatchView::last_offset() const {
  // The fields may be anything in a batch from outside: the sum wraps instead of overflowing.
  const auto sum = static_cast<std::uint64_t>(base_offset().value()) +
                   static_cast<std::uint64_t>(std::int64_t{last_offset_delta()});
  return Offset(static_cast<std::int64_t>(sum));
}

Timestamp BatchView::timestamp_of(std::int64_t timestamp_delta) const {
  if (timestamp_type() == TimestampType::kLogAppendTime) return max_timestamp();
  const auto sum =
      static_cast<std::uint64_t>(base_timestamp().value()) + static_cast<std::uint64_t>(timestamp_delta);
  return Timestamp(static_cast<std::int64_t>(sum));
}

std::optional<ProducerId> BatchView::producer_id() const {
  const auto id = get<std::int64_t>(kProducerIdAt);
  return id < 0 ? std::nullopt : std::optional(ProducerId(id));
}

std::optional<std::int32_t> BatchView::base_sequence() const {
  const auto sequence = get<std::int32_t>(kBaseSequenceAt);
  return sequence < 0 ? std::nullopt : std::optional(sequence);
}

std::optional<std::int32_t> BatchView::last_sequence() const {
  const auto first = base_sequence();
  if (!first || last_offset_delta() < 0) return first;
  return increment_sequence(*first, last_offset_delta());
}

std::uint32_t BatchView::computed_crc() const { return crc_of(bytes_); }

Result<void> BatchView::check_crc() const {
  const std::uint32_t computed = computed_crc();
  if (computed == crc()) return {};
  return fail(ErrorCode::kCorruptMessage,
              fmt::format("the batch of {} bytes at offset {} is corrupt: its checksum is {:#010x}, "
                          "its bytes have {:#010x}",
                          size_in_bytes(), base_offset().value(), crc(), computed));
}

std::int32_t increment_sequence(std::int32_t sequence, std::int32_t records) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  return sequence > kMax - records ? records - (kMax - sequence) - 1 : sequence + records;
}

void set_base_offset(MutableBytes batch, Offset offset) { store_be(batch.data(), offset.value()); }

void set_partition_leader_epoch(MutableBytes batch, LeaderEpoch epoch) {
  store_be(batch.data() + kLeaderEpochAt, epoch.value());
}

void set_max_timestamp(MutableBytes batch, TimestampType type, Timestamp max_timestamp) {
  const auto before = load_be<std::uint16_t>(batch.data() + kAttributesAt);
  const auto other_bits = static_cast<std::uint16_t>(before & ~kLogAppendTimeBit);
  const auto type_bit = type == TimestampType::kLogAppendTime ? kLogAppendTimeBit : std::uint16_t{0};
  const auto attributes = static_cast<std::uint16_t>(other_bits | type_bit);
  if (attributes == before && load_be<std::int64_t>(batch.data() + kMaxTimestampAt) == max_timestamp.value())
    return;
  store_be(batch.data() + kAttributesAt, attributes);
  store_be(batch.data() + kMaxTimestampAt, max_timestamp.value());
  store_be(batch.data() + kCrcAt, crc_of(batch));
}

void set_producer(MutableBytes batch, ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence) {
  store_be(batch.data() + kProducerIdAt, id.value());
  store_be(batch.data() + kProducerEpochAt, epoch.value());
  store_be(batch.data() + kBaseSequenceAt, base_sequence);
  store_be(batch.data() + kCrcAt, crc_of(batch));
}

Result<std::optional<BatchView>> BatchIterator::next() {
  BROOK_TRY(const auto size, frame_size(rest()));
  if (!size) return std::optional<BatchView>();
  BROOK_TRY(const auto batch, BatchView::parse(rest()));
  position_ += *size;
  return std::optional(batch);
}

}  // namespace brook::record

#include "storage/internal/batch_header.h"

#include <fmt/core.h>

#include <limits>

#include "base/crc32c.h"
#include "record/batch.h"
#include "record/control.h"
#include "record/crc32.h"
#include "record/record.h"

namespace brook::storage::internal {
namespace {

/// Of the first record of a control batch, which is never compressed.
std::optional<EndMarker> parse_end_marker(ByteView batch) {
  const auto view = record::BatchView::parse(batch);
  if (!view) return std::nullopt;
  record::RecordIterator records(view->records(), view->record_count());
  const auto first = records.next();
  if (!first || !*first || !(*first)->key || !(*first)->value) return std::nullopt;
  const auto marker = record::EndTxnMarker::parse(*(*first)->key, *(*first)->value);
  if (!marker) return std::nullopt;
  return EndMarker{marker->committed, marker->coordinator_epoch};
}

}  // namespace

std::optional<BatchHeader> parse_batch_header(ByteView bytes) {
  if (bytes.size() < kBatchHeaderSize) return std::nullopt;
  const std::byte* at = bytes.data();
  const auto length = load_be<std::int32_t>(at + 8);
  const auto delta = load_be<std::int32_t>(at + 23);
  const auto base = load_be<std::int64_t>(at);
  if (load_be<std::int8_t>(at + 16) != 2 || base < 0 || delta < 0 ||
      base > std::numeric_limits<std::int64_t>::max() - delta - 1 ||
      length < static_cast<std::int32_t>(kBatchHeaderSize - record::kLogOverhead)) {
    return std::nullopt;
  }
  BatchHeader header;
  header.base_offset = Offset(base);
  header.last_offset = Offset(base + delta);
  header.size = static_cast<std::uint32_t>(length) + static_cast<std::uint32_t>(record::kLogOverhead);
  header.leader_epoch = LeaderEpoch(load_be<std::int32_t>(at + 12));
  header.crc = load_be<std::uint32_t>(at + 17);
  header.attributes = load_be<std::int16_t>(at + 21);
  header.max_timestamp = Timestamp(load_be<std::int64_t>(at + 35));
  header.producer_id = ProducerId(load_be<std::int64_t>(at + 43));
  header.producer_epoch = ProducerEpoch(load_be<std::int16_t>(at + 51));
  header.base_sequence = load_be<std::int32_t>(at + 53);
  header.last_offset_delta = delta;
  return header;
}

bool looks_like_old_message(ByteView bytes, std::uint64_t available) {
  constexpr std::size_t kAttributesAt = 17;
  if (bytes.size() <= kAttributesAt) return false;
  const auto magic = load_be<std::int8_t>(bytes.data() + 16);
  const auto length = load_be<std::int32_t>(bytes.data() + 8);
  // CRC, magic, attributes, the lengths of key and value, and in format 1 a timestamp. Zeros that a crash
  // left have no length.
  const std::int32_t least = magic == 0 ? 14 : 22;
  const auto attributes = load_be<std::uint8_t>(bytes.data() + kAttributesAt);
  return (magic == 0 || magic == 1) && length >= least && (attributes & 0xf0U) == 0 &&
         load_be<std::int64_t>(bytes.data()) >= 0 &&
         static_cast<std::uint64_t>(length) + record::kLogOverhead <= available;
}

std::size_t old_message_size(ByteView bytes) {
  return static_cast<std::size_t>(load_be<std::int32_t>(bytes.data() + 8)) + record::kLogOverhead;
}

bool is_old_message(ByteView message) {
  constexpr std::size_t kOldCrcAt = 12;
  constexpr std::size_t kOldCrcStart = 16;
  if (message.size() < kOldCrcStart) return false;
  return load_be<std::uint32_t>(message.data() + kOldCrcAt) == record::crc32(message.subspan(kOldCrcStart));
}

std::unexpected<Error> old_message(std::string_view path, std::uint64_t position) {
  return fail(ErrorCode::kKafkaStorageError,
              fmt::format("{} at byte {}: a message of format 0 or 1, which Kafka wrote before 0.11 and "
                          "Brook does not read",
                          path, position));
}

bool crc_matches(ByteView batch, const BatchHeader& header) {
  return batch.size() >= header.size &&
         crc32c(batch.subspan(kCrcStart, header.size - kCrcStart)) == header.crc;
}

std::optional<ProducerBatch> producer_batch(ByteView batch, const BatchHeader& header,
                                            std::int16_t transaction_version) {
  if (header.producer_id.value() < 0) return std::nullopt;
  ProducerBatch out;
  out.producer_id = header.producer_id;
  out.epoch = header.producer_epoch;
  out.first_sequence = header.base_sequence;
  out.last_sequence = header.base_sequence;
  if (header.base_sequence >= 0) {
    out.last_sequence = record::increment_sequence(header.base_sequence, header.last_offset_delta);
  }
  out.first_offset = header.base_offset;
  out.last_offset = header.last_offset;
  out.max_timestamp = header.max_timestamp;
  out.transactional = header.transactional();
  out.control = header.control();
  if (out.control && batch.size() > kBatchHeaderSize) {
    out.marker = parse_end_marker(batch);
    if (out.marker) out.marker->transaction_version = transaction_version;
  }
  return out;
}

}  // namespace brook::storage::internal

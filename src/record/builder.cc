#include "record/builder.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"
#include "base/varint.h"

namespace brook::record {
namespace {

std::int32_t length_of(const std::optional<ByteView>& bytes) {
  return bytes ? static_cast<std::int32_t>(bytes->size()) : -1;
}

std::size_t nullable_size(const std::optional<ByteView>& bytes) {
  return varint_size(length_of(bytes)) + (bytes ? bytes->size() : 0);
}

void put(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void put_varlong(Bytes& out, std::int64_t value) {
  std::array<std::byte, kMaxVarlongSize> buffer;
  put(out, ByteView(buffer).first(write_varlong(buffer.data(), value)));
}

// A 32-bit varint is the 64-bit one of the same value.
void put_varint(Bytes& out, std::int32_t value) { put_varlong(out, value); }

void put_nullable(Bytes& out, const std::optional<ByteView>& bytes) {
  put_varint(out, length_of(bytes));
  if (bytes) put(out, *bytes);
}

/// Length and checksum, when all else is there.
void finish_header(Bytes& batch) {
  store_be(batch.data() + 8, static_cast<std::int32_t>(batch.size() - kLogOverhead));
  store_be(batch.data() + 17, crc32c(ByteView(batch).subspan(21)));
}

}  // namespace

BatchBuilder::BatchBuilder(BatchOptions options)
    : options_(options), base_timestamp_(options.delete_horizon) {}

void BatchBuilder::append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
                          std::span<const HeaderView> headers) {
  append_at(options_.base_offset + (last_offset_delta_ + 1), timestamp, key, value, headers);
}

void BatchBuilder::append_at(Offset offset, Timestamp timestamp, std::optional<ByteView> key,
                             std::optional<ByteView> value, std::span<const HeaderView> headers) {
  if (!base_timestamp_) base_timestamp_ = timestamp;
  // Timestamps may be anything: the difference wraps, and readers add it back the same way.
  const auto timestamp_delta = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(timestamp.value()) - static_cast<std::uint64_t>(base_timestamp_->value()));
  const auto offset_delta = static_cast<std::int32_t>(offset - options_.base_offset);
  const auto header_count = static_cast<std::int32_t>(headers.size());

  std::size_t size = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(key) +
                     nullable_size(value) + varint_size(header_count);
  for (const auto& header : headers) size += nullable_size(header.key) + nullable_size(header.value);

  put_varint(records_, static_cast<std::int32_t>(size));
  records_.push_back(std::byte{0});
  put_varlong(records_, timestamp_delta);
  put_varint(records_, offset_delta);
  put_nullable(records_, key);
  put_nullable(records_, value);
  put_varint(records_, header_count);
  for (const auto& header : headers) {
    put_nullable(records_, header.key);
    put_nullable(records_, header.value);
  }
  ++record_count_;
  last_offset_delta_ = offset_delta;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
}

void BatchBuilder::set_last_offset(Offset offset) {
  last_offset_delta_ = static_cast<std::int32_t>(offset - options_.base_offset);
}

Bytes BatchBuilder::finish() {
  // A header alone has nothing to compress.
  const Codec codec = record_count_ == 0 ? Codec::kNone : options_.compression.codec;
  const Bytes compressed = codec == Codec::kNone ? Bytes() : compress(options_.compression, records_);
  const ByteView records = codec == Codec::kNone ? ByteView(records_) : ByteView(compressed);

  auto attributes = static_cast<std::uint16_t>(codec);
  if (options_.timestamp_type == TimestampType::kLogAppendTime) attributes |= 0x08U;
  if (options_.transactional) attributes |= 0x10U;
  if (options_.control) attributes |= 0x20U;
  if (options_.delete_horizon) attributes |= 0x40U;

  Bytes batch;
  batch.reserve(kBatchHeaderSize + records.size());
  batch.resize(kBatchHeaderSize);
  std::byte* at = batch.data();
  store_be(at, options_.base_offset.value());
  store_be(at + 12, options_.leader_epoch ? options_.leader_epoch->value() : std::int32_t{-1});
  store_be(at + 16, std::int8_t{2});
  store_be(at + 21, attributes);
  store_be(at + 23, std::max(last_offset_delta_, 0));
  store_be(at + 27, base_timestamp_.value_or(kNoTimestamp).value());
  store_be(at + 35, options_.max_timestamp.value_or(max_timestamp_).value());
  store_be(at + 43, options_.producer_id ? options_.producer_id->value() : std::int64_t{-1});
  store_be(at + 51, options_.producer_epoch.value());
  store_be(at + 53, options_.base_sequence.value_or(-1));
  store_be(at + 57, record_count_);
  batch.insert(batch.end(), records.begin(), records.end());
  finish_header(batch);
  return batch;
}

void finish_reduced(const BatchView& batch, Bytes& bytes, std::int32_t count, Timestamp max_timestamp) {
  if (batch.codec() != Codec::kNone) {
    const Bytes compressed =
        compress({.codec = batch.codec(), .level = {}}, ByteView(bytes).subspan(kBatchHeaderSize));
    bytes.resize(kBatchHeaderSize);
    put(bytes, compressed);
  }
  copy_bytes(MutableBytes(bytes).first(kBatchHeaderSize), batch.bytes().first(kBatchHeaderSize));
  if (batch.timestamp_type() == TimestampType::kCreateTime)
    store_be(bytes.data() + 35, max_timestamp.value());
  store_be(bytes.data() + 57, count);
  finish_header(bytes);
}

}  // namespace brook::record

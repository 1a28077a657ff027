#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "record/record.h"

namespace brook::record::internal {

/// Where records are read from when all of them are in memory.
class MemorySource {
 public:
  explicit MemorySource(ByteView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  /// The next byte, or −1 at the end.
  int byte() { return at_ == end_ ? -1 : std::to_integer<int>(*at_++); }
  /// Passes over `size` bytes and shows them in `bytes`; false where there are fewer.
  bool take(std::size_t size, ByteView& bytes) {
    if (size > static_cast<std::size_t>(end_ - at_)) return false;
    bytes = {at_, size};
    at_ += size;
    return true;
  }
  [[nodiscard]] const std::byte* at() const { return at_; }
  [[nodiscard]] ByteView rest() const { return {at_, end_}; }

 private:
  const std::byte* at_;
  const std::byte* end_;
};

/// Reads the fields of one record from a Source, which has MemorySource's byte() and take(); one that streams
/// shows no bytes, but may show those of a key with take_key(). It counts what it reads, so that nothing
/// reaches beyond the record's declared size.
template <class Source>
class RecordReader {
 public:
  explicit RecordReader(Source& source) : source_(source) {}

  /// Empty on success, else what is wrong with the record, as the end of a sentence about it. `from` is where
  /// the header bytes can be shown, for sources in memory.
  std::string_view read(RecordView& record) {
    left_ = 5;  // The length itself, which counts the rest.
    std::int32_t size = 0;
    if (!varint(size)) return "ends within its length";
    const std::size_t length_size = 5 - left_;
    if (size < 0) return "has a negative size";
    left_ = static_cast<std::size_t>(size);
    record.size_in_bytes = length_size + left_;

    const int attributes = next();
    if (attributes < 0) return "ends within its attributes";
    record.attributes = static_cast<std::int8_t>(attributes);
    if (!varlong(record.timestamp_delta)) return "has a broken timestamp delta";
    if (!varint(record.offset_delta)) return "has a broken offset delta";
    if (!key(record.key)) return "has a key that does not fit";
    if (!nullable(record.value)) return "has a value that does not fit";
    if (!varint(record.header_count)) return "has a broken header count";
    if (record.header_count < 0) return "has a negative number of headers";
    // A header takes two bytes or more: one that cannot fit is told before it costs anything.
    if (static_cast<std::size_t>(record.header_count) > left_ / 2) return "has more headers than fit";
    return headers(record);
  }

 private:
  std::string_view headers(RecordView& record) {
    const std::byte* from = position();
    const std::size_t size = left_;
    for (std::int32_t i = 0; i < record.header_count; ++i) {
      std::optional<ByteView> key;
      std::optional<ByteView> value;
      if (!nullable(key)) return "has a header key that does not fit";
      if (!key) return "has a header whose key is null";
      if (!nullable(value)) return "has a header value that does not fit";
    }
    if (left_ != 0) return "is longer than its fields";
    record.header_bytes = from == nullptr ? ByteView() : ByteView(from, size);
    return {};
  }

  const std::byte* position() const {
    if constexpr (requires { source_.at(); }) return source_.at();
    return nullptr;
  }

  int next() {
    if (left_ == 0) return -1;
    --left_;
    return source_.byte();
  }

  // Nearly all fields of a record have one byte.
  [[gnu::always_inline]] bool unsigned_varint(std::uint64_t& value, unsigned bits) {
    const int first = next();
    if (first < 0) return false;
    value = static_cast<std::uint64_t>(first & 0x7f);
    return (first & 0x80) == 0 || rest_of_varint(value, bits);
  }

  bool rest_of_varint(std::uint64_t& value, unsigned bits) {
    for (unsigned shift = 7; shift < bits; shift += 7) {
      const int byte = next();
      if (byte < 0) return false;
      const auto low = static_cast<std::uint64_t>(byte & 0x7f);
      if (shift + 7 > bits && (low >> (bits - shift)) != 0) return false;
      value |= low << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  [[gnu::always_inline]] bool varint(std::int32_t& value) {
    std::uint64_t raw = 0;
    if (!unsigned_varint(raw, 32)) return false;
    const auto narrow = static_cast<std::uint32_t>(raw);
    value = static_cast<std::int32_t>((narrow >> 1U) ^ (~(narrow & 1U) + 1U));
    return true;
  }

  [[gnu::always_inline]] bool varlong(std::int64_t& value) {
    std::uint64_t raw = 0;
    if (!unsigned_varint(raw, 64)) return false;
    value = static_cast<std::int64_t>((raw >> 1U) ^ (~(raw & 1U) + 1U));
    return true;
  }

  [[gnu::always_inline]] bool nullable(std::optional<ByteView>& bytes) {
    std::size_t size = 0;
    if (!nullable_size(bytes, size)) return false;
    return !bytes || source_.take(size, *bytes);
  }

  [[gnu::always_inline]] bool key(std::optional<ByteView>& bytes) {
    std::size_t size = 0;
    if (!nullable_size(bytes, size)) return false;
    if (!bytes) return true;
    if constexpr (requires { source_.take_key(size, *bytes); }) return source_.take_key(size, *bytes);
    return source_.take(size, *bytes);
  }

  // Any negative length is null, as Kafka reads it.
  [[gnu::always_inline]] bool nullable_size(std::optional<ByteView>& bytes, std::size_t& size) {
    std::int32_t declared = 0;
    if (!varint(declared)) return false;
    bytes.reset();
    if (declared < 0) return true;
    size = static_cast<std::size_t>(declared);
    if (size > left_) return false;
    left_ -= size;
    bytes.emplace();
    return true;
  }

  Source& source_;
  std::size_t left_ = 0;
};

}  // namespace brook::record::internal

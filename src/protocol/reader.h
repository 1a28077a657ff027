#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "protocol/types.h"

namespace brook::protocol {

/// Reads Kafka's primitive types from bytes that someone else owns; `records` come out as views of them. The
/// first malformed value fails the reader for good: what is read afterwards is zero or empty, so generated
/// code checks ok() once per element and once at the end. `compact` chooses the flexible versions' form,
/// `field` names the field in the error. Nothing is allocated before the length that asks for it was checked
/// against the bytes that are left. Runs on: any.
class Reader {
 public:
  /// `elements_max` bounds the elements of all arrays together: decoded, an element of a few bytes takes up a
  /// hundred and more, and what is made of it in turn a multiple of that.
  explicit Reader(ByteView bytes, std::size_t elements_max = SIZE_MAX)
      : bytes_(bytes), elements_left_(elements_max) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  /// It failed because its arrays have more elements than `elements_max`, and for nothing else.
  [[nodiscard]] bool has_too_many_elements() const { return too_many_; }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
  /// What has not been read yet: the body after a header.
  [[nodiscard]] ByteView rest() const { return bytes_.subspan(at_); }

  bool boolean() { return load<std::int8_t>() != 0; }
  std::int8_t int8() { return load<std::int8_t>(); }
  std::int16_t int16() { return load<std::int16_t>(); }
  std::uint16_t uint16() { return load<std::uint16_t>(); }
  std::int32_t int32() { return load<std::int32_t>(); }
  std::uint32_t uint32() { return load<std::uint32_t>(); }
  std::int64_t int64() { return load<std::int64_t>(); }
  double float64();
  Uuid uuid();
  std::uint32_t uvarint();

  std::string string(bool compact, const char* field);
  std::optional<std::string> nullable_string(bool compact, bool null_allowed, const char* field);
  Bytes bytes(bool compact, const char* field);
  std::optional<Bytes> nullable_bytes(bool compact, bool null_allowed, const char* field);
  ByteView records(bool compact, const char* field);
  std::optional<ByteView> nullable_records(bool compact, bool null_allowed, const char* field);

  /// An array's length, checked against what is left at `min_size` bytes an element; -1 where it is null (and
  /// may be) or failed.
  std::int32_t array_count(bool compact, std::size_t min_size, bool null_allowed, const char* field);
  /// The byte in front of a struct that may be null: true where the struct follows.
  bool struct_present(bool null_allowed, const char* field);

  /// Fails the reader at the current position, unless it has failed before; `what` completes "at byte 12: …".
  void fail(const char* field, std::string what);
  /// The failure as an Error: "ProduceRequest v9: Topics at byte 12: …". Requires !ok().
  [[nodiscard]] std::unexpected<Error> failure(std::string_view message, std::int16_t version) const;

 private:
  friend class TagReader;

  template <std::integral T>
  T load() {
    if (remaining() < sizeof(T)) {
      fail_short(sizeof(T));
      return 0;
    }
    const T value = load_be<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  void fail_short(std::size_t wanted);
  std::int64_t length(bool compact, bool wide, bool null_allowed, const char* field);
  ByteView take(std::size_t size);

  ByteView bytes_;
  std::size_t at_ = 0;
  std::size_t elements_left_;
  bool failed_ = false;
  bool too_many_ = false;
  std::string error_{};
};

/// How many elements to reserve for at once: the rest grows with what was really read, so that a long array
/// of short elements cannot claim memory ahead of its bytes.
inline constexpr std::int32_t kMaxReserve = 256;
[[nodiscard]] inline std::size_t reserve_for(std::int32_t count) {
  return static_cast<std::size_t>(count < kMaxReserve ? count : kMaxReserve);
}

/// Walks the tagged fields at the end of a flexible struct:
///     for (TagReader tags(in); tags.next();) switch (tags.tag()) { case 0: …read…; break; default:
///     tags.skip(); }
/// A tag must be above the one before it, and what is read for it must fill its size exactly.
class TagReader {
 public:
  explicit TagReader(Reader& in) : in_(in), left_(in.uvarint()) {}

  bool next();
  [[nodiscard]] std::uint32_t tag() const { return static_cast<std::uint32_t>(tag_); }
  /// A tag that this version of Brook does not know.
  void skip();
  /// A tag that the schema has, but not in this version: Kafka refuses it.
  void refuse();

 private:
  Reader& in_;
  std::uint32_t left_;
  std::int64_t tag_ = -1;
  std::size_t end_ = 0;
};

/// The error for a version that a message does not have.
[[nodiscard]] std::unexpected<Error> unsupported_version(std::string_view message, std::int16_t version);

}  // namespace brook::protocol

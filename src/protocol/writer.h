#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "base/varint.h"
#include "protocol/types.h"

namespace brook::protocol {

/// Bytes that belong between byte `position - 1` and byte `position` of what was written, but are elsewhere
/// (file ranges): the connection sends them from there. `id` is the ForeignRecords' own.
struct Splice {
  std::size_t position;
  std::size_t size;
  std::uint32_t id;

  friend bool operator==(const Splice&, const Splice&) = default;
};

/// Writes Kafka's primitive types to a buffer of its own, page aligned once it is large. What cannot be
/// written (a string too long, null where the version has none) is remembered as the first failure, and
/// encode hands it out. Runs on: any.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::size_t capacity) { grow(capacity); }
  Writer(Writer&& from) noexcept { swap(from); }
  Writer& operator=(Writer&& from) noexcept;
  ~Writer() = default;

  [[nodiscard]] ByteView bytes() const { return {data_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const Splice> splices() const { return splices_; }
  /// Bytes on the wire: size() and what is spliced in.
  [[nodiscard]] std::size_t total_size() const { return size_ + spliced_; }
  /// Forgets the content, keeps the memory.
  void clear();

  void boolean(bool value) { store<std::int8_t>(value ? 1 : 0); }
  void int8(std::int8_t value) { store(value); }
  void int16(std::int16_t value) { store(value); }
  void uint16(std::uint16_t value) { store(value); }
  void int32(std::int32_t value) { store(value); }
  void uint32(std::uint32_t value) { store(value); }
  void int64(std::int64_t value) { store(value); }
  void float64(double value);
  void uuid(const Uuid& value) { raw(value.bytes); }
  void uvarint(std::uint32_t value);
  void raw(ByteView bytes);
  /// Overwrites four bytes written before: a frame's length, known at its end. Requires position + 4 <=
  /// size().
  void patch_int32(std::size_t position, std::int32_t value);

  void string(bool compact, std::string_view value, const char* field);
  void byte_field(bool compact, ByteView value);
  void records(bool compact, const ForeignRecords& value);
  void records(bool compact, const RecordsView& value) { byte_field(compact, value); }
  void array_count(bool compact, std::size_t count);
  void null_string(bool compact, bool allowed, const char* field);
  /// A null array, byte field or records.
  void null_array(bool compact, bool allowed, const char* field);
  void struct_mark(bool present, bool null_allowed, const char* field);

  /// Remembers why the message cannot be written; the first reason wins.
  void refuse(const char* field, const char* why);
  /// A field that this version lacks, is not ignorable and has another value than its default.
  void refuse_absent(const char* field) { refuse(field, "has a value, but this version cannot carry it"); }

  /// Generated code only: where encode began; finish() goes back there where something was refused, and says
  /// what.
  struct Mark {
    std::size_t size;
    std::size_t splices;
    std::size_t spliced;
  };
  [[nodiscard]] Mark mark() const { return {size_, splices_.size(), spliced_}; }
  Result<void> finish(const Mark& mark, std::string_view message, std::int16_t version);

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };

  template <std::integral T>
  void store(T value) {
    if (capacity_ - size_ < sizeof(T)) grow(sizeof(T));
    store_be(data_.get() + size_, value);
    size_ += sizeof(T);
  }
  void grow(std::size_t more);
  void swap(Writer& other) noexcept;

  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t spliced_ = 0;
  std::vector<Splice> splices_;
  std::string refused_;
};

/// Takes what a Writer takes and counts bytes; the generated code runs over either. It refuses nothing.
class Sizer {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }

  void boolean(bool /*value*/) { size_ += 1; }
  void int8(std::int8_t /*value*/) { size_ += 1; }
  void int16(std::int16_t /*value*/) { size_ += 2; }
  void uint16(std::uint16_t /*value*/) { size_ += 2; }
  void int32(std::int32_t /*value*/) { size_ += 4; }
  void uint32(std::uint32_t /*value*/) { size_ += 4; }
  void int64(std::int64_t /*value*/) { size_ += 8; }
  void float64(double /*value*/) { size_ += 8; }
  void uuid(const Uuid& /*value*/) { size_ += 16; }
  void uvarint(std::uint32_t value) { size_ += uvarint_size(value); }

  void string(bool compact, std::string_view value, const char* /*field*/) {
    size_ += length_size(compact, 2, value.size()) + value.size();
  }
  void byte_field(bool compact, ByteView value) {
    size_ += length_size(compact, 4, value.size()) + value.size();
  }
  void records(bool compact, const ForeignRecords& value) {
    size_ += length_size(compact, 4, value.length()) + value.length();
  }
  void records(bool compact, const RecordsView& value) { byte_field(compact, value); }
  void array_count(bool compact, std::size_t count) { size_ += length_size(compact, 4, count); }
  void null_string(bool compact, bool /*allowed*/, const char* /*field*/) { size_ += compact ? 1 : 2; }
  void null_array(bool compact, bool /*allowed*/, const char* /*field*/) { size_ += compact ? 1 : 4; }
  void struct_mark(bool /*present*/, bool /*null_allowed*/, const char* /*field*/) { size_ += 1; }
  void refuse_absent(const char* /*field*/) {}

 private:
  static std::size_t length_size(bool compact, std::size_t plain, std::size_t length) {
    return compact ? uvarint_size(static_cast<std::uint32_t>(length + 1)) : plain;
  }

  std::size_t size_ = 0;
};

/// One tagged field: tag, size, and what `body` writes to whichever of the two it is given.
template <class Out, class Body>
void put_tag(Out& out, std::uint32_t tag, const Body& body) {
  Sizer counted;
  body(counted);
  out.uvarint(tag);
  out.uvarint(static_cast<std::uint32_t>(counted.size()));
  body(out);
}

}  // namespace brook::protocol

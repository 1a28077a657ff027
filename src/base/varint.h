#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace brook {

/// A decoded variable-length integer and the number of bytes that it took.
template <class T>
struct Varint {
  T value;
  std::size_t size;
};

/// Unsigned LEB128 as in compact lengths and tags. Nothing where the bytes end early or the value has more
/// than 32 (64) bits.
[[nodiscard]] std::optional<Varint<std::uint32_t>> read_uvarint(ByteView from);
[[nodiscard]] std::optional<Varint<std::uint64_t>> read_uvarlong(ByteView from);
/// Zigzag forms, as in records.
[[nodiscard]] std::optional<Varint<std::int32_t>> read_varint(ByteView from);
[[nodiscard]] std::optional<Varint<std::int64_t>> read_varlong(ByteView from);

inline constexpr std::size_t kMaxVarintSize = 5;
inline constexpr std::size_t kMaxVarlongSize = 10;

[[nodiscard]] std::size_t uvarint_size(std::uint32_t value);
[[nodiscard]] std::size_t uvarlong_size(std::uint64_t value);
[[nodiscard]] std::size_t varint_size(std::int32_t value);
[[nodiscard]] std::size_t varlong_size(std::int64_t value);

/// Writes at `to`, which has room for the value's size, and returns the number of bytes written.
std::size_t write_uvarint(std::byte* to, std::uint32_t value);
std::size_t write_uvarlong(std::byte* to, std::uint64_t value);
std::size_t write_varint(std::byte* to, std::int32_t value);
std::size_t write_varlong(std::byte* to, std::int64_t value);

}  // namespace brook

#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace brook {

/// A view of bytes that someone else owns. Everything on the wire and on disk is read through one.
using ByteView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_chars(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::string to_string(ByteView bytes) { return std::string(as_chars(bytes)); }

/// Copies `from` to the start of `to`, which is at least as long and does not overlap it. The one place for
/// memcpy.
inline void copy_bytes(MutableBytes to, ByteView from) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

/// The big-endian integer at `at`; the caller has checked that sizeof(T) bytes are there.
template <std::integral T>
[[nodiscard]] T load_be(const std::byte* at) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) > 1) value = std::byteswap(value);
  return static_cast<T>(value);
}

template <std::integral T>
void store_be(std::byte* at, T value) {
  auto raw = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof(T) > 1) raw = std::byteswap(raw);
  std::memcpy(at, &raw, sizeof raw);
}

[[nodiscard]] inline double load_double_be(const std::byte* at) {
  return std::bit_cast<double>(load_be<std::uint64_t>(at));
}
inline void store_double_be(std::byte* at, double value) {
  store_be(at, std::bit_cast<std::uint64_t>(value));
}

/// True where the two hold the same bytes.
[[nodiscard]] inline bool equal_bytes(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

static_assert(std::endian::native == std::endian::little, "Brook is built for little-endian machines");

}  // namespace brook

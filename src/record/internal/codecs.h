#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "record/compression.h"

namespace brook::record {

class Decompressor::Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;

  /// The next piece, never an empty one before the end.
  virtual Result<ByteView> next() = 0;
};

namespace internal {

template <std::size_t N>
constexpr std::array<std::byte, N> byte_array(const unsigned char (&values)[N]) {
  std::array<std::byte, N> bytes{};
  for (std::size_t i = 0; i < N; ++i) bytes[i] = std::byte{values[i]};
  return bytes;
}

/// What Java's SnappyOutputStream begins with: magic, version 1, compatible with 1.
inline constexpr auto kXerialHeader =
    byte_array({0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1});

/// `size_max` bounds what a reader allocates for one piece.
[[nodiscard]] std::unique_ptr<Decompressor::Reader> open_reader(Codec codec, ByteView bytes,
                                                                std::size_t size_max);

[[nodiscard]] Error too_large(std::size_t size_max);

/// Bytes as the C libraries spell them. zlib does not write through its input pointer, whatever its type
/// says.
inline unsigned char* zlib_bytes(const std::byte* bytes) {
  return static_cast<unsigned char*>(static_cast<void*>(const_cast<std::byte*>(bytes)));
}
inline char* chars(std::byte* bytes) { return static_cast<char*>(static_cast<void*>(bytes)); }

}  // namespace internal
}  // namespace brook::record

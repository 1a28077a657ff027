#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// The codecs of record batches, in the framings that Kafka's clients use: gzip; snappy in xerial's framing
/// of 32 KiB blocks (a bare snappy block is read as well); LZ4 frames of independent 64 KiB blocks; zstd.
namespace brook::record {

using Bytes = std::vector<std::byte>;

/// By their numbers in a batch's attributes.
enum class Codec : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

inline constexpr std::uint8_t kCodecCount = 5;

/// As compression.type spells it: none, gzip, snappy, lz4, zstd.
[[nodiscard]] std::string_view codec_name(Codec codec);

/// A codec and how hard it tries: gzip 1 to 9, lz4 1 to 17, zstd −131072 to 22. Levels outside are taken as
/// the nearest one; without a level it is Kafka's default (gzip −1, lz4 9, zstd 3). Snappy has none.
struct Compression {
  Codec codec = Codec::kNone;
  std::optional<int> level;

  friend bool operator==(const Compression&, const Compression&) = default;
};

/// `bytes` compressed. It fails only for want of memory, as a vector does (std::bad_alloc).
[[nodiscard]] Bytes compress(Compression compression, ByteView bytes);

/// All of `bytes` decompressed. INVALID_RECORD where they are not whole and sound, MESSAGE_TOO_LARGE where
/// they would come to more than `size_max`; no more than that (and the codec's window) is ever allocated.
[[nodiscard]] Result<Bytes> decompress(Codec codec, ByteView bytes, std::size_t size_max);

/// Decompresses piece by piece, for those who need to see all of it but never all at once. It holds one block
/// of the codec and its window, whatever the size of the whole. The compressed bytes outlive it.
class Decompressor {
 public:
  Decompressor(Codec codec, ByteView bytes, std::size_t size_max);
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  /// The next piece, valid until the next call; empty at the end. Errors as decompress() gives them; after
  /// one, do not call again.
  [[nodiscard]] Result<ByteView> next();

  /// One codec's reader; an implementation detail.
  class Reader;

 private:
  std::unique_ptr<Reader> reader_;
  std::size_t size_left_;
  std::size_t size_max_;
};

}  // namespace brook::record

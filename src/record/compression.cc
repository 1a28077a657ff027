#include "record/compression.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "record/internal/codecs.h"

namespace brook::record {
namespace {

constexpr int kGzipLevelDefault = Z_DEFAULT_COMPRESSION;
constexpr int kLz4LevelDefault = 9;
constexpr int kZstdLevelDefault = 3;

// Both sizes are those of Java's SnappyOutputStream: 32 KiB of plain bytes a block, each with its length in
// front.
constexpr std::size_t kSnappyBlock = std::size_t{32} << 10U;

Bytes gzip(int level, ByteView bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  Bytes out(deflateBound(&stream, bytes.size()));
  stream.next_in = internal::zlib_bytes(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = internal::zlib_bytes(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes snappy_xerial(ByteView bytes) {
  Bytes out;
  const std::size_t blocks = (bytes.size() + kSnappyBlock - 1) / kSnappyBlock;
  out.resize(internal::kXerialHeader.size() + blocks * (4 + snappy::MaxCompressedLength(kSnappyBlock)));
  copy_bytes(out, internal::kXerialHeader);
  std::size_t at = internal::kXerialHeader.size();
  while (!bytes.empty()) {
    const ByteView block = bytes.first(std::min(bytes.size(), kSnappyBlock));
    std::size_t size = 0;
    snappy::RawCompress(as_chars(block).data(), block.size(), internal::chars(out.data() + at + 4), &size);
    store_be(out.data() + at, static_cast<std::int32_t>(size));
    at += 4 + size;
    bytes = bytes.subspan(block.size());
  }
  out.resize(at);
  return out;
}

Bytes lz4_frame(int level, ByteView bytes) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  // Kafka's Java reader refuses blocks that depend on each other.
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  // As Kafka does it: the default level is the fast compressor, every other the high one (3 is its lowest in
  // this library).
  preferences.compressionLevel = level == kLz4LevelDefault ? 0 : std::max(level, 3);
  Bytes out(LZ4F_compressFrameBound(bytes.size(), &preferences));
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(size) != 0) throw std::bad_alloc();
  out.resize(size);
  return out;
}

Bytes zstd(int level, ByteView bytes) {
  Bytes out(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();
  out.resize(size);
  return out;
}

}  // namespace

std::string_view codec_name(Codec codec) {
  constexpr std::array<std::string_view, kCodecCount> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
  return kNames.at(static_cast<std::size_t>(codec));
}

Bytes compress(Compression compression, ByteView bytes) {
  switch (compression.codec) {
    case Codec::kNone:
      break;
    case Codec::kGzip:
      return gzip(compression.level && *compression.level != kGzipLevelDefault
                      ? std::clamp(*compression.level, 1, 9)
                      : kGzipLevelDefault,
                  bytes);
    case Codec::kSnappy:
      return snappy_xerial(bytes);
    case Codec::kLz4:
      return lz4_frame(std::clamp(compression.level.value_or(kLz4LevelDefault), 1, 17), bytes);
    case Codec::kZstd:
      return zstd(
          std::clamp(compression.level.value_or(kZstdLevelDefault), ZSTD_minCLevel(), ZSTD_maxCLevel()),
          bytes);
  }
  return {bytes.begin(), bytes.end()};
}

Result<Bytes> decompress(Codec codec, ByteView bytes, std::size_t size_max) {
  Bytes out;
  Decompressor pieces(codec, bytes, size_max);
  while (true) {
    BROOK_TRY(const ByteView piece, pieces.next());
    if (piece.empty()) return out;
    out.insert(out.end(), piece.begin(), piece.end());
  }
}

Decompressor::Decompressor(Codec codec, ByteView bytes, std::size_t size_max)
    : reader_(internal::open_reader(codec, bytes, size_max)), size_left_(size_max), size_max_(size_max) {}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<ByteView> Decompressor::next() {
  BROOK_TRY(const ByteView piece, reader_->next());
  if (piece.size() > size_left_) return std::unexpected(internal::too_large(size_max_));
  size_left_ -= piece.size();
  return piece;
}

}  // namespace brook::record

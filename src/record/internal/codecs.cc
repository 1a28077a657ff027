#include "record/internal/codecs.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace brook::record::internal {
namespace {

// One piece: a block of LZ4, two of snappy's; large enough that calls cost nothing, small enough to stay in
// the cache.
constexpr std::size_t kPieceSize = std::size_t{64} << 10U;

std::unexpected<Error> broken(Codec codec, std::string_view what) {
  return fail(ErrorCode::kInvalidRecord,
              fmt::format("the records do not decompress with {}: {}", codec_name(codec), what));
}

class PlainReader final : public Decompressor::Reader {
 public:
  explicit PlainReader(ByteView bytes) : rest_(bytes) {}
  Result<ByteView> next() override { return std::exchange(rest_, ByteView()); }

 private:
  ByteView rest_;
};

class GzipReader final : public Decompressor::Reader {
 public:
  explicit GzipReader(ByteView bytes) : rest_(bytes) {
    constexpr int kGzipWindow = 15 + 16;
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~GzipReader() override { inflateEnd(&stream_); }

  Result<ByteView> next() override {
    while (!ended_) {
      piece_.resize(kPieceSize);
      stream_.next_in = zlib_bytes(rest_.data());
      stream_.avail_in = static_cast<uInt>(rest_.size());
      stream_.next_out = zlib_bytes(piece_.data());
      stream_.avail_out = static_cast<uInt>(piece_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      rest_ = rest_.last(stream_.avail_in);
      const std::size_t size = piece_.size() - stream_.avail_out;
      if (result == Z_STREAM_END) {
        // As Java's GZIPInputStream: another member may follow, anything else is passed over.
        ended_ = rest_.size() < 2 || rest_[0] != std::byte{0x1f} || rest_[1] != std::byte{0x8b};
        if (!ended_) inflateReset(&stream_);
      } else if (result != Z_OK || size == 0) {
        return broken(Codec::kGzip, stream_.msg != nullptr ? stream_.msg : "they end early");
      }
      if (size > 0) return ByteView(piece_).first(size);
    }
    return ByteView();
  }

 private:
  ByteView rest_;
  z_stream stream_{};
  Bytes piece_;
  bool ended_ = false;
};

class SnappyReader final : public Decompressor::Reader {
 public:
  SnappyReader(ByteView bytes, std::size_t size_max)
      : rest_(bytes), size_max_(size_max), framed_(at_header()) {}

  Result<ByteView> next() override {
    if (!framed_) {
      // librdkafka and others send one bare block.
      if (block_seen_) return ByteView();
      block_seen_ = true;
      return block(std::exchange(rest_, ByteView()));
    }
    while (!rest_.empty()) {
      if (at_header()) {
        // Several streams may follow each other.
        rest_ = rest_.subspan(kXerialHeader.size());
        continue;
      }
      if (rest_.size() < 4) return broken(Codec::kSnappy, "they end within a block's length");
      const auto size = load_be<std::uint32_t>(rest_.data());
      if (size > rest_.size() - 4) return broken(Codec::kSnappy, "a block is longer than what is left");
      const ByteView compressed = rest_.subspan(4, size);
      rest_ = rest_.subspan(4 + std::size_t{size});
      BROOK_TRY(const ByteView piece, block(compressed));
      if (!piece.empty()) return piece;
    }
    return ByteView();
  }

 private:
  // Version numbers are not looked at: Java looks at them, but there was never another than 1.
  [[nodiscard]] bool at_header() const {
    constexpr std::size_t kMagicSize = 8;
    return rest_.size() >= kXerialHeader.size() &&
           equal_bytes(rest_.first(kMagicSize), ByteView(kXerialHeader).first(kMagicSize));
  }

  Result<ByteView> block(ByteView compressed) {
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(as_chars(compressed).data(), compressed.size(), &size)) {
      return broken(Codec::kSnappy, "a block's length is broken");
    }
    // Three bytes copy 64 at most, so a block that claims more than 22 times its size lies; asked before
    // anything is allocated.
    if (size / 22 > compressed.size()) return broken(Codec::kSnappy, "a block claims more than it can hold");
    if (size > size_max_) return std::unexpected(too_large(size_max_));
    piece_.resize(size);
    if (!snappy::RawUncompress(as_chars(compressed).data(), compressed.size(), chars(piece_.data()))) {
      return broken(Codec::kSnappy, "a block is broken");
    }
    return ByteView(piece_);
  }

  ByteView rest_;
  std::size_t size_max_;
  bool framed_;
  bool block_seen_ = false;
  Bytes piece_;
};

class Lz4Reader final : public Decompressor::Reader {
 public:
  explicit Lz4Reader(ByteView bytes) : rest_(bytes) {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0) throw std::bad_alloc();
  }
  ~Lz4Reader() override { LZ4F_freeDecompressionContext(context_); }

  Result<ByteView> next() override {
    if (!started_) {
      if (const auto problem = header_problem(); !problem.empty()) return broken(Codec::kLz4, problem);
      started_ = true;
      piece_.resize(kPieceSize);
    }
    while (!ended_) {
      std::size_t read = rest_.size();
      std::size_t written = piece_.size();
      const std::size_t hint =
          LZ4F_decompress(context_, piece_.data(), &written, rest_.data(), &read, nullptr);
      if (LZ4F_isError(hint) != 0) return broken(Codec::kLz4, LZ4F_getErrorName(hint));
      rest_ = rest_.subspan(read);
      // As Kafka's reader: what follows the frame is passed over.
      ended_ = hint == 0;
      if (written > 0) return ByteView(piece_).first(written);
      if (!ended_ && read == 0) return broken(Codec::kLz4, "they end early");
    }
    return ByteView();
  }

 private:
  // What Kafka's Java reader refuses must not get into the log, or consumers stop at it.
  [[nodiscard]] std::string_view header_problem() const {
    constexpr auto kMagic = byte_array({0x04, 0x22, 0x4d, 0x18});
    constexpr std::size_t kHeaderSizeMin = 7;
    if (rest_.size() < kHeaderSizeMin) return "they end within the frame's header";
    if (!equal_bytes(rest_.first(kMagic.size()), kMagic)) return "they are no LZ4 frame";
    const auto flags = std::to_integer<unsigned>(rest_[4]);
    if ((flags & 0x20U) == 0) return "blocks that depend on each other are not supported";
    if ((flags & 0x03U) != 0) return "reserved flags are set";
    return {};
  }

  ByteView rest_;
  LZ4F_dctx* context_ = nullptr;
  Bytes piece_;
  bool started_ = false;
  bool ended_ = false;
};

class ZstdReader final : public Decompressor::Reader {
 public:
  ZstdReader(ByteView bytes, std::size_t size_max) : rest_(bytes), context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    // Levels up to 19 need a window of 8 MiB, 22 of 128 MiB, which is also the most that zstd itself allows.
    constexpr int kWindowMin = 23;
    constexpr int kWindowMax = 27;
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax,
                           std::clamp(static_cast<int>(std::bit_width(size_max)), kWindowMin, kWindowMax));
    piece_.resize(kPieceSize);
  }
  ~ZstdReader() override { ZSTD_freeDCtx(context_); }

  Result<ByteView> next() override {
    while (true) {
      ZSTD_inBuffer in{rest_.data(), rest_.size(), 0};
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      const bool between_frames = hint_ == 0 && !first_;
      if (between_frames && rest_.empty()) return ByteView();
      hint_ = ZSTD_decompressStream(context_, &out, &in);
      first_ = false;
      if (ZSTD_isError(hint_) != 0) return broken(Codec::kZstd, ZSTD_getErrorName(hint_));
      rest_ = rest_.subspan(in.pos);
      if (out.pos > 0) return ByteView(piece_).first(out.pos);
      if (hint_ != 0 && in.pos == 0) return broken(Codec::kZstd, "they end early");
    }
  }

 private:
  ByteView rest_;
  ZSTD_DCtx* context_;
  Bytes piece_;
  // What zstd still wants: 0 between frames.
  std::size_t hint_ = 0;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<Decompressor::Reader> open_reader(Codec codec, ByteView bytes, std::size_t size_max) {
  switch (codec) {
    case Codec::kNone:
      break;
    case Codec::kGzip:
      return std::make_unique<GzipReader>(bytes);
    case Codec::kSnappy:
      return std::make_unique<SnappyReader>(bytes, size_max);
    case Codec::kLz4:
      return std::make_unique<Lz4Reader>(bytes);
    case Codec::kZstd:
      return std::make_unique<ZstdReader>(bytes, size_max);
  }
  return std::make_unique<PlainReader>(bytes);
}

Error too_large(std::size_t size_max) {
  return {ErrorCode::kMessageTooLarge,
          fmt::format("the records decompress to more than the {} bytes that are allowed", size_max)};
}

}  // namespace brook::record::internal

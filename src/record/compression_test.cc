#include "record/compression.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "record/batch.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr std::size_t kPlenty = std::size_t{1} << 30U;

// Words over a small alphabet: compresses about as records do.
Bytes sample(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>('a' + random() % 7);
  return bytes;
}

TEST(Compression, ReadsWhatKafkaWrote) {
  const Bytes plain_batch = golden::bytes(golden::kNone);
  const ByteView plain = BatchView::parse(plain_batch)->records();

  for (const auto hex : {golden::kGzip, golden::kSnappy, golden::kLz4, golden::kZstd}) {
    const Bytes bytes = golden::bytes(hex);
    const auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch->check_crc());
    const auto records = decompress(batch->codec(), batch->records(), kPlenty);
    ASSERT_TRUE(records) << records.error().context;
    EXPECT_TRUE(equal_bytes(*records, plain)) << codec_name(batch->codec());
  }
}

TEST(Compression, GivesBackWhatItTook) {
  for (const auto codec : kCodecs) {
    for (const std::size_t size : {0UL, 1UL, 100UL, 32768UL, 32769UL, 65536UL, 65537UL, 1000000UL}) {
      const Bytes plain = sample(size);
      const auto back = decompress(codec, compress({codec, {}}, plain), kPlenty);
      ASSERT_TRUE(back) << codec_name(codec) << ' ' << size << ' ' << back.error().context;
      EXPECT_EQ(*back, plain) << codec_name(codec) << ' ' << size;
    }
  }
}

TEST(Compression, TakesEveryLevelAndClampsTheOthers) {
  const Bytes plain = sample(5000);

  for (const auto codec : kCodecs) {
    for (const int level : {-200000, -5, -1, 0, 1, 2, 3, 6, 9, 12, 17, 22, 100}) {
      const auto back = decompress(codec, compress({codec, level}, plain), kPlenty);
      ASSERT_TRUE(back) << codec_name(codec) << ' ' << level;
      EXPECT_EQ(*back, plain) << codec_name(codec) << ' ' << level;
    }
  }
}

TEST(Compression, LevelsChangeTheSize) {
  const Bytes plain = sample(100000);

  EXPECT_LT(compress({Codec::kGzip, 9}, plain).size(), compress({Codec::kGzip, 1}, plain).size());
  EXPECT_LT(compress({Codec::kLz4, 12}, plain).size(), compress({Codec::kLz4, 9}, plain).size());
  EXPECT_LT(compress({Codec::kZstd, 19}, plain).size(), compress({Codec::kZstd, -50}, plain).size());
}

TEST(Compression, RefusesWhatIsCutOff) {
  const Bytes plain = sample(70000);

  for (const auto codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    const Bytes whole = compress({codec, {}}, plain);
    for (std::size_t size = 0; size < whole.size(); size += size < 64 || size + 64 > whole.size() ? 1 : 997) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto back = decompress(codec, part, kPlenty);
      // A snappy stream may end after any block: only the records in it can tell.
      if (back && codec == Codec::kSnappy) continue;
      ASSERT_FALSE(back) << codec_name(codec) << ' ' << size;
      EXPECT_EQ(back.error().code, ErrorCode::kInvalidRecord);
    }
  }
}

TEST(Compression, RefusesBombsAtTheLimit) {
  const Bytes zeros(std::size_t{32} << 20U);

  for (const auto codec : kCodecs) {
    const Bytes bomb = compress({codec, {}}, zeros);
    const auto back = decompress(codec, bomb, std::size_t{1} << 20U);
    ASSERT_FALSE(back) << codec_name(codec);
    EXPECT_EQ(back.error().code, ErrorCode::kMessageTooLarge);
    EXPECT_NE(back.error().context.find("1048576"), std::string::npos) << back.error().context;
    EXPECT_TRUE(decompress(codec, bomb, zeros.size())) << "the limit itself is allowed";
  }
}

TEST(Compression, DecompressesInPiecesOfBoundedSize) {
  const Bytes plain = sample(3000000);

  for (const auto codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    const Bytes compressed = compress({codec, {}}, plain);
    Decompressor pieces(codec, compressed, kPlenty);
    std::size_t total = 0;
    while (true) {
      const auto piece = pieces.next();
      ASSERT_TRUE(piece);
      if (piece->empty()) break;
      EXPECT_LE(piece->size(), 65536U);
      total += piece->size();
    }
    EXPECT_EQ(total, plain.size()) << codec_name(codec);
  }
}

TEST(Compression, ReadsABareSnappyBlockAsLibrdkafkaSendsIt) {
  // Length 5, a literal of 5.
  const Bytes block = golden::bytes(
      "05"
      "10"
      "68656c6c6f");

  const auto back = decompress(Codec::kSnappy, block, kPlenty);

  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(as_chars(*back), "hello");
}

TEST(Compression, ReadsSnappyStreamsThatFollowEachOther) {
  Bytes twice = compress({Codec::kSnappy, {}}, sample(10));
  const Bytes once = twice;
  twice.insert(twice.end(), once.begin(), once.end());

  EXPECT_EQ(decompress(Codec::kSnappy, twice, kPlenty)->size(), 20U);
}

TEST(Compression, RefusesASnappyBlockThatClaimsMoreThanItCanHold) {
  // 4 GiB in seven bytes: nothing is allocated for it.
  const auto back = decompress(Codec::kSnappy,
                               golden::bytes("ffffffff0f"
                                             "0068"),
                               kPlenty * 8);

  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, ErrorCode::kInvalidRecord);
}

TEST(Compression, RefusesLz4ThatJavaConsumersCannotRead) {
  Bytes frame = compress({Codec::kLz4, {}}, sample(100));
  ASSERT_EQ(frame[4], std::byte{0x60});
  frame[4] = std::byte{0x40};

  const auto back = decompress(Codec::kLz4, frame, kPlenty);

  ASSERT_FALSE(back);
  EXPECT_NE(back.error().context.find("depend on each other"), std::string::npos) << back.error().context;
}

TEST(Compression, SurvivesEveryFlippedBit) {
  const Bytes plain = sample(300);

  for (const auto codec : {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    const Bytes good = compress({codec, {}}, plain);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      Bytes bytes = good;
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const auto back = decompress(codec, bytes, 100000);
      if (back) EXPECT_LE(back->size(), 100000U);
    }
  }
}

}  // namespace
}  // namespace brook::record

#include "cli/bench/values.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "record/compression.h"

namespace brook::cli {
namespace {

/// How many times as long as their compressed form the values of one batch of about 64 KiB are.
double ratio(record::Codec codec, std::size_t record_bytes) {
  const RecordValues values(record_bytes);
  std::vector<std::byte> batch;
  for (std::uint64_t i = 0; batch.size() < 65'536; ++i) {
    const ByteView value = values.at(i);
    batch.insert(batch.end(), value.begin(), value.end());
  }
  return static_cast<double>(batch.size()) /
         static_cast<double>(record::compress({.codec = codec, .level = std::nullopt}, batch).size());
}

TEST(RecordValues, CompressToAboutTheHalf) {
  for (const std::size_t record_bytes : {100U, 1'024U, 102'400U}) {
    for (const record::Codec codec : {record::Codec::kLz4, record::Codec::kZstd, record::Codec::kGzip}) {
      const double found = ratio(codec, record_bytes);
      EXPECT_GT(found, 1.8) << record_bytes << ' ' << record::codec_name(codec);
      EXPECT_LT(found, 2.4) << record_bytes << ' ' << record::codec_name(codec);
    }
  }
}

TEST(RecordValues, HaveTheirLengthAndAreTheSameInEveryRun) {
  for (const std::size_t record_bytes : {1U, 16U, 65U, 100U, 1'000U, 5'000'000U}) {
    const RecordValues one(record_bytes);
    const RecordValues other(record_bytes);
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{123'456'789}}) {
      ASSERT_EQ(one.at(index).size(), record_bytes);
      ASSERT_TRUE(equal_bytes(one.at(index), other.at(index)));
    }
  }
}

TEST(RecordValues, NeighboursDiffer) {
  const RecordValues values(100);

  EXPECT_FALSE(equal_bytes(values.at(0), values.at(1)));
  EXPECT_FALSE(equal_bytes(values.at(0).first(50), values.at(0).subspan(50)));
}

}  // namespace
}  // namespace brook::cli

#include "storage/segment_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/run.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_batch;
using Bytes = std::vector<std::byte>;

constexpr std::int64_t kBase = 100;

/// What a check of a whole file found.
struct Findings {
  std::vector<BatchFlaw> flaws;
  std::vector<std::uint64_t> sound;  ///< positions
  Offset end_offset;
};

Task<Findings> check_task(Shard& shard, std::string path, Bytes content, std::optional<Offset> end) {
  std::shared_ptr<runtime::File> file = shard.files().open(path, runtime::OpenMode::kCreateOrEmpty).value();
  const ByteView part = content;
  EXPECT_TRUE(file->write_at(0, {&part, 1}).has_value());
  SegmentCheck check(file, content.size(), Offset(kBase), end);
  Findings found;
  while (true) {
    const auto batch = co_await check.next();
    EXPECT_TRUE(batch.has_value());
    if (!batch || !*batch) break;
    if ((*batch)->flaw) {
      found.flaws.push_back(*(*batch)->flaw);
    } else {
      found.sound.push_back((*batch)->position);
    }
  }
  EXPECT_EQ(check.position(), content.size());
  found.end_offset = check.end_offset();
  co_return found;
}

Findings check(const Bytes& content, std::optional<Offset> end = std::nullopt) {
  const TemporaryDirectory directory;
  return runtime::testing::run<Findings>(
      [&](Shard& shard) { return check_task(shard, directory / "segment", content, end); });
}

/// Batches of two records each, from `base` on without holes.
Bytes batches(std::int64_t base, std::size_t count) {
  Bytes all;
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes one =
        make_batch({.base_offset = base + 2 * static_cast<std::int64_t>(i), .timestamps = {1, 2}});
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

const std::size_t kSize = batches(kBase, 1).size();

template <class T>
Bytes with(Bytes bytes, std::size_t at, T value) {
  store_be(bytes.data() + at, value);
  return bytes;
}

TEST(SegmentCheck, TakesSoundBatchesAlsoWithHolesBetweenThem) {
  Bytes content = batches(kBase, 2);
  const Bytes behind_a_hole = batches(kBase + 50, 1);
  content.insert(content.end(), behind_a_hole.begin(), behind_a_hole.end());

  const Findings found = check(content, Offset(kBase + 52));

  EXPECT_TRUE(found.flaws.empty());
  EXPECT_THAT(found.sound, ElementsAre(0, kSize, 2 * kSize));
  EXPECT_EQ(found.end_offset, Offset(kBase + 52));
}

TEST(SegmentCheck, TakesAnEmptySegment) {
  const Findings found = check({});

  EXPECT_TRUE(found.flaws.empty());
  EXPECT_EQ(found.end_offset, Offset(kBase));
}

TEST(SegmentCheck, FindsAFlipInEachByteThatTheChecksumIsOver) {
  const Bytes content = batches(kBase, 3);
  for (std::size_t at = 17; at < kSize; ++at) {
    Bytes flipped = content;
    flipped[kSize + at] ^= std::byte{0x10};

    const Findings found = check(flipped);

    ASSERT_EQ(found.flaws.size(), 1U) << "byte " << at;
    EXPECT_EQ(found.flaws[0].position, kSize) << "byte " << at;
    EXPECT_EQ(found.flaws[0].end, 2 * kSize) << "byte " << at;
    EXPECT_EQ(found.flaws[0].first_offset, Offset(kBase + 2)) << "byte " << at;
    EXPECT_EQ(found.flaws[0].last_offset, Offset(kBase + 3)) << "byte " << at;
    EXPECT_THAT(found.sound, ElementsAre(0, 2 * kSize)) << "byte " << at;
  }
}

TEST(SegmentCheck, NamesTheChecksumThatIsWrong) {
  Bytes content = with(batches(kBase, 1), 17, std::uint32_t{0xdeadbeef});

  const Findings found = check(content);

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kChecksum);
  EXPECT_EQ(found.flaws[0].reason, "its CRC-32C is not deadbeef, as its header says");
}

TEST(SegmentCheck, ChecksABatchThatIsLargerThanWhatItReadsAtOnce) {
  Bytes content = make_batch({.base_offset = kBase, .value_size = 3 * SegmentCheck::kChunk});
  EXPECT_TRUE(check(content).flaws.empty());

  content.back() ^= std::byte{1};

  EXPECT_EQ(check(content).flaws.at(0).fault, BatchFault::kChecksum);
}

TEST(SegmentCheck, FindsAnotherMagicAndGoesOnBehindIt) {
  const Findings found = check(with(batches(kBase, 3), kSize + 16, std::int8_t{1}));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kMagic);
  EXPECT_EQ(found.flaws[0].reason, "the magic is 1 and not 2");
  EXPECT_EQ(found.flaws[0].end, 2 * kSize);
  EXPECT_THAT(found.sound, ElementsAre(0, 2 * kSize));
}

TEST(SegmentCheck, FindsATornTailOfEachLength) {
  const Bytes content = batches(kBase, 2);
  for (std::size_t cut = 1; cut < kSize; ++cut) {
    Bytes torn = content;
    torn.resize(content.size() - cut);

    const Findings found = check(torn);

    ASSERT_EQ(found.flaws.size(), 1U) << cut;
    EXPECT_EQ(found.flaws[0].fault, BatchFault::kTorn) << cut;
    EXPECT_EQ(found.flaws[0].position, kSize) << cut;
    EXPECT_EQ(found.flaws[0].end, torn.size()) << cut;
    EXPECT_EQ(found.end_offset, Offset(kBase + 2)) << cut;
  }
}

TEST(SegmentCheck, TakesZerosForTheTailOfACrash) {
  Bytes content = batches(kBase, 1);
  content.resize(kSize + 4096);

  const Findings found = check(content);

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kTorn);
  EXPECT_EQ(found.flaws[0].position, kSize);
}

TEST(SegmentCheck, DoesNotFollowALengthThatCannotBe) {
  for (const std::int32_t length : {-1, 0, 48, std::numeric_limits<std::int32_t>::min()}) {
    const Findings found = check(with(batches(kBase, 3), kSize + 8, length), Offset(kBase + 6));

    ASSERT_EQ(found.flaws.size(), 1U) << length;
    EXPECT_EQ(found.flaws[0].fault, BatchFault::kNoBatch) << length;
    EXPECT_EQ(found.flaws[0].end, 3 * kSize) << length;
    // What lies behind is not known either.
    EXPECT_EQ(found.flaws[0].first_offset, Offset(kBase + 2)) << length;
    EXPECT_EQ(found.flaws[0].last_offset, Offset(kBase + 5)) << length;
  }
}

TEST(SegmentCheck, DoesNotFollowALengthToWhereNoBatchIs) {
  const Findings found =
      check(with(batches(kBase, 3), kSize + 8, static_cast<std::int32_t>(kSize - 12 + 1)), Offset(kBase + 6));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kChecksum);
  EXPECT_EQ(found.flaws[0].end, 3 * kSize);
}

TEST(SegmentCheck, FindsALengthBehindTheFilesEnd) {
  const Findings found = check(with(batches(kBase, 2), kSize + 8, std::int32_t{0x7fffff00}));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kTorn);
  EXPECT_THAT(found.flaws[0].reason, HasSubstr("torn tail: the batch has 2147483404 bytes and "));
}

// The checksum is not over the base offset: the batches around tell.
TEST(SegmentCheck, FindsABaseOffsetThatFell) {
  const Findings found = check(with(batches(kBase, 3), kSize, std::int64_t{kBase + 1}));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kOffsets);
  EXPECT_EQ(found.flaws[0].position, kSize);
  EXPECT_EQ(found.flaws[0].reason, "its base offset 101 is not above 101, the last offset before it");
  EXPECT_THAT(found.sound, ElementsAre(0, 2 * kSize));
}

TEST(SegmentCheck, FindsABaseOffsetBelowTheSegments) {
  const Findings found = check(with(batches(kBase, 2), 0, std::int64_t{kBase - 1}));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kOffsets);
  EXPECT_EQ(found.flaws[0].reason, "its base offset 99 is below the segment's, 100");
}

TEST(SegmentCheck, FindsAnOffsetThatTheSegmentCannotHold) {
  constexpr std::int64_t kHighest = kBase + std::numeric_limits<std::int32_t>::max();
  EXPECT_TRUE(check(batches(kHighest - 1, 1)).flaws.empty());

  const Findings found = check(batches(kHighest, 1));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kOffsets);
  EXPECT_THAT(found.flaws[0].reason, HasSubstr("more than 2^31 - 1 above the segment's base offset 100"));
}

TEST(SegmentCheck, BlamesTheBatchThatRoseAndNotTheOneBehindIt) {
  const Findings found = check(with(batches(kBase, 3), kSize, std::int64_t{kBase + 1024}));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kReach);
  EXPECT_EQ(found.flaws[0].position, kSize);
  EXPECT_EQ(found.flaws[0].last_offset, Offset(kBase + 3));
  EXPECT_THAT(found.sound, ElementsAre(0, 2 * kSize));
}

TEST(SegmentCheck, FindsABatchThatReachesIntoTheNextSegment) {
  const Findings found = check(batches(kBase, 2), Offset(kBase + 3));

  ASSERT_EQ(found.flaws.size(), 1U);
  EXPECT_EQ(found.flaws[0].fault, BatchFault::kReach);
  EXPECT_EQ(found.flaws[0].reason, "its last offset 103 is not below 103, where the segment ends");
}

TEST(SegmentCheck, FindsEachOfSeveralFlaws) {
  Bytes content = batches(kBase, 5);
  content[2 * kSize - 1] ^= std::byte{1};
  content[4 * kSize - 1] ^= std::byte{1};

  const Findings found = check(content);

  ASSERT_EQ(found.flaws.size(), 2U);
  EXPECT_EQ(found.flaws[1].position, 3 * kSize);
  EXPECT_THAT(found.sound, ElementsAre(0, 2 * kSize, 4 * kSize));
}

}  // namespace
}  // namespace brook::storage

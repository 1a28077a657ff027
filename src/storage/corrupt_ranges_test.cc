#include "storage/corrupt_ranges.h"

#include <gtest/gtest.h>

namespace brook::storage {
namespace {

CorruptRange range(std::int64_t segment, std::uint64_t position, std::uint64_t end, std::int64_t first,
                   std::int64_t last) {
  return {Offset(segment), position, end, Offset(first), Offset(last), "why"};
}

CorruptRanges two_segments() {
  CorruptRanges ranges;
  EXPECT_TRUE(ranges.add(range(100, 50, 80, 104, 109)));
  EXPECT_TRUE(ranges.add(range(0, 300, 400, 30, 39)));
  EXPECT_TRUE(ranges.add(range(0, 100, 200, 10, 19)));
  return ranges;
}

TEST(CorruptRanges, AreFoundByOffsetAndByPlace) {
  const CorruptRanges ranges = two_segments();

  EXPECT_EQ(ranges.at(Offset(9)), nullptr);
  EXPECT_EQ(ranges.at(Offset(19))->position, 100U);
  EXPECT_EQ(ranges.at(Offset(104))->segment_base_offset, Offset(100));
  EXPECT_EQ(ranges.first_behind(Offset(0), 0)->position, 100U);
  EXPECT_EQ(ranges.first_behind(Offset(0), 200)->position, 300U);
  EXPECT_EQ(ranges.first_behind(Offset(0), 400), nullptr);
  EXPECT_EQ(ranges.end_before(Offset(0), Offset(10)), 0U);
  EXPECT_EQ(ranges.end_before(Offset(0), Offset(35)), 200U);
  EXPECT_EQ(ranges.end_before(Offset(0), Offset(99)), 400U);
}

TEST(CorruptRanges, AreKnownOnce) {
  CorruptRanges ranges = two_segments();

  EXPECT_FALSE(ranges.add(range(0, 100, 250, 10, 24)));

  EXPECT_EQ(ranges.all().size(), 3U);
  EXPECT_EQ(ranges.at(Offset(24))->end, 250U);
}

TEST(CorruptRanges, GoWithTheirSegment) {
  CorruptRanges ranges = two_segments();

  ranges.drop(Offset(0));

  EXPECT_EQ(ranges.all().size(), 1U);
  EXPECT_EQ(ranges.at(Offset(10)), nullptr);
}

TEST(CorruptRanges, EndWithTheLog) {
  CorruptRanges ranges = two_segments();

  ranges.truncate(Offset(0), 350, Offset(35));

  EXPECT_EQ(ranges.at(Offset(34))->end, 350U);
  EXPECT_EQ(ranges.at(Offset(35)), nullptr);
  ranges.truncate(Offset(0), 300, Offset(30));
  EXPECT_EQ(ranges.at(Offset(30)), nullptr);
  EXPECT_EQ(ranges.at(Offset(10))->end, 200U);
}

TEST(CorruptRanges, GoWhereTheyAreNotFoundAgain) {
  CorruptRanges ranges = two_segments();
  const CorruptRange still = range(0, 300, 400, 30, 39);

  EXPECT_EQ(ranges.keep_only(Offset(0), {&still, 1}), 1U);

  EXPECT_EQ(ranges.at(Offset(10)), nullptr);
  EXPECT_NE(ranges.at(Offset(30)), nullptr);
  EXPECT_NE(ranges.at(Offset(104)), nullptr);
}

}  // namespace
}  // namespace brook::storage

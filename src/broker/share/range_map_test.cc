#include "broker/share/range_map.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace brook::broker {
namespace {

std::map<std::int64_t, int> by_offset(const RangeMap<int>& ranges) {
  std::map<std::int64_t, int> found;
  for (const auto& [first, range] : ranges) {
    for (Offset at = first; at <= range.last; at = at.next()) found[at.value()] = range.value;
  }
  return found;
}

TEST(RangeMap, KeepsNeighboursThatAreEqualAsOneRange) {
  RangeMap<int> ranges;
  ranges.assign(Offset(0), Offset(4), 1);
  ranges.assign(Offset(5), Offset(9), 1);
  EXPECT_EQ(ranges.size(), 1U);

  ranges.assign(Offset(3), Offset(6), 2);
  EXPECT_EQ(ranges.size(), 3U);
  ranges.update(Offset(3), Offset(6), [](Offset, Offset, int& value) { value = 1; });
  EXPECT_EQ(ranges.size(), 1U);
}

TEST(RangeMap, FindsTheRangeOfAnOffsetOrTheNext) {
  RangeMap<int> ranges;
  ranges.assign(Offset(2), Offset(4), 1);
  ranges.assign(Offset(8), Offset(9), 2);

  EXPECT_EQ(ranges.find_from(Offset(0))->first, Offset(2));
  EXPECT_EQ(ranges.find_from(Offset(4))->first, Offset(2));
  EXPECT_EQ(ranges.find_from(Offset(5))->first, Offset(8));
  EXPECT_EQ(ranges.find_from(Offset(10)), ranges.end());
}

TEST(RangeMap, HasWhatAMapOfSingleOffsetsHas) {
  const bool held = rc::check([] {
    RangeMap<int> ranges;
    std::map<std::int64_t, int> expected;
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int, int>>>(rc::gen::tuple(
        rc::gen::inRange(0, 4), rc::gen::inRange(0, 20), rc::gen::inRange(0, 6), rc::gen::inRange(0, 3)));
    for (const auto& [action, first, length, value] : steps) {
      const int last = first + length;
      if (action == 0) {
        ranges.erase_below(Offset(first));
        expected.erase(expected.begin(), expected.lower_bound(first));
      } else if (action == 1) {
        ranges.update(Offset(first), Offset(last), [&](Offset from, Offset to, int& seen) {
          RC_ASSERT(from.value() >= first && to.value() <= last);
          seen = value;
        });
        for (auto at = expected.lower_bound(first); at != expected.end() && at->first <= last; ++at)
          at->second = value;
      } else {
        ranges.assign(Offset(first), Offset(last), int{value});
        for (int at = first; at <= last; ++at) expected[at] = value;
      }
      RC_ASSERT(by_offset(ranges) == expected);
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::broker

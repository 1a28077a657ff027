#include "coordinator/share_state_batches.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <utility>

namespace brook::coordinator {
namespace {

using Batches = std::vector<ShareStateBatch>;

ShareStateBatch batch(std::int64_t first, std::int64_t last, std::int8_t state, std::int16_t count) {
  return {Offset(first), Offset(last), state, count};
}

TEST(ShareStateBatches, JoinNeighboursThatSayTheSame) {
  EXPECT_EQ(combine({batch(0, 4, 2, 1)}, {batch(5, 9, 2, 1)}, {}), Batches({batch(0, 9, 2, 1)}));
}

TEST(ShareStateBatches, KeepNeighboursThatSayDifferentThings) {
  EXPECT_EQ(combine({batch(0, 4, 2, 1)}, {batch(5, 9, 0, 1)}, {}),
            Batches({batch(0, 4, 2, 1), batch(5, 9, 0, 1)}));
}

TEST(ShareStateBatches, LetTheHigherCountWinOnlyWhereBothAre) {
  EXPECT_EQ(combine({batch(0, 9, 0, 1)}, {batch(3, 5, 0, 2)}, {}),
            Batches({batch(0, 2, 0, 1), batch(3, 5, 0, 2), batch(6, 9, 0, 1)}));
  EXPECT_EQ(combine({batch(3, 5, 0, 2)}, {batch(0, 9, 0, 1)}, {}),
            Batches({batch(0, 2, 0, 1), batch(3, 5, 0, 2), batch(6, 9, 0, 1)}));
}

TEST(ShareStateBatches, LetTheHigherStateWinWhereCountsAreEqual) {
  EXPECT_EQ(combine({batch(0, 9, 0, 1)}, {batch(5, 14, 2, 1)}, {}),
            Batches({batch(0, 4, 0, 1), batch(5, 14, 2, 1)}));
}

TEST(ShareStateBatches, AreForgottenWhereOneSaysAvailableAndNeverDelivered) {
  EXPECT_EQ(overwrite({batch(0, 9, 2, 1), batch(12, 14, 0, 3)}, {batch(3, 4, 0, 0), batch(8, 12, 0, 0)}, {}),
            Batches({batch(0, 2, 2, 1), batch(5, 7, 2, 1), batch(13, 14, 0, 3)}));
  EXPECT_EQ(overwrite({batch(0, 9, 2, 1)}, {batch(0, 20, 0, 0), batch(15, 15, 4, 0)}, {}),
            Batches({batch(15, 15, 4, 0)}));
}

TEST(ShareStateBatches, LoseWhatIsBelowTheStart) {
  EXPECT_EQ(combine({batch(0, 4, 2, 1), batch(5, 9, 0, 1)}, {batch(10, 14, 2, 2)}, Offset(7)),
            Batches({batch(7, 9, 0, 1), batch(10, 14, 2, 2)}));
}

TEST(ShareStateBatches, SayOfEachOffsetWhatTheHighestOfItsBatchesSays) {
  const auto one_list = [] {
    Batches out;
    const auto drawn = *rc::gen::container<std::vector<std::tuple<int, int, int, int>>>(rc::gen::tuple(
        rc::gen::inRange(0, 30), rc::gen::inRange(0, 10), rc::gen::element(0, 2, 4), rc::gen::inRange(0, 4)));
    for (const auto& [first, size, state, count] : drawn) {
      out.push_back(
          batch(first, first + size, static_cast<std::int8_t>(state), static_cast<std::int16_t>(count)));
    }
    return out;
  };
  const bool held = rc::check([&] {
    const Batches so_far = one_list();
    const Batches added = one_list();
    const std::int64_t start = *rc::gen::inRange(0, 20);
    std::map<std::int64_t, std::pair<std::int16_t, std::int8_t>> expected;
    for (const Batches* list : {&so_far, &added}) {
      for (const ShareStateBatch& one : *list) {
        for (std::int64_t at = std::max(one.first.value(), start); at <= one.last.value(); ++at)
          expected[at] = std::max(expected[at], std::pair(one.delivery_count, one.delivery_state));
      }
    }
    // Half of the time one list is a whole state, as it mostly is.
    const bool whole = *rc::gen::arbitrary<bool>();
    const Batches combined = combine(whole ? combine(so_far, {}, {}) : so_far, added, Offset(start));
    for (std::size_t i = 0; i < combined.size(); ++i) {
      const ShareStateBatch& one = combined[i];
      RC_ASSERT(one.first <= one.last);
      if (i > 0) {
        const ShareStateBatch& before = combined[i - 1];
        RC_ASSERT(before.last < one.first);
        RC_ASSERT(before.last.next() < one.first || before.delivery_count != one.delivery_count ||
                  before.delivery_state != one.delivery_state);
      }
      for (std::int64_t at = one.first.value(); at <= one.last.value(); ++at) {
        RC_ASSERT(expected.at(at) == std::pair(one.delivery_count, one.delivery_state));
        expected.erase(at);
      }
    }
    RC_ASSERT(expected.empty());
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator

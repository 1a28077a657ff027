#include "broker/share/key_order.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace brook::broker {
namespace {

constexpr std::uint64_t kKey = 7;
constexpr std::uint64_t kOtherKey = 8;

TEST(KeyOrder, HoldsARecordBackWhileAnEarlierOneOfItsKeyIsUnfinished) {
  KeyOrder keys;
  for (const std::int64_t offset : {0, 2, 4}) keys.learn(Offset(offset), kKey);
  keys.learn(Offset(1), kOtherKey);
  Offset finished_below(0);
  const auto is_unfinished = [&](Offset offset) { return offset >= finished_below; };

  EXPECT_FALSE(keys.blocks(Offset(0), is_unfinished));
  EXPECT_FALSE(keys.blocks(Offset(1), is_unfinished));
  EXPECT_FALSE(keys.blocks(Offset(3), is_unfinished)) << "it has no key";
  EXPECT_TRUE(keys.blocks(Offset(4), is_unfinished));
  finished_below = Offset(2);
  EXPECT_TRUE(keys.blocks(Offset(4), is_unfinished));
  finished_below = Offset(3);
  EXPECT_FALSE(keys.blocks(Offset(4), is_unfinished));
}

TEST(KeyOrder, LooksAtWhatIsFinishedOnce) {
  KeyOrder keys;
  for (std::int64_t offset = 0; offset < 4000; ++offset) keys.learn(Offset(offset), kKey);
  int looks = 0;
  const auto is_unfinished = [&](Offset offset) {
    ++looks;
    return offset >= Offset(2000);
  };

  for (std::int64_t offset = 2000; offset < 4000; ++offset)
    EXPECT_EQ(keys.blocks(Offset(offset), is_unfinished), offset > 2000);

  EXPECT_LT(looks, 10'000);
  EXPECT_EQ(keys.size(), 2000U);
}

}  // namespace
}  // namespace brook::broker

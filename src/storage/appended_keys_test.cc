#include "storage/appended_keys.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <vector>

namespace brook::storage {
namespace {

constexpr SipKey kSeed{1, 2};

/// Recognizable: of its offset.
std::vector<Hash128> keys_of(std::int64_t first, std::int64_t count) {
  std::vector<Hash128> keys;
  for (std::int64_t i = 0; i < count; ++i) keys.push_back({static_cast<std::uint64_t>(first + i), 7});
  return keys;
}

std::vector<std::int64_t> all_of(const AppendedKeys& keys, Offset from, Offset end, std::size_t most) {
  std::vector<std::int64_t> found;
  while (from < end) {
    const auto pieces = keys.pieces(from, end, most);
    EXPECT_LE(pieces.size(), most);
    if (pieces.empty()) break;
    for (const auto& piece : pieces) {
      EXPECT_EQ(piece.first, from);
      for (const Hash128& key : piece.keys) found.push_back(static_cast<std::int64_t>(key.first));
      from = piece.end();
    }
  }
  return found;
}

TEST(AppendedKeys, KeepsNothingThatTheBudgetHasNoRoomFor) {
  runtime::MemoryBudget budget(10'000);
  AppendedKeys keys(budget, kSeed);
  keys.append(Offset(0), keys_of(0, 600));
  EXPECT_LE(budget.used(), 10'000U);
  EXPECT_TRUE(keys.cover(Offset(0), Offset(400)));
  EXPECT_FALSE(keys.cover(Offset(0), Offset(600)));
  AppendedKeys others(budget, kSeed);
  others.append(Offset(0), keys_of(0, 1));
  EXPECT_FALSE(others.cover(Offset(0), Offset(1)));
  static_cast<void>(keys.drop_below(Offset(400)));
  others.append(Offset(1), keys_of(1, 1));
  EXPECT_TRUE(others.cover(Offset(1), Offset(2)));
  keys.clear();
  others.clear();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(AppendedKeys, LeavesPiecesReadableThatWereDropped) {
  runtime::MemoryBudget budget(1 << 20);
  AppendedKeys keys(budget, kSeed);
  keys.append(Offset(5), keys_of(5, 3));
  const auto pieces = keys.pieces(Offset(6), Offset(8), 1);
  keys.append(Offset(8), keys_of(8, 3));
  keys.clear();
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(std::vector<Hash128>(pieces[0].keys.begin(), pieces[0].keys.end()), keys_of(6, 2));
}

TEST(AppendedKeys, AreThoseOfAModel) {
  const bool held = rc::check([] {
    runtime::MemoryBudget budget(1 << 24);
    AppendedKeys keys(budget, kSeed);
    std::map<std::int64_t, std::int64_t> model;
    std::int64_t end = *rc::gen::inRange(0, 1000);
    const int steps = *rc::gen::inRange(1, 40);
    for (int step = 0; step < steps; ++step) {
      const int kind = *rc::gen::inRange(0, 10);
      if (kind < 7) {
        if (*rc::gen::inRange(0, 4) == 0) end += *rc::gen::inRange(1, 300);  // A gap.
        const std::int64_t count = *rc::gen::inRange(0, 700);
        keys.append(Offset(end), keys_of(end, count));
        for (std::int64_t i = 0; i < count; ++i) model[end + i] = end + i;
        end += count;
      } else if (kind < 9) {
        const Offset below(*rc::gen::inRange<std::int64_t>(0, end + 10));
        static_cast<void>(keys.drop_below(below));  // May leave some, up to a block.
        for (auto at = model.begin(); at != model.end() && at->first < below.value();) {
          const bool there = keys.cover(Offset(at->first), Offset(at->first + 1));
          at = there ? std::next(at) : model.erase(at);
        }
      } else {
        keys.clear();
        model.clear();
      }
      const std::int64_t from = *rc::gen::inRange<std::int64_t>(0, end + 10);
      const std::int64_t to = from + *rc::gen::inRange(0, 900);
      const auto first = model.lower_bound(from);
      const auto last = model.lower_bound(to);
      const bool covered = from < to && std::distance(first, last) == to - from;
      RC_ASSERT(keys.cover(Offset(from), Offset(to)) == covered);
      if (!covered) continue;
      std::vector<std::int64_t> expected;
      for (auto at = first; at != last; ++at) expected.push_back(at->second);
      RC_ASSERT(all_of(keys, Offset(from), Offset(to), 2) == expected);
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::storage

#include "coordinator/streams_assignor.h"

#include <gtest/gtest.h>

namespace brook::coordinator {
namespace {

ConfiguredTopology topology(std::int32_t stateless, std::int32_t stateful) {
  ConfiguredTopology out;
  if (stateless > 0) out.subtopologies["0"] = {stateless, false, {}};
  if (stateful > 0) out.subtopologies["1"] = {stateful, true, {}};
  return out;
}

std::size_t count(const Tasks& tasks) {
  std::size_t out = 0;
  for (const auto& [subtopology, partitions] : tasks) out += partitions.size();
  return out;
}

TEST(StreamsAssignor, SpreadsActiveTasksEvenly) {
  const auto shares =
      assign_tasks({{"a", "p", nullptr}, {"b", "p", nullptr}, {"c", "q", nullptr}}, topology(4, 4), 0);

  ASSERT_EQ(shares.size(), 3U);
  EXPECT_EQ(count(shares[0].active) + count(shares[1].active) + count(shares[2].active), 8U);
  for (const TaskSets& share : shares) {
    EXPECT_GE(count(share.active), 2U);
    EXPECT_LE(count(share.active), 3U);
    EXPECT_TRUE(share.standby.empty());
  }
}

TEST(StreamsAssignor, LeavesWithAMemberWhatItHasWhileThatIsFair) {
  const TaskSets a{{{"1", {0, 1, 2, 3}}}, {}, {}};

  const auto shares = assign_tasks({{"a", "p", &a}, {"b", "q", nullptr}}, topology(0, 4), 0);

  EXPECT_EQ(shares[0].active, (Tasks{{"1", {0, 1}}}));
  EXPECT_EQ(shares[1].active, (Tasks{{"1", {2, 3}}}));
}

TEST(StreamsAssignor, MakesAStandbyTaskActiveWhereItIs) {
  const TaskSets b{{}, {{"1", {0}}}, {}};

  const auto shares = assign_tasks({{"a", "p", nullptr}, {"b", "q", &b}}, topology(0, 2), 0);

  EXPECT_EQ(shares[1].active, (Tasks{{"1", {0}}}));
  EXPECT_EQ(shares[0].active, (Tasks{{"1", {1}}}));
}

TEST(StreamsAssignor, KeepsCopiesOfStateOnOtherProcesses) {
  const auto shares =
      assign_tasks({{"a", "p", nullptr}, {"b", "p", nullptr}, {"c", "q", nullptr}}, topology(2, 4), 2);

  // Two processes: each stateful task has one copy, on the other, and the second finds no place.
  EXPECT_EQ(count(shares[0].standby) + count(shares[1].standby) + count(shares[2].standby), 4U);
  for (const std::int32_t partition : {0, 1, 2, 3}) {
    const bool active_on_q = has_task(shares[2].active, "1", partition);
    EXPECT_NE(active_on_q, has_task(shares[2].standby, "1", partition)) << partition;
  }
  EXPECT_FALSE(shares[2].standby.contains("0"));
}

TEST(StreamsAssignor, GivesNobodyAnythingWhereThereIsNobody) {
  EXPECT_TRUE(assign_tasks({}, topology(1, 1), 1).empty());
}

}  // namespace
}  // namespace brook::coordinator

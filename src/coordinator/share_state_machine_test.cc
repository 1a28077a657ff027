#include "coordinator/share_state_machine.h"

#include <gtest/gtest.h>

#include "coordinator/testing/share_state_driver.h"

namespace brook::coordinator {
namespace {

using testing::ShareStateDriver;

ShareStateUpdate update(std::int32_t state_epoch, std::int32_t leader_epoch,
                        std::optional<std::int64_t> start, std::vector<ShareStateBatch> batches) {
  ShareStateUpdate out;
  out.state_epoch = state_epoch;
  out.leader_epoch = leader_epoch;
  if (start) out.start_offset = Offset(*start);
  out.delivery_complete_count = 0;
  out.batches = std::move(batches);
  return out;
}

ErrorCode code_of(const auto& result) { return result ? ErrorCode::kNone : result.error().code; }

TEST(ShareStateMachine, HasNoStateBeforeItIsMade) {
  ShareStateDriver driver;
  EXPECT_EQ(code_of(driver.read("g", 0, 1)), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code_of(driver.write("g", 0, update(0, 1, 5, {}))), ErrorCode::kInvalidRequest);
  EXPECT_EQ(driver.summarize("g", 0)->start_offset, std::nullopt);
  EXPECT_TRUE(driver.log().empty());
}

TEST(ShareStateMachine, KnowsOnlyPartitionsThatThereAre) {
  ShareStateDriver driver;
  EXPECT_EQ(code_of(driver.initialise("g", 3, 1, {})), ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(code_of(driver.initialise("g", -1, 1, {})), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code_of(driver.initialise("", 0, 1, {})), ErrorCode::kInvalidRequest);
}

TEST(ShareStateMachine, AnswersWhatWasWritten) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, {}));
  EXPECT_EQ(driver.read("g", 0, 7)->start_offset, std::nullopt);
  const std::vector<ShareStateBatch> batches{{Offset(10), Offset(14), 2, 1}, {Offset(15), Offset(15), 0, 3}};
  ASSERT_TRUE(driver.write("g", 0, update(1, 7, 10, batches)));
  const auto state = driver.read("g", 0, 7);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->state_epoch, 1);
  EXPECT_EQ(state->leader_epoch, 7);
  EXPECT_EQ(state->start_offset, Offset(10));
  EXPECT_EQ(state->batches, batches);
}

TEST(ShareStateMachine, FencesLeadersBeforeTheOneThatReadLast) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, {}));
  ASSERT_TRUE(driver.read("g", 0, 7));
  EXPECT_EQ(code_of(driver.read("g", 0, 6)), ErrorCode::kFencedLeaderEpoch);
  EXPECT_EQ(code_of(driver.write("g", 0, update(1, 6, 10, {}))), ErrorCode::kFencedLeaderEpoch);
  EXPECT_TRUE(driver.write("g", 0, update(1, 7, 10, {})));
  // Whoever only looks fences nobody and is not fenced.
  EXPECT_TRUE(driver.read("g", 0, std::nullopt));
}

TEST(ShareStateMachine, FencesWhoeverDoesNotKnowThatTheStateIsAnother) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, {}));
  ASSERT_TRUE(driver.initialise("g", 0, 4, Offset(100)));
  EXPECT_EQ(code_of(driver.write("g", 0, update(1, 0, 10, {}))), ErrorCode::kFencedStateEpoch);
  EXPECT_EQ(code_of(driver.initialise("g", 0, 3, {})), ErrorCode::kFencedStateEpoch);
  EXPECT_EQ(driver.read("g", 0, 0)->start_offset, Offset(100));
}

TEST(ShareStateMachine, RefusesABatchThatIsNone) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, {}));
  for (const ShareStateBatch& bad : std::vector<ShareStateBatch>{{Offset(5), Offset(4), 2, 1},
                                                                 {Offset(-1), Offset(4), 2, 1},
                                                                 {Offset(0), Offset(4), 1, 1},
                                                                 {Offset(0), Offset(4), 5, 1},
                                                                 {Offset(0), Offset(INT64_MAX), 2, 1},
                                                                 {Offset(0), Offset(4), 2, -1}}) {
    EXPECT_EQ(code_of(driver.write("g", 0, update(1, 0, {}, {bad}))), ErrorCode::kInvalidRequest);
  }
}

TEST(ShareStateMachine, WritesTheWholeAnewAfterSoManyUpdates) {
  ShareStateDriver driver({.updates_per_snapshot = 2});
  ASSERT_TRUE(driver.initialise("g", 0, 1, Offset(0)));
  for (std::int64_t i = 0; i < 4; ++i)
    ASSERT_TRUE(driver.write("g", 0, update(1, 0, {}, {{Offset(i), Offset(i), 2, 1}})));
  std::vector<std::size_t> kinds;
  for (const ShareStateRecord& record : driver.log()) kinds.push_back(record.index());
  EXPECT_EQ(kinds, std::vector<std::size_t>({0, 1, 1, 0, 1}));
  const auto& snapshot = std::get<ShareSnapshotRecord>(driver.log()[3]).snapshot;
  EXPECT_EQ(snapshot->snapshot_epoch, 1);
  EXPECT_EQ(snapshot->state.batches, std::vector<ShareStateBatch>({{Offset(0), Offset(2), 2, 1}}));
}

TEST(ShareStateMachine, ForgetsWhatIsSaidToBeAvailableAndNeverDelivered) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, Offset(0)));
  ASSERT_TRUE(driver.write("g", 0, update(1, 0, {}, {{Offset(1), Offset(3), 2, 1}})));

  ASSERT_TRUE(driver.write("g", 0, update(1, 0, {}, {{Offset(2), Offset(3), 0, 0}})));

  const std::vector<ShareStateBatch> left{{Offset(1), Offset(1), 2, 1}};
  EXPECT_EQ(driver.read("g", 0, std::nullopt)->batches, left);
  EXPECT_EQ(driver.replayed().find(driver.key("g", 0))->batches, left);
  EXPECT_TRUE(std::holds_alternative<ShareSnapshotRecord>(driver.log().back())) << "as Apache Kafka reads it";
}

TEST(ShareStateMachine, NeedsNothingBelowItsEarliestSnapshot) {
  ShareStateDriver driver({.updates_per_snapshot = 1});
  ASSERT_TRUE(driver.initialise("g", 0, 1, Offset(0)));  // 0
  ASSERT_TRUE(driver.initialise("h", 0, 1, Offset(0)));  // 1
  EXPECT_EQ(driver.machine().redundant_before(), Offset(0));
  ASSERT_TRUE(driver.write("g", 0, update(1, 0, {}, {})));  // 2
  ASSERT_TRUE(driver.write("g", 0, update(1, 0, {}, {})));  // 3: a snapshot
  EXPECT_EQ(driver.machine().redundant_before(), Offset(1));
  ASSERT_TRUE(driver.erase("h", 0));  // 4
  EXPECT_EQ(driver.machine().redundant_before(), Offset(3));
  ASSERT_TRUE(driver.erase("g", 0));  // 5
  EXPECT_EQ(driver.machine().redundant_before(), Offset(6));
}

TEST(ShareStateMachine, WritesAnOldSnapshotAnewThatKeepsMuchFromBeingCutOff) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("cold", 0, 1, Offset(5)));
  ASSERT_TRUE(driver.initialise("hot", 0, 1, Offset(0)));
  for (std::int64_t i = 0; i < 1200; ++i) ASSERT_TRUE(driver.write("hot", 0, update(1, 0, {}, {})));
  driver.refresh();
  EXPECT_EQ(driver.machine().redundant_before(), Offset(0));
  driver.pass(std::chrono::minutes(6));
  driver.refresh();
  EXPECT_GT(driver.machine().redundant_before(), Offset(500));
  EXPECT_EQ(driver.read("cold", 0, std::nullopt)->start_offset, Offset(5));
}

TEST(ShareStateMachine, ForgetsATopicForAllGroups) {
  ShareStateDriver driver;
  ASSERT_TRUE(driver.initialise("g", 0, 1, {}));
  ASSERT_TRUE(driver.initialise("h", 1, 1, {}));
  driver.forget_topic();
  EXPECT_EQ(driver.machine().size(), 0U);
}

}  // namespace
}  // namespace brook::coordinator

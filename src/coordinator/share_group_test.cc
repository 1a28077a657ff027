#include "coordinator/share_group.h"

#include <gtest/gtest.h>

#include "coordinator/testing/consumer.h"
#include "coordinator/testing/share_consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::GroupDriver;
using testing::ShareConsumer;

ErrorCode code_of(const auto& result) { return result ? ErrorCode::kNone : result.error().code; }

/// A topic "orders" with four partitions.
class ShareGroupTest : public ::testing::Test {
 protected:
  ShareGroupTest() : driver_({.share_members_max = 3}) { driver_.facts.set("orders", 4); }

  [[nodiscard]] const ShareGroup& group() { return *driver_.machine().find_share("g"); }
  [[nodiscard]] TopicPartitions all_orders() { return {{driver_.facts.id("orders"), {0, 1, 2, 3}}}; }

  GroupDriver driver_;
  ShareConsumer a_{driver_, "g", "a", {"orders"}};
  ShareConsumer b_{driver_, "g", "b", {"orders"}};
};

TEST_F(ShareGroupTest, GivesTheFirstMemberEverythingInItsFirstAnswer) {
  const auto joined = a_.join();
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->member_id, "a");
  EXPECT_EQ(joined->heartbeat_interval_ms, 5000);
  EXPECT_EQ(a_.has(), all_orders());
  EXPECT_EQ(group().state(), ShareGroup::State::kStable);
  EXPECT_EQ(group().topics().initialised.at(driver_.facts.id("orders")).name, "orders");
}

TEST_F(ShareGroupTest, GivesNothingOfWhatHasNoState) {
  a_.states_refuse = true;
  ASSERT_TRUE(a_.join());
  EXPECT_EQ(a_.load(), 0U);
  EXPECT_TRUE(group().topics().initialising.empty());
  a_.states_refuse = false;
  ASSERT_TRUE(a_.beat());
  EXPECT_EQ(a_.has(), all_orders());
}

TEST_F(ShareGroupTest, TriesAgainToMakeStatesForASecondTopic) {
  driver_.facts.set("bills", 1);
  ASSERT_TRUE(a_.join());
  ShareConsumer c(driver_, "g", "c", {"orders", "bills"});
  c.states_refuse = true;
  ASSERT_TRUE(c.join());
  c.states_refuse = false;
  driver_.pass(seconds(2));
  ASSERT_TRUE(c.beat());
  EXPECT_TRUE(c.has().contains(driver_.facts.id("bills")));
}

TEST_F(ShareGroupTest, SharesBetweenMembersAtTheirNextHeartbeats) {
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(2));
  ASSERT_TRUE(b_.join());
  EXPECT_EQ(b_.load(), 2U);
  ASSERT_TRUE(a_.beat());
  EXPECT_EQ(a_.load(), 2U);
  EXPECT_EQ(a_.epoch(), b_.epoch());
  EXPECT_EQ(group().assignment_epoch(), group().epoch());
}

TEST_F(ShareGroupTest, SaysNothingOfAnAssignmentThatIsTheSame) {
  ASSERT_TRUE(a_.join());
  const auto again = a_.beat();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->assignment);
  // A member that has lost its way is told everything.
  const auto lost = a_.join();
  ASSERT_TRUE(lost) << lost.error().context;
  EXPECT_TRUE(lost->assignment);
}

TEST_F(ShareGroupTest, KeepsItsTargetsForTheAssignmentInterval) {
  driver_.facts.settings.assignment_interval = milliseconds(1000);
  ASSERT_TRUE(a_.join());
  ASSERT_TRUE(b_.join());
  EXPECT_EQ(b_.load(), 0U);
  driver_.pass(milliseconds(1000));
  ASSERT_TRUE(b_.beat());
  EXPECT_EQ(b_.load(), 2U);
}

TEST_F(ShareGroupTest, GivesAMembersPartitionsToOthersWhenItLeavesOrFallsSilent) {
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(2));
  ASSERT_TRUE(b_.join());
  driver_.pass(seconds(2));
  ASSERT_TRUE(a_.leave());
  ASSERT_TRUE(b_.beat());
  EXPECT_EQ(b_.has(), all_orders());
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(30));
  ASSERT_TRUE(b_.beat());
  driver_.pass(seconds(20));
  EXPECT_FALSE(group().has_member("a"));
  ASSERT_TRUE(b_.beat());
  EXPECT_EQ(b_.has(), all_orders());
  EXPECT_EQ(code_of(a_.beat()), ErrorCode::kUnknownMemberId);
}

TEST_F(ShareGroupTest, FollowsATopicThatGrowsAndOneThatComes) {
  ShareConsumer c(driver_, "g", "c", {"orders", "bills"});
  ASSERT_TRUE(c.join());
  EXPECT_EQ(c.load(), 4U);
  driver_.pass(seconds(2));
  driver_.facts.set("orders", 6);
  driver_.facts.set("bills", 1);
  ASSERT_TRUE(c.beat());
  EXPECT_EQ(c.load(), 7U);
}

TEST_F(ShareGroupTest, TakesAWholeNewTopicOfTheSameNameForAnother) {
  ASSERT_TRUE(a_.join());
  const TopicId before = driver_.facts.id("orders");
  driver_.facts.erase("orders");
  Effects effects;
  driver_.machine().forget_topic("orders", before, effects);
  driver_.carry_out(std::move(effects));
  EXPECT_TRUE(group().topics().empty());
  driver_.facts.set("orders", 2);
  driver_.pass(seconds(2));
  ASSERT_TRUE(a_.beat());
  EXPECT_EQ(a_.has(), TopicPartitions({{driver_.facts.id("orders"), {0, 1}}}));
}

TEST_F(ShareGroupTest, ReadsWhatAMemberSubscribesToNow) {
  driver_.facts.set("bills", 1);
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(2));
  a_.subscribe({"bills"});
  ASSERT_TRUE(a_.beat());
  EXPECT_EQ(a_.has(), TopicPartitions({{driver_.facts.id("bills"), {0}}}));
}

TEST_F(ShareGroupTest, FencesAnEpochThatIsNeitherThePresentNorTheOneBefore) {
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(2));
  ASSERT_TRUE(b_.join());
  const std::int32_t before = a_.epoch();
  ASSERT_TRUE(a_.beat());
  EXPECT_TRUE(a_.beat(before));
  EXPECT_EQ(code_of(a_.beat(before - 1)), ErrorCode::kFencedMemberEpoch);
  EXPECT_EQ(code_of(a_.beat(a_.epoch() + 1)), ErrorCode::kFencedMemberEpoch);
}

TEST_F(ShareGroupTest, RefusesWhatIsNoHeartbeat) {
  EXPECT_EQ(code_of(a_.beat(1)), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(code_of(a_.beat(-2)), ErrorCode::kInvalidRequest);
  // To join it says what it reads.
  EXPECT_EQ(code_of(a_.beat(0)), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code_of(ShareConsumer(driver_, "", "a", {"orders"}).join()), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code_of(ShareConsumer(driver_, "g", " ", {"orders"}).join()), ErrorCode::kInvalidRequest);
  EXPECT_EQ(driver_.machine().size(), 0U);
}

TEST_F(ShareGroupTest, TakesNoMoreMembersThanItMay) {
  for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(ShareConsumer(driver_, "g", id, {"orders"}).join());
  EXPECT_EQ(code_of(ShareConsumer(driver_, "g", "d", {"orders"}).join()), ErrorCode::kGroupMaxSizeReached);
  EXPECT_TRUE(a_.join());
}

TEST_F(ShareGroupTest, IsNoGroupOfAnotherKind) {
  ASSERT_TRUE(a_.join());
  testing::Consumer consumer(driver_, "g", "x", {.topics = {"orders"}});
  EXPECT_EQ(code_of(consumer.join()), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(driver_.joined(driver_.join("g", {}))->error_code, wire(ErrorCode::kInconsistentGroupProtocol));
  EXPECT_EQ(driver_.heartbeat("g", "x", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(driver_.commit("g", "orders", 5), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(code_of(driver_.machine().describe("g")), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(code_of(driver_.machine().describe_consumer("g")), ErrorCode::kGroupIdNotFound);
  const auto listed = driver_.machine().list({}, {"Share"});
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].group_type, "share");
  EXPECT_EQ(listed[0].protocol_type, "share");
  EXPECT_EQ(listed[0].group_state, "Stable");
}

TEST_F(ShareGroupTest, ComesFromNoGroupOfAnotherKind) {
  EXPECT_EQ(driver_.commit("g", "orders", 5), ErrorCode::kNone);
  EXPECT_EQ(code_of(a_.join()), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(driver_.committed("g", "orders"), 5);
}

TEST_F(ShareGroupTest, GoesOnAfterALoad) {
  ASSERT_TRUE(a_.join());
  driver_.pass(seconds(2));
  ASSERT_TRUE(b_.join());
  const GroupMachine fresh = driver_.replayed();
  ASSERT_NE(fresh.find_share("g"), nullptr);
  EXPECT_TRUE(fresh.find_share("g")->same_records(group()));
  EXPECT_EQ(fresh.count_share_by_state(), driver_.machine().count_share_by_state());
}

TEST_F(ShareGroupTest, ChangesNothingWhereTheLogRefuses) {
  driver_.log_refuses = true;
  EXPECT_EQ(code_of(a_.join()), ErrorCode::kNotCoordinator);
  EXPECT_EQ(driver_.machine().size(), 0U);
  driver_.log_refuses = false;
  ASSERT_TRUE(a_.join());
  EXPECT_EQ(a_.has(), all_orders());
}

TEST_F(ShareGroupTest, IsDescribedWithWhatItsMembersHave) {
  ASSERT_TRUE(a_.join());
  const auto described = driver_.machine().describe_share("g");
  ASSERT_TRUE(described);
  EXPECT_EQ(described->group_state, "Stable");
  EXPECT_EQ(described->assignor_name, "simple");
  ASSERT_EQ(described->members.size(), 1U);
  const auto& member = described->members[0];
  EXPECT_EQ(member.subscribed_topic_names, std::vector<std::string>({"orders"}));
  ASSERT_EQ(member.assignment.topic_partitions.size(), 1U);
  EXPECT_EQ(member.assignment.topic_partitions[0].topic_name, "orders");
  EXPECT_EQ(member.assignment.topic_partitions[0].partitions, std::vector<std::int32_t>({0, 1, 2, 3}));
}

TEST_F(ShareGroupTest, StaysWithoutMembersUntilItIsDeleted) {
  ASSERT_TRUE(a_.join());
  Effects effects;
  EXPECT_EQ(driver_.machine().delete_group("g", effects), ErrorCode::kNonEmptyGroup);
  ASSERT_TRUE(a_.leave());
  driver_.pass(std::chrono::hours(24 * 30));
  driver_.expire();
  ASSERT_NE(driver_.machine().find_share("g"), nullptr);
  const auto erase = driver_.machine().erase_share_group("g", effects);
  ASSERT_TRUE(erase);
  EXPECT_EQ(erase->size(), 4U);
  EXPECT_EQ(driver_.machine().delete_group("g", effects), ErrorCode::kNone);
  driver_.carry_out(std::move(effects));
  EXPECT_EQ(driver_.machine().size(), 0U);
  EXPECT_EQ(driver_.replayed().size(), 0U);
}

TEST_F(ShareGroupTest, BeginsWhereAnAdministratorSays) {
  protocol::AlterShareGroupOffsetsRequest request;
  request.group_id = "g";
  request.topics.push_back({"orders", {{1, 50}, {9, 0}}});
  request.topics.push_back({"nothing", {{0, 0}}});
  Effects effects;
  const auto altered = driver_.machine().alter_share_offsets(request, effects);
  ASSERT_TRUE(altered);
  driver_.carry_out(std::move(effects));
  ASSERT_EQ(altered->initialise.starts.size(), 1U);
  EXPECT_EQ(altered->initialise.starts[0].start, Offset(50));
  EXPECT_EQ(altered->response.responses[0].partitions[1].error_code,
            wire(ErrorCode::kUnknownTopicOrPartition));
  EXPECT_EQ(altered->response.responses[1].partitions[0].error_code,
            wire(ErrorCode::kUnknownTopicOrPartition));
  ASSERT_NE(driver_.machine().find_share("g"), nullptr);
  EXPECT_EQ(group().state(), ShareGroup::State::kEmpty);
  ASSERT_TRUE(a_.join());
  EXPECT_EQ(code_of(driver_.machine().alter_share_offsets(request, effects)), ErrorCode::kNonEmptyGroup);
}

TEST_F(ShareGroupTest, ForgetsWhatAnAdministratorDeletes) {
  ASSERT_TRUE(a_.join());
  protocol::DeleteShareGroupOffsetsRequest request;
  request.group_id = "g";
  request.topics = {{"orders"}, {"nothing"}};
  Effects effects;
  EXPECT_EQ(code_of(driver_.machine().delete_share_offsets(request, effects)), ErrorCode::kNonEmptyGroup);
  ASSERT_TRUE(a_.leave());
  const auto erasure = driver_.machine().delete_share_offsets(request, effects);
  ASSERT_TRUE(erasure);
  EXPECT_EQ(erasure->erase.size(), 4U);
  EXPECT_EQ(erasure->response.responses[1].error_code, wire(ErrorCode::kUnknownTopicOrPartition));
  driver_.carry_out(std::move(effects));
  EXPECT_TRUE(group().topics().deleting.contains(driver_.facts.id("orders")));
  Effects after;
  driver_.machine().share_states_erased("g", {driver_.facts.id("orders")}, after);
  driver_.carry_out(std::move(after));
  EXPECT_TRUE(group().topics().empty());
}

}  // namespace
}  // namespace brook::coordinator

#include "coordinator/group_machine.h"

#include <gtest/gtest.h>

#include "coordinator/testing/consumer.h"
#include "coordinator/testing/group_driver.h"

namespace brook::coordinator {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::bytes;
using testing::GroupDriver;
using testing::subscription;

constexpr GroupConfig kConfig{.initial_rebalance_delay = seconds(3), .offsets_retention = hours(1)};

TEST(GroupMachine, KeepsWhatAConsumerWithoutAGroupCommits) {
  GroupDriver driver(kConfig);
  EXPECT_EQ(driver.commit("g", "orders", 42), ErrorCode::kNone);
  EXPECT_EQ(driver.commit("g", "orders", 40), ErrorCode::kNone);
  EXPECT_EQ(driver.committed("g", "orders"), 40);
  EXPECT_EQ(driver.machine().find("g")->protocol_type(), "");
}

TEST(GroupMachine, TakesCommitsOfMembersInTheirGenerationOnly) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  EXPECT_EQ(driver.commit("g", "orders", 1, ids[0], 1), ErrorCode::kNone);
  EXPECT_EQ(driver.commit("g", "orders", 2, ids[0], 0), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(driver.commit("g", "orders", 2, "stranger", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(driver.commit("g", "orders", 2), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(driver.committed("g", "orders"), 1);
  EXPECT_EQ(driver.commit("nowhere", "orders", 2, "m", 1), ErrorCode::kGroupIdNotFound);
}

TEST(GroupMachine, RefusesACommitBetweenGenerationAndAssignment) {
  GroupDriver driver(kConfig);
  const Token token = driver.join("g", {.version = 3});
  driver.pass(seconds(3));
  const std::string id = driver.joined(token)->member_id;
  EXPECT_EQ(driver.commit("g", "orders", 1, id, 1), ErrorCode::kRebalanceInProgress);
}

TEST(GroupMachine, CountsACommitAsASignOfLife) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  for (int i = 0; i < 4; ++i) {
    driver.pass(seconds(8));
    EXPECT_EQ(driver.commit("g", "orders", i, ids[0], 1), ErrorCode::kNone);
  }
}

TEST(GroupMachine, RefusesNotesThatAreTooLong) {
  GroupDriver driver({.metadata_chars_max = 4});
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  // Four characters of two bytes each, and five of one.
  topic.partitions.push_back({0, 1, -1, "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"});
  topic.partitions.push_back({1, 1, -1, "abcde"});
  Effects effects;
  const auto response = driver.machine().commit_offsets(request, 9, driver.now(), effects);
  EXPECT_EQ(response.topics[0].partitions[0].error_code, 0);
  EXPECT_EQ(response.topics[0].partitions[1].error_code, wire(ErrorCode::kOffsetMetadataTooLarge));
  EXPECT_EQ(effects.records.size(), 1U);
}

TEST(GroupMachine, FetchesWhatIsCommittedAndMinusOneForTheRest) {
  GroupDriver driver(kConfig);
  std::ignore = driver.commit("g", "orders", 42);
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.topics.emplace();
  auto& topic = request.topics->emplace_back();
  topic.name = "orders";
  topic.partition_indexes = {0, 1};
  const auto some = driver.machine().fetch_offsets(request, false);
  EXPECT_EQ(some.topics.at(0).partitions.at(0).committed_offset, 42);
  EXPECT_EQ(some.topics.at(0).partitions.at(1).committed_offset, -1);
  EXPECT_EQ(some.topics.at(0).partitions.at(1).metadata, "");

  request.topics.reset();
  const auto all = driver.machine().fetch_offsets(request, false);
  ASSERT_EQ(all.topics.size(), 1U);
  EXPECT_EQ(all.topics[0].partitions.size(), 1U);
  request.group_id = "nowhere";
  EXPECT_TRUE(driver.machine().fetch_offsets(request, false).topics.empty());
}

TEST(GroupMachine, DoesNotGiveATopicTheOffsetsOfItsNamesake) {
  GroupDriver driver(kConfig);
  const TopicId old_id{{std::byte{1}}};
  const TopicId new_id{{std::byte{2}}};
  protocol::OffsetCommitValue value;
  value.offset = 42;
  value.topic_id = old_id;
  driver.machine().replay(OffsetCommitRecord{"g", "orders", 0, value});
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.topics.emplace();
  auto& topic = request.topics->emplace_back();
  topic.name = "orders";
  topic.partition_indexes = {0};
  topic.topic_id = new_id;
  EXPECT_EQ(driver.machine().fetch_offsets(request, false).topics.at(0).partitions.at(0).committed_offset,
            -1);

  Effects effects;
  driver.machine().forget_topic("orders", new_id, effects);
  EXPECT_TRUE(effects.records.empty());
  driver.machine().forget_topic("orders", old_id, effects);
  driver.carry_out(std::move(effects));
  EXPECT_EQ(driver.machine().find("g"), nullptr);
}

TEST(GroupMachine, DeletesOffsetsOfTopicsThatNobodyReads) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  std::ignore = driver.commit("g", "orders", 1, ids[0], 1);
  std::ignore = driver.commit("g", "old", 1, ids[0], 1);
  protocol::OffsetDeleteRequest request;
  request.group_id = "g";
  for (const char* name : {"orders", "old"}) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.partitions.emplace_back().partition_index = 0;
  }
  Effects effects;
  const auto response = driver.machine().delete_offsets(request, effects);
  driver.carry_out(std::move(effects));
  EXPECT_EQ(response.topics[0].partitions[0].error_code, wire(ErrorCode::kGroupSubscribedToTopic));
  EXPECT_EQ(response.topics[1].partitions[0].error_code, 0);
  EXPECT_EQ(driver.committed("g", "orders"), 1);
  EXPECT_EQ(driver.committed("g", "old"), -1);

  request.group_id = "nowhere";
  EXPECT_EQ(driver.machine().delete_offsets(request, effects).error_code, wire(ErrorCode::kGroupIdNotFound));
}

TEST(GroupMachine, DeletesAnEmptyGroupWithItsOffsets) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  std::ignore = driver.commit("g", "orders", 1, ids[0], 1);
  Effects effects;
  EXPECT_EQ(driver.machine().delete_group("g", effects), ErrorCode::kNonEmptyGroup);
  EXPECT_EQ(driver.machine().delete_group("nowhere", effects), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(driver.machine().delete_group("", effects), ErrorCode::kInvalidGroupId);
  EXPECT_TRUE(effects.records.empty());

  std::ignore = driver.leave("g", ids);
  EXPECT_EQ(driver.machine().delete_group("g", effects), ErrorCode::kNone);
  driver.carry_out(std::move(effects));
  EXPECT_EQ(driver.machine().find("g"), nullptr);
  EXPECT_EQ(driver.replayed().size(), 0U);
}

TEST(GroupMachine, ListsGroupsByStateAndTypeInAnyCase) {
  GroupDriver driver(kConfig);
  driver.stable_group("busy", 1);
  std::ignore = driver.commit("simple", "orders", 1);
  const auto names = [](const auto& listed) {
    std::vector<std::string> out;
    for (const auto& one : listed) out.push_back(one.group_id);
    return out;
  };
  EXPECT_EQ(names(driver.machine().list({}, {})), (std::vector<std::string>{"busy", "simple"}));
  EXPECT_EQ(names(driver.machine().list({"stable"}, {})), (std::vector<std::string>{"busy"}));
  EXPECT_EQ(names(driver.machine().list({"Empty", "Dead"}, {"Classic"})),
            (std::vector<std::string>{"simple"}));
  EXPECT_TRUE(driver.machine().list({}, {"consumer"}).empty());
}

TEST(GroupMachine, ExpiresOffsetsARetentionAfterTheGroupBecameEmpty) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  std::ignore = driver.commit("g", "orders", 7, ids[0], 1);
  for (int i = 0; i < 720; ++i) {
    driver.pass(seconds(8));
    std::ignore = driver.heartbeat("g", ids[0], 1);
  }
  EXPECT_TRUE(driver.expire().empty());  // Older than the retention, but in use.
  std::ignore = driver.leave("g", ids);
  driver.pass(hours(1) - seconds(1));
  EXPECT_TRUE(driver.expire().empty());
  driver.pass(seconds(1));

  const auto expired = driver.expire();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].group, "g");
  EXPECT_EQ(expired[0].topic, "orders");
  EXPECT_EQ(expired[0].offset, 7);
  EXPECT_EQ(driver.machine().find("g"), nullptr);
}

TEST(GroupMachine, ExpiresWhatMembersDoNotReadAnyMore) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  std::ignore = driver.commit("g", "orders", 1, ids[0], 1);
  std::ignore = driver.commit("g", "old", 2, ids[0], 1);
  for (int i = 0; i < 460; ++i) {
    driver.pass(seconds(8));
    std::ignore = driver.heartbeat("g", ids[0], 1);
  }
  const auto expired = driver.expire();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].topic, "old");
  EXPECT_EQ(driver.committed("g", "orders"), 1);
}

TEST(GroupMachine, ExpiresSimpleCommitsByTheirOwnTime) {
  GroupDriver driver(kConfig);
  std::ignore = driver.commit("g", "a", 1);
  driver.pass(hours(1) - seconds(10));
  std::ignore = driver.commit("g", "b", 2);
  driver.pass(seconds(10));
  const auto expired = driver.expire();
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].topic, "a");
  driver.pass(hours(1));
  EXPECT_EQ(driver.expire().size(), 1U);
  EXPECT_EQ(driver.machine().size(), 0U);
}

TEST(GroupMachine, KeepsAnOffsetAsLongAsItsClientAsked) {
  GroupDriver driver(kConfig);
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  request.retention_time_ms = 5000;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.push_back({0, 1, -1, std::nullopt});
  Effects effects;
  std::ignore = driver.machine().commit_offsets(request, 4, driver.now(), effects);
  driver.carry_out(std::move(effects));
  driver.pass(seconds(4));
  EXPECT_TRUE(driver.expire().empty());
  driver.pass(seconds(1));
  EXPECT_EQ(driver.expire().size(), 1U);
}

TEST(GroupMachine, LetsAGroupGoThatHasNothingLeft) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  std::ignore = driver.leave("g", ids);
  EXPECT_TRUE(driver.expire().empty());
  EXPECT_EQ(driver.machine().find("g"), nullptr);
  EXPECT_FALSE(std::get<GroupMetadataRecord>(driver.log().back()).value.has_value());
}

TEST(GroupMachine, KeepsOffsetsWhenOnlyTheMembersRecordEnds) {
  // Compaction may leave a group's tombstone behind newer commits of consumers without a group.
  const testing::FakeFacts facts;
  GroupMachine machine(kConfig, facts);
  protocol::OffsetCommitValue value;
  value.offset = 9;
  machine.replay(OffsetCommitRecord{"g", "orders", 0, value});
  machine.replay(GroupMetadataRecord{"g", {}});
  ASSERT_NE(machine.offsets("g"), nullptr);
  EXPECT_EQ(machine.offsets("g")->find("orders", 0)->offset, 9);
}

TEST(GroupMachine, CountsAGroupWhoseMembersRecordEndsAsEmpty) {
  GroupDriver driver(kConfig);
  std::ignore = driver.stable_group("g", 2);
  const GroupMachine stable = driver.replayed();
  EXPECT_EQ(stable.count_by_state(), (std::array<std::int64_t, 4>{0, 0, 0, 1}));
  protocol::OffsetCommitValue value;
  value.offset = 9;
  Effects ends;
  ends.records.emplace_back(OffsetCommitRecord{"g", "orders", 0, value});
  ends.records.emplace_back(GroupMetadataRecord{"g", {}});
  driver.carry_out(std::move(ends));
  EXPECT_EQ(driver.machine().count_by_state(), (std::array<std::int64_t, 4>{1, 0, 0, 0}));
}

TEST(GroupMachine, CountsAGroupAsClassicAgainWhereTheLogRefusedTheOtherKind) {
  GroupDriver driver(kConfig);
  driver.facts.set("orders", 2);
  EXPECT_EQ(driver.commit("g", "orders", 5), ErrorCode::kNone);
  driver.log_refuses = true;
  testing::Consumer one(driver, "g", "one", {.topics = {"orders"}});
  EXPECT_FALSE(one.join());
  EXPECT_EQ(driver.machine().count_by_state(), (std::array<std::int64_t, 4>{1, 0, 0, 0}));
}

}  // namespace
}  // namespace brook::coordinator

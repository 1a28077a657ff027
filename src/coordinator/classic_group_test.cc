#include "coordinator/classic_group.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator {
namespace {

using std::chrono::seconds;
using testing::bytes;
using testing::GroupDriver;
using testing::Joining;
using testing::subscription;
using State = ClassicGroup::State;

constexpr GroupConfig kConfig{.initial_rebalance_delay = seconds(3)};

std::int16_t code(ErrorCode error) { return wire(error); }

State state_of(GroupDriver& driver) { return driver.machine().find("g")->state(); }

TEST(ClassicGroup, GivesANewMemberAnIdWithWhichItComesAgain) {
  GroupDriver driver(kConfig);
  const auto& first = *driver.joined(driver.join("g", {}));
  EXPECT_EQ(first.error_code, code(ErrorCode::kMemberIdRequired));
  EXPECT_EQ(first.member_id, "client-001");

  const Token again = driver.join("g", {.member = "client-001"});
  EXPECT_EQ(driver.joined(again), nullptr);
  driver.pass(seconds(3));

  const auto& joined = *driver.joined(again);
  EXPECT_EQ(joined.error_code, 0);
  EXPECT_EQ(joined.generation_id, 1);
  EXPECT_EQ(joined.leader, "client-001");
  EXPECT_EQ(joined.protocol_name, "range");
  ASSERT_EQ(joined.members.size(), 1U);
  EXPECT_EQ(joined.members[0].metadata, subscription({"orders"}));
}

TEST(ClassicGroup, TakesAnOldClientWithoutAskingItBack) {
  GroupDriver driver(kConfig);
  const Token token = driver.join("g", {.version = 3});
  driver.pass(seconds(3));
  ASSERT_NE(driver.joined(token), nullptr);
  EXPECT_EQ(driver.joined(token)->generation_id, 1);
}

TEST(ClassicGroup, WaitsLongerForTheFirstGenerationWhileMembersCome) {
  GroupDriver driver(kConfig);
  const Token first = driver.join("g", {.version = 3});
  driver.pass(seconds(2));
  const Token second = driver.join("g", {.version = 3});
  driver.pass(seconds(2));
  EXPECT_EQ(driver.joined(first), nullptr);

  driver.pass(seconds(2));
  ASSERT_NE(driver.joined(first), nullptr);
  EXPECT_EQ(driver.joined(first)->members.size(), 2U);
  EXPECT_EQ(driver.joined(second)->members.size(), 0U);
  EXPECT_EQ(driver.joined(second)->leader, driver.joined(first)->member_id);
}

TEST(ClassicGroup, GivesEachMemberWhatTheLeaderAssigned) {
  GroupDriver driver(kConfig);
  const Token first = driver.join("g", {.version = 3});
  const Token second = driver.join("g", {.version = 3});
  driver.pass(seconds(6));
  const std::string leader = driver.joined(first)->member_id;
  const std::string follower = driver.joined(second)->member_id;

  const Token waiting = driver.sync("g", follower, 1);
  EXPECT_EQ(driver.synced(waiting), nullptr);
  const Token assigning = driver.sync("g", leader, 1, {{leader, "left"}, {follower, "right"}});

  EXPECT_EQ(driver.synced(assigning)->assignment, bytes("left"));
  EXPECT_EQ(driver.synced(waiting)->assignment, bytes("right"));
  EXPECT_EQ(state_of(driver), State::kStable);
  EXPECT_EQ(driver.machine().find("g")->members().at(follower).assignment, bytes("right"));
  EXPECT_EQ(driver.heartbeat("g", follower, 1), ErrorCode::kNone);
}

TEST(ClassicGroup, RebalancesWhenAMemberJoinsAStableGroup) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 2);
  const Token third = driver.join("g", {.version = 3});
  EXPECT_EQ(state_of(driver), State::kPreparingRebalance);
  EXPECT_EQ(driver.heartbeat("g", ids[0], 1), ErrorCode::kRebalanceInProgress);

  const Token one = driver.join("g", {.member = ids[0]});
  EXPECT_EQ(driver.joined(third), nullptr);
  const Token two = driver.join("g", {.member = ids[1]});

  EXPECT_EQ(driver.joined(third)->generation_id, 2);
  EXPECT_EQ(driver.joined(one)->generation_id, 2);
  EXPECT_EQ(driver.joined(two)->members.size() + driver.joined(one)->members.size(), 3U);
  EXPECT_EQ(driver.heartbeat("g", ids[0], 1), ErrorCode::kIllegalGeneration);
}

TEST(ClassicGroup, GoesOnWithoutMembersThatDoNotJoinAgain) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 2);
  const Token third = driver.join("g", {.version = 3});
  driver.join("g", {.member = ids[0]});
  // It keeps its session alive but does not join.
  for (int i = 0; i < 11; ++i) {
    driver.pass(seconds(5));
    EXPECT_EQ(driver.heartbeat("g", ids[1], 1), ErrorCode::kRebalanceInProgress);
  }
  driver.pass(seconds(5));

  EXPECT_EQ(driver.joined(third)->generation_id, 2);
  EXPECT_EQ(driver.heartbeat("g", ids[1], 1), ErrorCode::kUnknownMemberId);
}

TEST(ClassicGroup, RemovesAMemberWhoseSessionTimesOut) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 2);
  driver.pass(seconds(6));
  EXPECT_EQ(driver.heartbeat("g", ids[0], 1), ErrorCode::kNone);
  driver.pass(seconds(6));

  EXPECT_EQ(state_of(driver), State::kPreparingRebalance);
  EXPECT_EQ(driver.heartbeat("g", ids[1], 1), ErrorCode::kUnknownMemberId);
  const auto& event =
      *std::ranges::find(driver.events(), RebalanceCause::kSessionExpired, &GroupEvent::cause);
  EXPECT_EQ(event.member, ids[1]);
}

TEST(ClassicGroup, IsEmptyAndRememberedWhenTheLastMemberLeaves) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  EXPECT_EQ(driver.leave("g", {ids[0], "stranger"}),
            (std::vector{ErrorCode::kNone, ErrorCode::kUnknownMemberId}));

  EXPECT_EQ(state_of(driver), State::kEmpty);
  const auto& record = std::get<GroupMetadataRecord>(driver.log().back());
  EXPECT_EQ(record.value->generation, 2);
  EXPECT_EQ(record.value->protocol_type, "consumer");
  EXPECT_TRUE(record.value->members.empty());
  EXPECT_EQ(record.value->current_state_timestamp, driver.now().wall.value());
}

TEST(ClassicGroup, AnswersAFollowerThatJoinsAgainUnchangedFromTheGenerationThatStands) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 2);
  const std::string follower = ids[0] == *driver.machine().find("g")->leader() ? ids[1] : ids[0];
  const Token again = driver.join("g", {.member = follower});
  ASSERT_NE(driver.joined(again), nullptr);
  EXPECT_EQ(driver.joined(again)->generation_id, 1);
  EXPECT_EQ(state_of(driver), State::kStable);
}

TEST(ClassicGroup, RebalancesWhenTheLeaderJoinsAgain) {
  GroupDriver driver(kConfig);
  driver.stable_group("g", 2);
  driver.join("g", {.member = *driver.machine().find("g")->leader()});
  EXPECT_EQ(state_of(driver), State::kPreparingRebalance);
  EXPECT_EQ(driver.events().back().cause, RebalanceCause::kMemberChanged);
}

TEST(ClassicGroup, RemovesMembersThatDoNotComeForTheirAssignment) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 2);
  driver.join("g", {.member = ids[0], .protocols = {{"range", subscription({"other"})}}});
  driver.join("g", {.member = ids[1]});
  ASSERT_EQ(state_of(driver), State::kCompletingRebalance);
  const std::string leader = *driver.machine().find("g")->leader();
  const std::string follower = ids[0] == leader ? ids[1] : ids[0];
  driver.sync("g", leader, 2, {});
  for (int i = 0; i < 13; ++i) {
    driver.pass(seconds(5));
    std::ignore = driver.heartbeat("g", leader, 2);
    std::ignore = driver.heartbeat("g", follower, 2);
  }

  EXPECT_EQ(state_of(driver), State::kPreparingRebalance);
  EXPECT_EQ(driver.events().back().cause, RebalanceCause::kSyncMissed);
  EXPECT_EQ(driver.heartbeat("g", follower, 2), ErrorCode::kUnknownMemberId);
}

TEST(ClassicGroup, SendsMembersBackToJoinWhenTheLogRefusesTheAssignment) {
  GroupDriver driver(kConfig);
  const Token first = driver.join("g", {.version = 3});
  driver.pass(seconds(3));
  const std::string leader = driver.joined(first)->member_id;
  driver.log_refuses = true;
  const Token token = driver.sync("g", leader, 1, {{leader, "a"}});

  EXPECT_EQ(driver.synced(token)->error_code, code(ErrorCode::kNotCoordinator));
  EXPECT_EQ(state_of(driver), State::kPreparingRebalance);
  driver.log_refuses = false;
  const Token again = driver.join("g", {.member = leader});
  EXPECT_EQ(driver.joined(again)->generation_id, 2);
}

TEST(ClassicGroup, ChoosesTheProtocolThatMostMembersPreferAmongThoseOfAll) {
  GroupDriver driver(kConfig);
  const Token first =
      driver.join("g", {.protocols = {{"sticky", bytes("1s")}, {"range", bytes("1r")}}, .version = 3});
  driver.join("g", {.protocols = {{"range", bytes("2r")}, {"sticky", bytes("2s")}}, .version = 3});
  driver.join("g", {.protocols = {{"only", bytes("3o")}, {"range", bytes("3r")}, {"sticky", bytes("3s")}},
                    .version = 3});
  driver.pass(seconds(60));
  EXPECT_EQ(driver.joined(first)->protocol_name, "range");
  EXPECT_EQ(driver.joined(first)->members.at(0).metadata, bytes("1r"));
}

TEST(ClassicGroup, RefusesAMemberThatSharesNoProtocol) {
  GroupDriver driver(kConfig);
  driver.stable_group("g", 1);
  EXPECT_EQ(driver.joined(driver.join("g", {.protocols = {{"sticky", bytes("")}}}))->error_code,
            code(ErrorCode::kInconsistentGroupProtocol));
  EXPECT_EQ(driver.joined(driver.join("g", {.protocol_type = "connect"}))->error_code,
            code(ErrorCode::kInconsistentGroupProtocol));
  EXPECT_EQ(state_of(driver), State::kStable);
}

TEST(ClassicGroup, LeavesNothingOfAGroupWhoseOnlyMemberWasRefused) {
  GroupDriver driver(kConfig);
  EXPECT_EQ(driver.joined(driver.join("g", {.protocols = {}}))->error_code,
            code(ErrorCode::kInconsistentGroupProtocol));
  EXPECT_EQ(driver.machine().find("g"), nullptr);
}

TEST(ClassicGroup, RefusesSessionTimeoutsOutsideOfTheSettings) {
  GroupDriver driver(kConfig);
  EXPECT_EQ(driver.joined(driver.join("g", {.session = seconds(5)}))->error_code,
            code(ErrorCode::kInvalidSessionTimeout));
  EXPECT_EQ(driver.joined(driver.join("", {}))->error_code, code(ErrorCode::kInvalidGroupId));
  EXPECT_EQ(driver.joined(driver.join("g", {.member = "stranger"}))->error_code,
            code(ErrorCode::kUnknownMemberId));
}

TEST(ClassicGroup, RefusesMoreMembersThanAGroupMayHave) {
  GroupDriver driver({.initial_rebalance_delay = seconds(3), .members_max = 2});
  const auto ids = driver.stable_group("g", 2);
  EXPECT_EQ(driver.joined(driver.join("g", {.version = 3}))->error_code,
            code(ErrorCode::kGroupMaxSizeReached));
  EXPECT_EQ(driver.heartbeat("g", ids[0], 1), ErrorCode::kNone);
}

TEST(ClassicGroup, KeepsTheAssignmentOfAStaticMemberThatComesBack) {
  GroupDriver driver(kConfig);
  const Token token = driver.join("g", {.instance = "i1"});
  driver.pass(seconds(3));
  const std::string old_id = driver.joined(token)->member_id;
  driver.sync("g", old_id, 1, {{old_id, "mine"}});

  const auto& back = *driver.joined(driver.join("g", {.instance = "i1"}));
  EXPECT_EQ(back.error_code, 0);
  EXPECT_EQ(back.generation_id, 1);
  EXPECT_NE(back.member_id, old_id);
  EXPECT_EQ(back.leader, back.member_id);
  EXPECT_TRUE(back.skip_assignment);
  EXPECT_EQ(state_of(driver), State::kStable);
  EXPECT_EQ(driver.synced(driver.sync("g", back.member_id, 1))->assignment, bytes("mine"));
  EXPECT_EQ(driver.heartbeat("g", old_id, 1), ErrorCode::kUnknownMemberId);
  const auto& record = std::get<GroupMetadataRecord>(driver.log().back());
  EXPECT_EQ(record.value->members.at(0).member_id, back.member_id);
  EXPECT_EQ(record.value->leader, back.member_id);
}

TEST(ClassicGroup, LetsAStaticMemberWaitThatCameBackBeforeItsFirstGeneration) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  const Token first = driver.join("g", {.instance = "one"});
  const Token second = driver.join("g", {.instance = "one"});
  EXPECT_EQ(driver.joined(first)->error_code, wire(ErrorCode::kFencedInstanceId));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(driver.heartbeat("g", ids[0], 1), ErrorCode::kRebalanceInProgress);
    driver.pass(seconds(5));  // longer than a session in the end
  }
  EXPECT_EQ(driver.joined(second), nullptr);

  driver.join("g", {.member = ids[0]});
  EXPECT_EQ(driver.joined(second)->generation_id, 2);
}

TEST(ClassicGroup, TellsAnOlderStaticLeaderThatItDoesNotLead) {
  GroupDriver driver(kConfig);
  const Token token = driver.join("g", {.instance = "i1"});
  driver.pass(seconds(3));
  const std::string old_id = driver.joined(token)->member_id;
  driver.sync("g", old_id, 1, {{old_id, "mine"}});
  const auto& back = *driver.joined(driver.join("g", {.instance = "i1", .version = 8}));
  EXPECT_EQ(back.leader, old_id);
  EXPECT_FALSE(back.skip_assignment);
  EXPECT_TRUE(back.members.empty());
}

TEST(ClassicGroup, FencesTheOlderOfTwoWithOneInstanceId) {
  GroupDriver driver(kConfig);
  const Token older = driver.join("g", {.instance = "i1"});
  const Token newer = driver.join("g", {.instance = "i1"});
  ASSERT_NE(driver.joined(older), nullptr);
  EXPECT_EQ(driver.joined(older)->error_code, code(ErrorCode::kFencedInstanceId));
  driver.pass(seconds(6));
  EXPECT_EQ(driver.joined(newer)->error_code, 0);
  const auto fenced = driver.join("g", {.member = driver.joined(older)->member_id, .instance = "i1"});
  EXPECT_EQ(driver.joined(fenced)->error_code, code(ErrorCode::kFencedInstanceId));
}

TEST(ClassicGroup, LetsAnAdministratorRemoveAStaticMemberByItsInstanceId) {
  GroupDriver driver(kConfig);
  const Token token = driver.join("g", {.instance = "i1"});
  driver.pass(seconds(3));
  const std::string id = driver.joined(token)->member_id;
  driver.sync("g", id, 1, {{id, "a"}});
  Effects effects;
  const auto codes = driver.machine().leave("g", {{"", "i1", ""}, {"", "i2", ""}}, driver.now(), effects);
  driver.carry_out(std::move(effects));
  EXPECT_EQ(codes, (std::vector{ErrorCode::kNone, ErrorCode::kUnknownMemberId}));
  EXPECT_EQ(state_of(driver), State::kEmpty);
}

TEST(ClassicGroup, ForgetsAnIdThatNobodyComesBackWith) {
  GroupDriver driver(kConfig);
  driver.stable_group("g", 1);
  const std::string id = driver.joined(driver.join("g", {}))->member_id;
  driver.pass(seconds(10));
  EXPECT_EQ(driver.joined(driver.join("g", {.member = id}))->error_code, code(ErrorCode::kUnknownMemberId));
}

TEST(ClassicGroup, GivesUpANewMemberThatWaitsTooLong) {
  // Its client may be gone; the group cannot know while the request is parked.
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  const Token waiting = driver.join("g", {.rebalance = std::chrono::minutes(10), .version = 3});
  for (int i = 0; i < 61; ++i) {
    std::ignore = driver.heartbeat("g", ids[0], 1);
    driver.pass(seconds(5));
  }
  EXPECT_EQ(driver.joined(waiting)->error_code, code(ErrorCode::kUnknownMemberId));
}

TEST(ClassicGroup, RefusesASyncOfAnotherProtocol) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  protocol::SyncGroupRequest request;
  request.group_id = "g";
  request.member_id = ids[0];
  request.generation_id = 1;
  request.protocol_name = "sticky";
  Effects effects;
  driver.machine().sync(request, 99, driver.now(), effects);
  EXPECT_EQ(effects.syncs.at(0).response.error_code, code(ErrorCode::kInconsistentGroupProtocol));
}

TEST(ClassicGroup, DescribesMetadataOnlyWhileItIsStable) {
  GroupDriver driver(kConfig);
  const auto ids = driver.stable_group("g", 1);
  auto described = *driver.machine().describe("g");
  EXPECT_EQ(described.group_state, "Stable");
  EXPECT_EQ(described.protocol_data, "range");
  EXPECT_EQ(described.members.at(0).client_host, "/127.0.0.1");
  EXPECT_EQ(described.members.at(0).member_assignment, bytes("a0"));

  driver.join("g", {.version = 3});
  described = *driver.machine().describe("g");
  EXPECT_EQ(described.group_state, "PreparingRebalance");
  EXPECT_EQ(described.protocol_data, "");
  EXPECT_TRUE(described.members.at(0).member_assignment.empty());
}

TEST(ClassicGroup, ShrinksWhenItIsTooLargeAfterALoad) {
  GroupDriver before(kConfig);
  const auto ids = before.stable_group("g", 3);
  GroupDriver after({.initial_rebalance_delay = seconds(3), .members_max = 2});
  for (const GroupRecord& record : before.log()) after.machine().replay(record);
  Effects effects;
  after.machine().loaded(after.now(), effects);
  after.carry_out(std::move(effects));

  EXPECT_EQ(after.heartbeat("g", ids[0], 1), ErrorCode::kRebalanceInProgress);
  after.join("g", {.member = ids[0]});
  after.join("g", {.member = ids[1]});
  EXPECT_EQ(after.joined(after.join("g", {.member = ids[2]}))->error_code,
            code(ErrorCode::kGroupMaxSizeReached));
  EXPECT_EQ(after.machine().find("g")->members().size(), 2U);
  EXPECT_EQ(state_of(after), State::kCompletingRebalance);
}

}  // namespace
}  // namespace brook::coordinator

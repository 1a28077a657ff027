#include "coordinator/consumer_group.h"

#include <gtest/gtest.h>

#include "coordinator/testing/consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Consumer;
using testing::GroupDriver;

constexpr GroupConfig kConfig{};

/// A driver with a topic "orders" of four partitions.
struct World {
  explicit World(GroupConfig config = kConfig) : driver(config) { orders = driver.facts.set("orders", 4); }
  Consumer consumer(const std::string& id, Consumer::Wants wants = {.topics = {"orders"}}) {
    return {driver, "g", id, std::move(wants)};
  }
  [[nodiscard]] const ConsumerGroup& group() { return *driver.machine().find_consumer("g"); }
  [[nodiscard]] ConsumerGroup::State state() { return group().state(); }
  void expect_replay_equal() {
    const GroupMachine fresh = driver.replayed();
    ASSERT_NE(fresh.find_consumer("g"), nullptr);
    EXPECT_TRUE(fresh.find_consumer("g")->same_records(group()));
  }

  GroupDriver driver;
  TopicId orders;
};

TEST(ConsumerGroup, GivesItsFirstMemberEverythingAtOnce) {
  World world;
  Consumer a = world.consumer("a");
  const auto reply = a.join();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->member_id, "a");
  EXPECT_EQ(reply->member_epoch, 2);
  EXPECT_EQ(reply->heartbeat_interval_ms, 5000);
  a.obey();
  EXPECT_EQ(a.owns(), (TopicPartitions{{world.orders, {0, 1, 2, 3}}}));
  EXPECT_EQ(world.state(), ConsumerGroup::State::kStable);
  world.expect_replay_equal();
}

TEST(ConsumerGroup, IsRefusedWhereTheBrokerDoesNotAllowItsProtocol) {
  GroupConfig config = kConfig;
  config.consumer_protocol = false;
  World world(config);
  Consumer a = world.consumer("a");
  const auto reply = a.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnsupportedVersion);
  EXPECT_EQ(world.driver.machine().describe_consumer("g").error().code, ErrorCode::kUnsupportedVersion);
  EXPECT_EQ(world.driver.machine().find_consumer("g"), nullptr);
}

TEST(ConsumerGroup, TakesFromOneBeforeItGivesToAnother) {
  World world;
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  a.obey();
  const auto joined = b.join();
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->member_epoch, 3);
  EXPECT_TRUE(joined->assignment->topic_partitions.empty());
  EXPECT_EQ(world.state(), ConsumerGroup::State::kReconciling);

  // The first one hears what it may keep, in its old epoch.
  const auto revoke = a.beat();
  EXPECT_EQ(revoke->member_epoch, 2);
  ASSERT_TRUE(revoke->assignment);
  EXPECT_EQ(revoke->assignment->topic_partitions.at(0).partitions.size(), 2U);
  // As long as it keeps the rest, the other gets nothing.
  EXPECT_FALSE(b.beat()->assignment);
  a.obey();
  const auto revoked = a.beat();
  EXPECT_EQ(revoked->member_epoch, 3);
  EXPECT_FALSE(revoked->assignment);
  ASSERT_TRUE(b.beat()->assignment);
  b.obey();
  EXPECT_EQ(a.load(), 2U);
  EXPECT_EQ(b.load(), 2U);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kStable);
  world.expect_replay_equal();
}

TEST(ConsumerGroup, LetsOneSlowMemberStopOnlyItself) {
  World world;
  world.driver.facts.set("orders", 6);
  Consumer slow = world.consumer("z");
  Consumer b = world.consumer("b");
  Consumer c = world.consumer("c");
  ASSERT_TRUE(slow.join());
  slow.obey();
  ASSERT_TRUE(b.join());
  ASSERT_TRUE(slow.beat());
  slow.obey();
  ASSERT_TRUE(slow.beat());
  ASSERT_TRUE(b.beat());
  b.obey();
  // A third comes: both are to give one up. One does, and the third has it, whatever the slow one does.
  ASSERT_TRUE(c.join());
  ASSERT_TRUE(slow.beat());
  ASSERT_TRUE(b.beat());
  b.obey();
  ASSERT_TRUE(b.beat());
  ASSERT_TRUE(c.beat());
  c.obey();
  EXPECT_EQ(slow.epoch(), 3);
  EXPECT_EQ(b.epoch(), 4);
  EXPECT_EQ(c.epoch(), 4);
  EXPECT_EQ(slow.load(), 3U);
  EXPECT_EQ(b.load(), 2U);
  EXPECT_EQ(c.load(), 1U);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kReconciling);
}

TEST(ConsumerGroup, RemovesAMemberThatKeepsWhatItShouldGiveUp) {
  World world;
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  a.obey();
  ASSERT_TRUE(b.join());
  ASSERT_TRUE(a.beat());
  // Its rebalance timeout is 30 s; it sends heartbeats and keeps its partitions.
  for (int i = 0; i < 6; ++i) {
    world.driver.pass(milliseconds(4900));
    EXPECT_TRUE(a.beat());
    EXPECT_TRUE(b.beat());
  }
  world.driver.pass(seconds(1));
  EXPECT_EQ(a.beat().error().code, ErrorCode::kUnknownMemberId);
  ASSERT_TRUE(b.beat());
  b.obey();
  EXPECT_EQ(b.load(), 4U);
  world.expect_replay_equal();
}

TEST(ConsumerGroup, RemovesAMemberThatFallsSilent) {
  World world;
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  a.obey();
  world.driver.pass(seconds(40));
  ASSERT_TRUE(b.join());
  world.driver.pass(seconds(10));
  EXPECT_EQ(world.group().members().size(), 1U);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kAssigning);
  ASSERT_TRUE(b.beat());
  b.obey();
  EXPECT_EQ(b.load(), 4U);
  EXPECT_EQ(a.beat().error().code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(world.driver.events().back().kind, GroupEvent::Kind::kTargeted);
}

TEST(ConsumerGroup, EndsWithItsLastMemberAndBeginsAgain) {
  World world;
  Consumer a = world.consumer("a");
  ASSERT_TRUE(a.join());
  const auto left = a.leave();
  ASSERT_TRUE(left);
  EXPECT_EQ(left->member_epoch, -1);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kEmpty);
  EXPECT_EQ(world.group().epoch(), 3);
  world.expect_replay_equal();
  ASSERT_TRUE(a.join());
  EXPECT_EQ(a.epoch(), 4);
}

TEST(ConsumerGroup, FencesEpochsThatAreNotTheMembers) {
  World world;
  Consumer a = world.consumer("a");
  ASSERT_TRUE(a.join());
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = "g";
  request.member_id = "a";
  request.member_epoch = 5;
  EXPECT_EQ(world.driver.beat(request).error(),
            (Error{ErrorCode::kFencedMemberEpoch,
                   "The consumer group member has a greater member epoch (5) than the one known by the group "
                   "coordinator (2). The member must abandon all its partitions and rejoin."}));
  request.member_epoch = 1;
  EXPECT_EQ(world.driver.beat(request).error().code, ErrorCode::kFencedMemberEpoch);
  request.member_id = "stranger";
  EXPECT_EQ(world.driver.beat(request).error(),
            (Error{ErrorCode::kUnknownMemberId, "Member stranger is not a member of group g."}));
  request.group_id = "nowhere";
  EXPECT_EQ(world.driver.beat(request).error(),
            (Error{ErrorCode::kGroupIdNotFound, "Consumer group nowhere not found."}));
}

TEST(ConsumerGroup, BelievesAMemberWhoseAnswerWasLost) {
  World world;
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  a.obey();
  ASSERT_TRUE(b.join());
  ASSERT_TRUE(a.beat());
  a.obey();
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = "g";
  request.member_id = "a";
  request.member_epoch = 2;
  request.topic_partitions.emplace();
  for (const auto& [topic, partitions] : a.owns())
    request.topic_partitions->push_back({topic, {partitions.begin(), partitions.end()}});
  EXPECT_EQ(world.driver.beat(request)->member_epoch, 3);
  EXPECT_EQ(world.driver.beat(request)->member_epoch, 3);
  // With anything that it does not have, it is fenced.
  request.topic_partitions->at(0).partitions = {0, 1, 2, 3};
  EXPECT_EQ(world.driver.beat(request).error().code, ErrorCode::kFencedMemberEpoch);
}

TEST(ConsumerGroup, FollowsTopicsThatComeGrowAndGo) {
  World world;
  Consumer a = world.consumer("a", {.topics = {"bills", "orders"}});
  ASSERT_TRUE(a.join());
  a.obey();
  EXPECT_EQ(a.load(), 4U);
  world.driver.facts.set("bills", 2);
  ASSERT_TRUE(a.beat());
  a.obey();
  EXPECT_EQ(a.load(), 6U);
  world.driver.facts.set("orders", 8);
  ASSERT_TRUE(a.beat());
  a.obey();
  EXPECT_EQ(a.load(), 10U);
  world.driver.facts.erase("orders");
  ASSERT_TRUE(a.beat());
  a.obey();
  ASSERT_TRUE(a.beat());
  EXPECT_EQ(a.load(), 2U);
  EXPECT_EQ(world.group().epoch(), 5);
  // A topic that nobody reads is nobody's business.
  world.driver.facts.set("other", 1);
  ASSERT_TRUE(a.beat());
  EXPECT_EQ(world.group().epoch(), 5);
  world.expect_replay_equal();
}

TEST(ConsumerGroup, ReadsWhatARegularExpressionMatches) {
  World world;
  world.driver.facts.set("order", 1);
  world.driver.facts.set("orders-eu", 2);
  Consumer a = world.consumer("a", {.regex = "orders(-.*)?"});
  ASSERT_TRUE(a.join());
  a.obey();
  EXPECT_EQ(a.load(), 6U);
  EXPECT_TRUE(world.group().subscribes_to("orders-eu"));
  EXPECT_FALSE(world.group().subscribes_to("order"));
  world.driver.facts.set("orders-us", 3);
  ASSERT_TRUE(a.beat());
  a.obey();
  EXPECT_EQ(a.load(), 9U);
  world.expect_replay_equal();
  ASSERT_TRUE(a.leave());
  EXPECT_FALSE(world.group().subscribes_to("orders-eu"));
  world.expect_replay_equal();
}

TEST(ConsumerGroup, RefusesARegularExpressionThatIsNone) {
  World world;
  Consumer a = world.consumer("a", {.regex = "orders("});
  const auto refused = a.join();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidRegularExpression);
  EXPECT_EQ(world.driver.machine().size(), 0U);
}

TEST(ConsumerGroup, MovesWhenSubscriptionsChange) {
  World world;
  world.driver.facts.set("bills", 2);
  Consumer a = world.consumer("a");
  ASSERT_TRUE(a.join());
  a.obey();
  a.subscribe({"bills"});
  const auto changed = a.beat();
  ASSERT_TRUE(changed);
  // It still has what it is to give up.
  EXPECT_EQ(changed->member_epoch, 2);
  EXPECT_TRUE(changed->assignment->topic_partitions.empty());
  a.obey();
  ASSERT_TRUE(a.beat());
  a.obey();
  EXPECT_EQ(a.owns(), (TopicPartitions{{world.driver.facts.id("bills"), {0, 1}}}));
  world.expect_replay_equal();
}

TEST(ConsumerGroup, KeepsItsTargetsForAWhile) {
  World world;
  world.driver.facts.settings.assignment_interval = seconds(1);
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  a.obey();
  const auto early = b.join();
  EXPECT_EQ(early->member_epoch, 2);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kAssigning);
  EXPECT_EQ(world.group().epoch(), 3);
  EXPECT_EQ(world.group().assignment_epoch(), 2);
  EXPECT_EQ(b.beat()->member_epoch, 2);
  world.driver.pass(seconds(1));
  EXPECT_EQ(b.beat()->member_epoch, 3);
  EXPECT_EQ(world.state(), ConsumerGroup::State::kReconciling);
}

TEST(ConsumerGroup, GivesAStaticMemberItsPartitionsAgain) {
  World world;
  const Consumer::Wants wants{.topics = {"orders"}, .instance = "one"};
  Consumer first = world.consumer("first", wants);
  Consumer other = world.consumer("other");
  ASSERT_TRUE(first.join());
  first.obey();
  ASSERT_TRUE(other.join());
  ASSERT_TRUE(first.beat());
  first.obey();
  ASSERT_TRUE(first.beat());
  ASSERT_TRUE(other.beat());
  const TopicPartitions before = first.owns();

  Consumer again = world.consumer("again", wants);
  const auto early = again.join();
  EXPECT_EQ(early.error(),
            (Error{ErrorCode::kUnreleasedInstanceId,
                   "Static member again with instance id one cannot join the group because the "
                   "instance id is owned by first member."}));
  const auto away = first.leave(kStaticLeaveEpoch);
  ASSERT_TRUE(away);
  EXPECT_EQ(away->member_epoch, -2);
  const std::int32_t epoch = world.group().epoch();
  ASSERT_TRUE(again.join());
  again.obey();
  EXPECT_EQ(again.owns(), before);
  EXPECT_EQ(world.group().epoch(), epoch);
  EXPECT_EQ(again.epoch(), 3);
  EXPECT_EQ(world.group().members().size(), 2U);
  world.expect_replay_equal();

  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = "g";
  request.member_id = "first";
  request.member_epoch = 3;
  request.instance_id = "one";
  EXPECT_EQ(world.driver.beat(request).error(),
            (Error{ErrorCode::kFencedInstanceId,
                   "Static member first with instance id one was fenced by member again."}));
  request.instance_id = "two";
  EXPECT_EQ(world.driver.beat(request).error(),
            (Error{ErrorCode::kUnknownMemberId, "Instance id two is unknown."}));
}

TEST(ConsumerGroup, WaitsForAStaticMemberUntilItsSessionEnds) {
  World world;
  Consumer a = world.consumer("a", {.topics = {"orders"}, .instance = "one"});
  ASSERT_TRUE(a.join());
  ASSERT_TRUE(a.leave(kStaticLeaveEpoch));
  world.driver.pass(seconds(44));
  EXPECT_EQ(world.group().members().size(), 1U);
  world.driver.pass(seconds(2));
  EXPECT_TRUE(world.group().empty());
}

TEST(ConsumerGroup, TakesNoMoreMembersThanItMay) {
  World world({.consumer_members_max = 1});
  Consumer a = world.consumer("a");
  Consumer b = world.consumer("b");
  ASSERT_TRUE(a.join());
  EXPECT_EQ(b.join().error(), (Error{ErrorCode::kGroupMaxSizeReached,
                                     "The consumer group has reached its maximum capacity of 1 members."}));
  EXPECT_TRUE(a.join());
}

TEST(ConsumerGroup, MakesAnIdForAMemberThatBringsNone) {
  World world;
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = "g";
  request.rebalance_timeout_ms = 1000;
  request.subscribed_topic_names = {"orders"};
  request.topic_partitions.emplace();
  const auto reply = world.driver.beat(request, 0);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->member_id, "fresh-1");
  EXPECT_EQ(world.driver.beat(request, 1).error(),
            (Error{ErrorCode::kInvalidRequest, "MemberId can't be empty."}));
}

TEST(ConsumerGroup, UsesTheAssignorThatMostMembersAskFor) {
  World world;
  Consumer a = world.consumer("a", {.topics = {"orders"}, .assignor = "range"});
  ASSERT_TRUE(a.join());
  EXPECT_EQ(world.group().describe().assignor_name, "range");
  EXPECT_EQ(world.consumer("b", {.assignor = "sticky"}).join().error(),
            (Error{ErrorCode::kUnsupportedAssignor,
                   "ServerAssignor sticky is not supported. Supported assignors: uniform, range."}));
}

TEST(ConsumerGroup, RefusesRequestsThatMakeNoSense) {
  const auto why = [](const protocol::ConsumerGroupHeartbeatRequest& request) {
    const auto checked = check_heartbeat(request, 1, {});
    return checked ? std::string() : checked.error().context;
  };
  protocol::ConsumerGroupHeartbeatRequest request;
  request.member_id = "a";
  EXPECT_EQ(why(request), "GroupId can't be empty.");
  request.group_id = "g";
  EXPECT_EQ(why(request), "RebalanceTimeoutMs must be provided in first request.");
  request.rebalance_timeout_ms = 1000;
  EXPECT_EQ(why(request), "TopicPartitions must be empty when (re-)joining.");
  request.topic_partitions.emplace();
  EXPECT_EQ(why(request),
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  request.subscribed_topic_names.emplace();
  EXPECT_EQ(why(request), "");
  request.instance_id = " ";
  EXPECT_EQ(why(request), "InstanceId can't be empty.");
  request.instance_id.reset();
  request.rack_id = "";
  EXPECT_EQ(why(request), "RackId can't be empty.");
  request.rack_id.reset();
  request.member_epoch = kStaticLeaveEpoch;
  EXPECT_EQ(why(request), "InstanceId can't be null.");
  request.member_epoch = -3;
  EXPECT_EQ(why(request), "MemberEpoch is invalid.");
}

TEST(ConsumerGroup, TellsWhatItIs) {
  World world;
  Consumer a = world.consumer("a", {.topics = {"orders"}, .instance = "one"});
  ASSERT_TRUE(a.join());
  const auto described = world.driver.machine().describe_consumer("g");
  ASSERT_TRUE(described);
  EXPECT_EQ(described->group_state, "Stable");
  EXPECT_EQ(described->group_epoch, 2);
  EXPECT_EQ(described->assignment_epoch, 2);
  EXPECT_EQ(described->assignor_name, "uniform");
  ASSERT_EQ(described->members.size(), 1U);
  const auto& member = described->members[0];
  EXPECT_EQ(member.member_id, "a");
  EXPECT_EQ(member.instance_id, "one");
  EXPECT_EQ(member.client_host, "/127.0.0.1");
  EXPECT_EQ(member.subscribed_topic_names, std::vector<std::string>{"orders"});
  EXPECT_EQ(member.member_type, 1);
  ASSERT_EQ(member.assignment.topic_partitions.size(), 1U);
  EXPECT_EQ(member.assignment.topic_partitions[0].topic_name, "orders");
  EXPECT_EQ(member.assignment.topic_partitions[0].partitions, (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(member.target_assignment, member.assignment);
  EXPECT_EQ(world.driver.machine().describe("g").error().context, "Group g is not a classic group.");
  const auto listed = world.driver.machine().list({"stable"}, {"CONSUMER"});
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].group_type, "consumer");
  EXPECT_EQ(listed[0].protocol_type, "consumer");
  EXPECT_TRUE(world.driver.machine().list({}, {"classic"}).empty());
  EXPECT_EQ(world.driver.machine().count_consumer_by_state(), (std::array<std::int64_t, 4>{0, 0, 0, 1}));
}

TEST(ConsumerGroup, TakesCommitsOfMembersInTheirEpoch) {
  World world;
  Consumer a = world.consumer("a");
  ASSERT_TRUE(a.join());
  GroupDriver& driver = world.driver;
  EXPECT_EQ(driver.commit("g", "orders", 1, "a", 2), ErrorCode::kNone);
  EXPECT_EQ(driver.commit("g", "orders", 2, "a", 3), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(driver.commit("g", "orders", 2, "a", 1), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(driver.commit("g", "orders", 2, "b", 2), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(driver.commit("g", "orders", 2), ErrorCode::kUnknownMemberId);
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup fetch;
  fetch.group_id = "g";
  fetch.topics.reset();
  fetch.member_id.reset();
  fetch.member_epoch = -1;
  EXPECT_EQ(driver.machine().fetch_offsets(fetch, false).error_code, 0);
  fetch.member_id = "a";
  fetch.member_epoch = 1;
  EXPECT_EQ(driver.machine().fetch_offsets(fetch, false).error_code, wire(ErrorCode::kStaleMemberEpoch));
  fetch.member_epoch = 2;
  EXPECT_EQ(driver.machine().fetch_offsets(fetch, false).topics.size(), 1U);
  fetch.member_id = "b";
  EXPECT_EQ(driver.machine().fetch_offsets(fetch, false).error_code, wire(ErrorCode::kUnknownMemberId));
  ASSERT_TRUE(a.leave());
  EXPECT_EQ(driver.commit("g", "orders", 2), ErrorCode::kNone);
}

/// "a" had all partitions at epoch 2, and has some of them at epoch 3, since "b" is there.
Consumer with_a_later_epoch(World& world) {
  Consumer a = world.consumer("a");
  EXPECT_TRUE(a.join());
  a.obey();
  EXPECT_TRUE(world.consumer("b").join());
  EXPECT_TRUE(a.beat());
  a.obey();
  EXPECT_TRUE(a.beat());
  EXPECT_EQ(a.epoch(), 3);
  return a;
}

TEST(ConsumerGroup, TakesACommitOfTheEpochBeforeForWhatTheMemberHadThen) {
  World world;
  const Consumer a = with_a_later_epoch(world);
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  request.member_id = "a";
  request.generation_id_or_member_epoch = 2;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.topic_id = world.orders;
  topic.partitions.emplace_back().partition_index = *a.owns().at(world.orders).begin();
  EXPECT_EQ(world.group().check_commit(request, 9), ErrorCode::kNone);
  EXPECT_EQ(world.group().check_commit(request, 8), ErrorCode::kUnsupportedVersion);
  topic.partitions[0].partition_index = 4;
  EXPECT_EQ(world.group().check_commit(request, 9), ErrorCode::kStaleMemberEpoch);
}

TEST(ConsumerGroup, TakesACommitOfTheEpochBeforeInATransactionToo) {
  World world;
  const Consumer a = with_a_later_epoch(world);
  const auto commit = [&](std::int32_t partition) {
    protocol::TxnOffsetCommitRequest request;
    request.group_id = "g";
    request.member_id = "a";
    request.generation_id = 2;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    topic.partitions.emplace_back().partition_index = partition;
    Effects effects;
    const auto response = world.driver.machine().commit_in_transaction(request, world.driver.now(), effects);
    EXPECT_EQ(effects.records.size(), response.topics[0].partitions[0].error_code == 0 ? 1U : 0U);
    return response.topics[0].partitions[0].error_code;
  };
  EXPECT_EQ(commit(*a.owns().at(world.orders).begin()), 0);
  EXPECT_EQ(commit(4), wire(ErrorCode::kIllegalGeneration)) << "it had none such then";
}

TEST(ConsumerGroup, IsDeletedWhenItHasNoMembers) {
  World world;
  Consumer a = world.consumer("a", {.regex = "orders"});
  ASSERT_TRUE(a.join());
  std::ignore = world.driver.commit("g", "orders", 1, "a", 2);
  Effects effects;
  EXPECT_EQ(world.driver.machine().delete_group("g", effects), ErrorCode::kNonEmptyGroup);
  ASSERT_TRUE(a.leave());
  EXPECT_EQ(world.driver.machine().delete_group("g", effects), ErrorCode::kNone);
  world.driver.carry_out(std::move(effects));
  EXPECT_EQ(world.driver.machine().size(), 0U);
  EXPECT_EQ(world.driver.replayed().size(), 0U);
  EXPECT_EQ(world.driver.machine().count_consumer_by_state(), (std::array<std::int64_t, 4>{}));
}

TEST(ConsumerGroup, ComesOutOfAnEmptyClassicGroupAndBack) {
  World world;
  const auto ids = world.driver.stable_group("g", 1);
  Consumer a = world.consumer("a");
  EXPECT_EQ(a.join().error().code, ErrorCode::kGroupIdNotFound);
  std::ignore = world.driver.commit("g", "orders", 7, ids[0], 1);
  std::ignore = world.driver.leave("g", ids);
  ASSERT_TRUE(a.join());
  EXPECT_EQ(world.driver.committed("g", "orders"), 7);
  EXPECT_EQ(world.driver.heartbeat("g", ids[0], 1), ErrorCode::kUnknownMemberId);
  const Token asked = world.driver.join("g", {});
  EXPECT_EQ(world.driver.joined(asked)->error_code, wire(ErrorCode::kMemberIdRequired));

  ASSERT_TRUE(a.leave());
  EXPECT_EQ(world.driver.stable_group("g", 1).size(), 1U);
  EXPECT_EQ(world.driver.machine().find_consumer("g"), nullptr);
  EXPECT_EQ(world.driver.committed("g", "orders"), 7);
  const GroupMachine fresh = world.driver.replayed();
  EXPECT_EQ(fresh.find_consumer("g"), nullptr);
  EXPECT_EQ(fresh.find("g")->members().size(), 1U);
}

TEST(ConsumerGroup, IsNotThereWhereTheLogRefusedIt) {
  World world;
  world.driver.log_refuses = true;
  Consumer a = world.consumer("a");
  EXPECT_FALSE(a.join());
  EXPECT_EQ(world.driver.machine().size(), 0U);
  world.driver.log_refuses = false;
  EXPECT_TRUE(a.join());
}

TEST(ConsumerGroup, LetsAnAdministratorRemoveMembers) {
  World world;
  Consumer a = world.consumer("a", {.topics = {"orders"}, .instance = "one"});
  ASSERT_TRUE(a.join());
  Effects effects;
  const auto codes = world.driver.machine().leave("g", {{"", "one", "cleaning"}, {"b", std::nullopt, ""}},
                                                  world.driver.now(), effects);
  world.driver.carry_out(std::move(effects));
  EXPECT_EQ(codes, (std::vector<ErrorCode>{ErrorCode::kNone, ErrorCode::kUnknownMemberId}));
  EXPECT_TRUE(world.group().empty());
}

}  // namespace
}  // namespace brook::coordinator

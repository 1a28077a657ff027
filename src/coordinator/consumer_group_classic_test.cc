// Members of both protocols in one group: upgrade, life together, downgrade.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "coordinator/consumer_protocol.h"
#include "coordinator/group_records.h"
#include "coordinator/testing/consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Consumer;
using testing::GroupDriver;

constexpr GroupConfig kConfig{.initial_rebalance_delay = milliseconds(0)};

std::string text(const protocol::Bytes& bytes) {
  std::string out;
  for (const std::byte byte : bytes) out += static_cast<char>(byte);
  return out;
}

/// A classic group "g" of one eager member, maybe a static one, which has all four partitions of "orders".
struct World {
  explicit World(GroupConfig config = kConfig, std::optional<std::string> instance = {}) : driver(config) {
    orders = driver.facts.set("orders", 4);
    Token joined = driver.join("g", {.instance = instance});
    if (!instance) {
      id = driver.joined(joined)->member_id;
      joined = driver.join("g", {.member = id});
    }
    driver.pass(milliseconds(1));
    id = driver.joined(joined)->member_id;
    generation = driver.joined(joined)->generation_id;
    driver.sync("g", id, generation, {{id, text(write_assignment(1, {{"orders", {0, 1, 2, 3}}}))}});
  }
  /// It comes again with nothing, as an eager member does, and has its assignment; its partitions.
  std::set<std::int32_t> rejoin() {
    const auto* joined = driver.joined(driver.join("g", {.member = id}));
    EXPECT_EQ(joined->error_code, 0);
    generation = joined->generation_id;
    const auto* synced = driver.synced(driver.sync("g", id, generation));
    EXPECT_EQ(synced->error_code, 0);
    return (*read_assignment(synced->assignment))["orders"];
  }
  [[nodiscard]] const ConsumerGroup* group() { return driver.machine().find_consumer("g"); }

  GroupDriver driver;
  TopicId orders;
  std::string id;
  std::int32_t generation = 0;
};

TEST(ConsumerGroupClassic, BecomesAConsumerGroupWhenAConsumerJoins) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  const auto joined = b.join();
  ASSERT_TRUE(joined) << joined.error().context;
  ASSERT_NE(world.group(), nullptr);
  EXPECT_EQ(world.group()->members().size(), 2U);
  // The classic member has everything still, and hears that it is to join again.
  EXPECT_TRUE(joined->assignment->topic_partitions.empty());
  EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(world.rejoin().size(), 2U);
  EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kNone);
  ASSERT_TRUE(b.beat());
  b.obey();
  EXPECT_EQ(b.load(), 2U);
  EXPECT_EQ(world.group()->state(), ConsumerGroup::State::kStable);
  EXPECT_EQ(world.group()->describe().members.size(), 2U);
  EXPECT_EQ(world.driver.commit("g", "orders", 5, world.id, world.generation), ErrorCode::kNone);
  EXPECT_EQ(world.driver.commit("g", "orders", 5, world.id, world.generation - 1),
            ErrorCode::kIllegalGeneration);
  const GroupMachine fresh = world.driver.replayed();
  EXPECT_TRUE(fresh.find_consumer("g")->same_records(*world.group()));
  EXPECT_EQ(fresh.find("g")->members().size(), 0U);
}

TEST(ConsumerGroupClassic, BecomesAClassicGroupWhenTheLastConsumerGoes) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  ASSERT_TRUE(b.join());
  world.rejoin();
  ASSERT_TRUE(b.beat());
  const std::int32_t epoch = world.group()->epoch();
  ASSERT_TRUE(b.leave());
  EXPECT_EQ(world.group(), nullptr);
  world.driver.pass(milliseconds(1));
  const ClassicGroup* classic = world.driver.machine().find("g");
  ASSERT_NE(classic, nullptr);
  EXPECT_EQ(classic->members().size(), 1U);
  EXPECT_GE(classic->generation(), epoch);
  EXPECT_EQ(classic->state(), ClassicGroup::State::kPreparingRebalance);
  EXPECT_EQ(world.driver.heartbeat("g", world.id, classic->generation()), ErrorCode::kRebalanceInProgress);
  const auto* joined = world.driver.joined(world.driver.join("g", {.member = world.id}));
  ASSERT_NE(joined, nullptr);
  EXPECT_EQ(joined->leader, world.id);
  EXPECT_GT(joined->generation_id, epoch);
  const GroupMachine fresh = world.driver.replayed();
  EXPECT_EQ(fresh.find_consumer("g"), nullptr);
  EXPECT_EQ(fresh.find("g")->members().size(), 1U);
}

TEST(ConsumerGroupClassic, TakesANewClassicMember) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  ASSERT_TRUE(b.join());
  world.rejoin();
  ASSERT_TRUE(b.beat());
  b.obey();
  const Token first = world.driver.join("g", {});
  EXPECT_EQ(world.driver.joined(first)->error_code, wire(ErrorCode::kMemberIdRequired));
  const std::string id = world.driver.joined(first)->member_id;
  const auto* joined = world.driver.joined(world.driver.join("g", {.member = id}));
  EXPECT_EQ(joined->error_code, 0);
  EXPECT_EQ(joined->protocol_name, "range");
  EXPECT_EQ(world.group()->members().size(), 3U);
  const Token other =
      world.driver.join("g", {.member = "x", .protocols = {{"sticky", testing::subscription({})}}});
  EXPECT_EQ(world.driver.joined(other)->error_code, wire(ErrorCode::kInconsistentGroupProtocol));
}

TEST(ConsumerGroupClassic, RemovesAClassicMemberThatDoesNotComeAgain) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  ASSERT_TRUE(b.join());
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kRebalanceInProgress);
    ASSERT_TRUE(b.beat());
    world.driver.pass(seconds(8));
  }
  EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kUnknownMemberId);
  ASSERT_TRUE(b.beat());
  b.obey();
  EXPECT_EQ(b.load(), 4U);
}

TEST(ConsumerGroupClassic, StaysClassicWhereThePolicySaysSo) {
  World world({.initial_rebalance_delay = milliseconds(0), .consumer_upgrade = false});
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  EXPECT_EQ(b.join().error(), (Error{ErrorCode::kGroupIdNotFound,
                                     "Cannot upgrade classic group g to consumer group because online "
                                     "upgrade is disabled."}));
  EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kNone);
}

TEST(ConsumerGroupClassic, StaysClassicWhereTheLogRefusesTheUpgrade) {
  World world;
  world.driver.log_refuses = true;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  EXPECT_FALSE(b.join());
  EXPECT_EQ(world.group(), nullptr);
  EXPECT_EQ(world.driver.heartbeat("g", world.id, world.generation), ErrorCode::kNone);
}

TEST(ConsumerGroupClassic, StaysClassicWhereAnAssignorHasDataOfItsOwn) {
  World world;
  const Token joined = world.driver.join("g", {.member = world.id});
  std::string assignment = text(write_assignment(1, {{"orders", {0, 1, 2, 3}}}));
  assignment.replace(assignment.size() - 4, 4, std::string("\0\0\0\1x", 5));  // no user data: a length of -1
  const std::int32_t generation = world.driver.joined(joined)->generation_id;
  world.driver.sync("g", world.id, generation, {{world.id, assignment}});

  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  EXPECT_EQ(b.join().error(), (Error{ErrorCode::kGroupIdNotFound,
                                     "Cannot upgrade classic group g to consumer group because an "
                                     "unsupported custom assignor is in use."}));
  EXPECT_EQ(world.driver.heartbeat("g", world.id, generation), ErrorCode::kNone);
}

// Its timers went on for the classic group, which was no more: one turn of the shard took for ever.
TEST(ConsumerGroupClassic, HasNothingDueOfARebalanceThatAnUpgradeEnded) {
  World world;
  const Token waits = world.driver.join("g", {.version = 3});
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  ASSERT_TRUE(b.join());
  EXPECT_EQ(world.driver.joined(waits)->error_code, wire(ErrorCode::kRebalanceInProgress));

  Moment later = world.driver.now();
  later.instant += seconds(600);
  Effects effects;
  world.driver.machine().tick(later, effects);
  EXPECT_GT(world.driver.machine().next_tick(), later.instant);
}

TEST(ConsumerGroupClassic, ReplacesAStaticMemberOfTheClassicProtocol) {
  World world(kConfig, "one");
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}, .instance = "one"});
  const auto joined = b.join();
  ASSERT_TRUE(joined) << joined.error().context;
  b.obey();

  EXPECT_EQ(b.load(), 4U);
  EXPECT_EQ(world.group()->members().size(), 1U);
  EXPECT_EQ(world.driver.machine().heartbeat("g", world.id, "one", world.generation, world.driver.now()),
            ErrorCode::kFencedInstanceId);
  EXPECT_TRUE(world.driver.replayed().find_consumer("g")->same_records(*world.group()));
}

/// Keys whose last record is no tombstone.
std::size_t left_when_compacted(const std::vector<GroupRecord>& log) {
  std::map<std::string, bool> left;
  for (const GroupRecord& record : log) {
    const EncodedRecord encoded = encode(record);
    left[text(encoded.key)] = encoded.value.has_value();
  }
  return static_cast<std::size_t>(std::ranges::count_if(left, [](const auto& one) { return one.second; }));
}

TEST(ConsumerGroupClassic, BecomesAClassicGroupWhenAStaticMemberComesBackToIt) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}, .instance = "one"});
  ASSERT_TRUE(b.join());
  world.rejoin();
  ASSERT_TRUE(b.beat());
  const std::int32_t epoch = world.group()->epoch();
  ASSERT_TRUE(b.leave(kStaticLeaveEpoch));

  const Token joined = world.driver.join("g", {.instance = "one"});
  const std::string id = world.driver.joined(joined)->member_id;
  world.driver.pass(milliseconds(1));

  EXPECT_EQ(world.group(), nullptr);
  const ClassicGroup& classic = *world.driver.machine().find("g");
  EXPECT_EQ(classic.members().size(), 2U);
  EXPECT_EQ(classic.members().at(id).instance_id, "one");
  EXPECT_EQ(classic.state(), ClassicGroup::State::kPreparingRebalance);
  EXPECT_GE(classic.generation(), epoch);
  EXPECT_EQ(left_when_compacted(world.driver.log()), 1U) << "the classic group alone";
  const GroupMachine fresh = world.driver.replayed();
  EXPECT_EQ(fresh.find_consumer("g"), nullptr);
  EXPECT_EQ(fresh.find("g")->members().size(), 2U);
}

// A cooperative member reads on while its group rebalances.
TEST(ConsumerGroupClassic, GivesNobodyWhatAMemberHasWhileItWaitsForItsAssignment) {
  World world;
  const auto* joined = world.driver.joined(world.driver.join("g", {.member = world.id}));
  EXPECT_EQ(world.driver.machine().find("g")->state(), ClassicGroup::State::kCompletingRebalance);
  world.generation = joined->generation_id;

  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  const auto answer = b.join();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->assignment->topic_partitions.empty());
  EXPECT_EQ(world.rejoin().size(), 2U);
  ASSERT_TRUE(b.beat());
  b.obey();
  EXPECT_EQ(b.load(), 2U);
}

TEST(ConsumerGroupClassic, KeepsAMemberThatTellsNoRebalanceTimeout) {
  World world;
  Consumer b(world.driver, "g", "b", {.topics = {"orders"}});
  ASSERT_TRUE(b.join());
  const Token token =
      world.driver.join("g", {.rebalance = milliseconds(-1), .version = 0});  // it has no such field
  const auto* joined = world.driver.joined(token);
  ASSERT_EQ(joined->error_code, 0);
  world.driver.pass(seconds(1));

  EXPECT_TRUE(world.group()->members().contains(joined->member_id));
  EXPECT_EQ(world.driver.synced(world.driver.sync("g", joined->member_id, joined->generation_id))->error_code,
            0);
}

TEST(ConsumerProtocol, ReadsWhatItWrites) {
  const NamedPartitions partitions{{"a", {1, 2}}, {"b", {}}};
  EXPECT_EQ(read_assignment(write_assignment(2, partitions)), partitions);
  EXPECT_EQ(read_assignment({}), NamedPartitions{});
  EXPECT_EQ(read_assignment(testing::bytes("a0")), std::nullopt);
  const auto subscription = read_subscription(testing::subscription({"orders", "bills"}));
  ASSERT_TRUE(subscription);
  EXPECT_EQ(subscription->topics, (std::vector<std::string>{"orders", "bills"}));
  EXPECT_FALSE(read_subscription(testing::bytes("x")));
}

}  // namespace
}  // namespace brook::coordinator

// Members of both protocols in one group: upgrade, life together, downgrade.
#include <gtest/gtest.h>

#include "coordinator/consumer_protocol.h"
#include "coordinator/testing/consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Consumer;
using testing::GroupDriver;

constexpr GroupConfig kConfig{.initial_rebalance_delay = milliseconds(0)};

/// A classic group "g" of one eager member, which has all four partitions of "orders".
struct World {
  explicit World(GroupConfig config = kConfig) : driver(config) {
    orders = driver.facts.set("orders", 4);
    id = driver.joined(driver.join("g", {}))->member_id;
    const Token joined = driver.join("g", {.member = id});
    driver.pass(milliseconds(1));
    std::string all;
    for (const std::byte byte : write_assignment(1, {{"orders", {0, 1, 2, 3}}}))
      all += static_cast<char>(byte);
    generation = driver.joined(joined)->generation_id;
    driver.sync("g", id, generation, {{id, all}});
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

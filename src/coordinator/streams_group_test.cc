#include "coordinator/streams_group.h"

#include <gtest/gtest.h>

#include "coordinator/testing/streams_thread.h"

namespace brook::coordinator {
namespace {

using std::chrono::seconds;
using testing::GroupDriver;
using testing::StreamsThread;

class StreamsGroupTest : public ::testing::Test {
 protected:
  StreamsGroupTest() : driver_({.streams_members_max = 2}) { driver_.facts.set("lines", 2); }

  StreamsThread thread(const std::string& id, const std::string& process = "p") {
    return {driver_, "g", id, process};
  }
  const StreamsGroup& group() { return *driver_.machine().find_streams("g"); }
  /// Its topics are made, and then it has its tasks.
  void get_tasks(StreamsThread& member) {
    ASSERT_TRUE(member.join());
    ASSERT_TRUE(member.beat());
    member.settle();
  }

  GroupDriver driver_;
};

std::int8_t first_status(const Result<protocol::StreamsGroupHeartbeatResponse>& response) {
  if (!response || !response->status || response->status->empty()) return -1;
  return response->status->front().status_code;
}

TEST(StreamsGroup, IsRefusedWhereTheBrokerDoesNotAllowItsProtocol) {
  GroupDriver driver({.streams_protocol = false});
  driver.facts.set("lines", 2);
  StreamsThread a(driver, "g", "a", "p");
  const auto reply = a.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnsupportedVersion);
  EXPECT_EQ(driver.machine().find_streams("g"), nullptr);
}

TEST_F(StreamsGroupTest, GivesTasksWhenTheInternalTopicsAreThere) {
  StreamsThread a = thread("a");

  const auto first = a.join();
  EXPECT_EQ(first_status(first), 3);
  EXPECT_TRUE(first->active_tasks->empty());
  EXPECT_EQ(group().state(), StreamsGroup::State::kNotReady);
  const auto second = a.beat();
  a.settle();

  ASSERT_TRUE(second);
  EXPECT_TRUE(second->status->empty());
  EXPECT_EQ(a.has().active, (Tasks{{"0", {0, 1}}, {"1", {0, 1}}}));
  EXPECT_EQ(group().state(), StreamsGroup::State::kStable);
}

TEST_F(StreamsGroupTest, TakesFromAMemberOnlyWhatItHasGivenUp) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b", "q");
  get_tasks(a);

  ASSERT_TRUE(b.join());
  b.settle();
  EXPECT_TRUE(b.has().active.empty());
  ASSERT_TRUE(a.beat());  // It hears what to give up, and has it still.
  ASSERT_TRUE(b.beat());
  b.settle();
  EXPECT_TRUE(b.has().active.empty());
  a.settle();
  ASSERT_TRUE(a.beat());
  ASSERT_TRUE(b.beat());
  b.settle();

  EXPECT_FALSE(b.has().active.empty());
  EXPECT_EQ(group().state(), StreamsGroup::State::kStable);
}

TEST_F(StreamsGroupTest, TellsTasksAgainWhereTheAnswerWasLost) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b", "q");
  get_tasks(a);
  ASSERT_TRUE(b.join());
  b.settle();
  ASSERT_TRUE(a.beat());
  a.settle();
  ASSERT_TRUE(a.beat());
  StreamsThread lost = b;
  ASSERT_TRUE(lost.beat());
  lost.settle();
  EXPECT_FALSE(lost.has().active.empty());

  ASSERT_TRUE(b.beat());
  b.settle();

  EXPECT_EQ(b.has().active, lost.has().active);
}

TEST_F(StreamsGroupTest, WaitsForTheOthersBeforeItsFirstTasks) {
  driver_.facts.initial_rebalance_delay = seconds(3);
  StreamsThread a = thread("a");
  StreamsThread b = thread("b");

  EXPECT_EQ(first_status(a.join()), 5);
  EXPECT_EQ(first_status(b.join()), 5);
  driver_.pass(seconds(3));
  ASSERT_TRUE(a.beat());
  ASSERT_TRUE(b.beat());
  a.settle();
  b.settle();

  EXPECT_EQ(a.has().active.size() + b.has().active.size(), 4U);
  EXPECT_EQ(group().state(), StreamsGroup::State::kStable);
}

TEST_F(StreamsGroupTest, RemovesAMemberThatDoesNotGiveUp) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b", "q");
  get_tasks(a);
  ASSERT_TRUE(b.join());
  ASSERT_TRUE(a.beat());

  for (int second = 0; second < 6; ++second) {
    if (a.in_group()) std::ignore = a.beat();
    std::ignore = b.beat();
    driver_.pass(seconds(1));
  }

  EXPECT_FALSE(group().members().contains("a"));
}

TEST_F(StreamsGroupTest, RemovesAMemberThatIsSilent) {
  StreamsThread a = thread("a");
  get_tasks(a);

  driver_.pass(seconds(46));

  EXPECT_TRUE(group().empty());
  EXPECT_EQ(a.beat().error().code, ErrorCode::kUnknownMemberId);
}

TEST_F(StreamsGroupTest, KeepsItsTopology) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b");
  get_tasks(a);

  b.topology.subtopologies[0].source_topics = {"pages"};
  EXPECT_EQ(b.join().error().code, ErrorCode::kInvalidRequest);
  b.topology.epoch = 0;
  const auto older = b.join();

  EXPECT_EQ(first_status(older), 0);
  EXPECT_EQ(group().topology()->subtopologies[0].source_topics, std::vector<std::string>{"lines"});
}

TEST_F(StreamsGroupTest, IsFull) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b");
  StreamsThread c = thread("c");
  ASSERT_TRUE(a.join());
  ASSERT_TRUE(b.join());

  EXPECT_EQ(c.join().error().code, ErrorCode::kGroupMaxSizeReached);
}

TEST_F(StreamsGroupTest, TellsEverybodyToShutDown) {
  StreamsThread a = thread("a");
  StreamsThread b = thread("b");
  get_tasks(a);
  ASSERT_TRUE(b.join());
  a.asks_for_shutdown = true;
  ASSERT_TRUE(a.beat());

  const auto told = b.beat();

  ASSERT_TRUE(told);
  ASSERT_FALSE(told->status->empty());
  EXPECT_EQ(told->status->back().status_code, 4);
}

TEST_F(StreamsGroupTest, TellsWhereTasksAre) {
  StreamsThread a = thread("a");
  a.endpoint = protocol::StreamsGroupHeartbeatRequest::Endpoint{"host", 8080};
  get_tasks(a);

  const auto told = a.beat();

  ASSERT_TRUE(told && told->partitions_by_user_endpoint);
  ASSERT_EQ(told->partitions_by_user_endpoint->size(), 1U);
  const auto& endpoint = told->partitions_by_user_endpoint->front();
  EXPECT_EQ(endpoint.user_endpoint.port, 8080);
  ASSERT_EQ(endpoint.active_partitions.size(), 2U);
  EXPECT_EQ(endpoint.active_partitions[0].topic, "lines");
  EXPECT_EQ(endpoint.active_partitions[0].partitions, (std::vector<std::int32_t>{0, 1}));
}

TEST_F(StreamsGroupTest, TakesCommitsOfItsMembersAlone) {
  StreamsThread a = thread("a");
  get_tasks(a);

  EXPECT_EQ(driver_.commit("g", "lines", 5, "a", a.epoch()), ErrorCode::kNone);
  EXPECT_EQ(driver_.commit("g", "lines", 6, "a", a.epoch() + 1), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(driver_.commit("g", "lines", 6, "a", 1), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(driver_.commit("g", "lines", 6, "b", a.epoch()), ErrorCode::kUnknownMemberId);
}

TEST_F(StreamsGroupTest, GivesWayToAClassicGroupWhenItIsEmpty) {
  StreamsThread a = thread("a");
  get_tasks(a);
  ASSERT_TRUE(a.leave());

  const Token token = driver_.join("g", {});

  EXPECT_EQ(driver_.machine().find_streams("g"), nullptr);
  ASSERT_NE(driver_.joined(token), nullptr);
  EXPECT_EQ(driver_.joined(token)->error_code, wire(ErrorCode::kMemberIdRequired));
}

TEST_F(StreamsGroupTest, IsNotForConsumersWhileItHasMembers) {
  StreamsThread a = thread("a");
  get_tasks(a);

  const Token token = driver_.join("g", {});

  ASSERT_NE(driver_.joined(token), nullptr);
  EXPECT_EQ(driver_.joined(token)->error_code, wire(ErrorCode::kInconsistentGroupProtocol));
}

}  // namespace
}  // namespace brook::coordinator

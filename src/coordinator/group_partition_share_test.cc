#include <gtest/gtest.h>

#include "base/metrics.h"
#include "coordinator/group_coordinator.h"
#include "coordinator/testing/fake_facts.h"
#include "coordinator/testing/fake_share_states.h"
#include "coordinator/testing/memory_log.h"
#include "runtime/testing/run.h"

namespace brook::coordinator {
namespace {

using runtime::Shard;
using testing::MemoryLog;

const Caller kCaller{"client", "/127.0.0.1", 1};

/// A coordinator on one shard with one partition over `log`; a topic "orders" with two partitions.
struct Coordinator {
  Coordinator(Shard& shard, MemoryLog& log)
      : metrics(registry), groups(shard, config, facts, share_states, metrics) {
    topic = facts.set("orders", 2);
    groups.lead(PartitionIndex(0), log.port());
  }
  [[nodiscard]] GroupPartition& partition() { return *groups.find(PartitionIndex(0)); }
  [[nodiscard]] testing::FakeShareStates::Key key(std::int32_t partition) const {
    return {"g", {topic, PartitionIndex(partition)}};
  }

  MetricRegistry registry;
  GroupMetrics metrics;
  testing::FakeFacts facts;
  testing::FakeShareStates share_states;
  TopicId topic;
  GroupConfig config{};
  GroupCoordinator groups;
};

protocol::ShareGroupHeartbeatRequest heartbeat(std::int32_t epoch) {
  protocol::ShareGroupHeartbeatRequest request;
  request.group_id = "g";
  request.member_id = "a";
  request.member_epoch = epoch;
  if (epoch == 0) request.subscribed_topic_names = {"orders"};
  return request;
}

protocol::AlterShareGroupOffsetsRequest alteration(std::int64_t start) {
  protocol::AlterShareGroupOffsetsRequest request;
  request.group_id = "g";
  request.topics.push_back({"orders", {{0, start}}});
  return request;
}

TEST(GroupPartition, HasStatesMadeBeforeItGivesTheirPartitionsToAnybody) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    coordinator.share_states.refuses = true;
    const auto first = co_await coordinator.partition().share_heartbeat(heartbeat(0), kCaller);
    EXPECT_EQ(first.error_code, 0);
    EXPECT_TRUE(first.assignment && first.assignment->topic_partitions.empty());
    coordinator.share_states.refuses = false;
    const auto second =
        co_await coordinator.partition().share_heartbeat(heartbeat(first.member_epoch), kCaller);
    EXPECT_EQ(second.error_code, 0);
    EXPECT_TRUE(second.assignment && second.assignment->topic_partitions.size() == 1);
    EXPECT_EQ(coordinator.share_states.states.size(), 2U);
    EXPECT_EQ(coordinator.metrics.share_groups[1]->value(), 1);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, FindsAShareGroupInTheLogAgain) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    std::int32_t epoch = 0;
    {
      Coordinator before(shard, log);
      const auto joined = co_await before.partition().share_heartbeat(heartbeat(0), kCaller);
      epoch = joined.member_epoch;
      co_await before.groups.close();
    }
    Coordinator after(shard, log);
    const auto beat = co_await after.partition().share_heartbeat(heartbeat(epoch), kCaller);
    EXPECT_EQ(beat.error_code, 0);
    EXPECT_FALSE(beat.assignment);
    // All that is to have a state has one: nothing is made again.
    EXPECT_TRUE(after.share_states.states.empty());
    co_await after.groups.close();
  });
}

TEST(GroupPartition, AltersWhereAShareGroupBegins) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    const auto altered = co_await coordinator.partition().alter_share_offsets(alteration(7));
    EXPECT_EQ(altered.error_code, 0);
    EXPECT_EQ(altered.responses.at(0).partitions.at(0).error_code, 0);
    EXPECT_EQ(coordinator.share_states.states.at(coordinator.key(0)).start, Offset(7));
    const auto topics = co_await coordinator.partition().share_topics("g");
    EXPECT_TRUE(topics && topics->initialised.size() == 1U);
    coordinator.share_states.refuses = true;
    const auto refused = co_await coordinator.partition().alter_share_offsets(alteration(8));
    EXPECT_EQ(refused.responses.at(0).partitions.at(0).error_code, wire(ErrorCode::kCoordinatorNotAvailable));
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, DeletesAShareGroupWithItsStates) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    const auto joined = co_await coordinator.partition().share_heartbeat(heartbeat(0), kCaller);
    EXPECT_EQ(joined.error_code, 0);
    const ErrorCode early = co_await coordinator.partition().delete_group("g");
    EXPECT_EQ(early, ErrorCode::kNonEmptyGroup);
    const auto left = co_await coordinator.partition().share_heartbeat(heartbeat(-1), kCaller);
    EXPECT_EQ(left.member_epoch, -1);
    coordinator.share_states.refuses = true;
    const ErrorCode refused = co_await coordinator.partition().delete_group("g");
    EXPECT_EQ(refused, ErrorCode::kCoordinatorNotAvailable);
    coordinator.share_states.refuses = false;
    const ErrorCode deleted = co_await coordinator.partition().delete_group("g");
    EXPECT_EQ(deleted, ErrorCode::kNone);
    EXPECT_TRUE(coordinator.share_states.states.empty());
    const ErrorCode again = co_await coordinator.partition().delete_group("g");
    EXPECT_EQ(again, ErrorCode::kGroupIdNotFound);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, DeletesWhatAShareGroupKnowsOfATopic) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    const auto altered = co_await coordinator.partition().alter_share_offsets(alteration(7));
    EXPECT_EQ(altered.error_code, 0);
    protocol::DeleteShareGroupOffsetsRequest request;
    request.group_id = "g";
    request.topics = {{"orders"}};
    coordinator.share_states.refuses = true;
    const auto refused = co_await coordinator.partition().delete_share_offsets(request);
    EXPECT_EQ(refused.responses.at(0).error_code, wire(ErrorCode::kCoordinatorNotAvailable));
    coordinator.share_states.refuses = false;
    const auto deleted = co_await coordinator.partition().delete_share_offsets(request);
    EXPECT_EQ(deleted.responses.at(0).error_code, 0);
    EXPECT_TRUE(coordinator.share_states.states.empty());
    const auto topics = co_await coordinator.partition().share_topics("g");
    EXPECT_TRUE(topics && topics->empty());
    co_await coordinator.groups.close();
  });
}

}  // namespace
}  // namespace brook::coordinator

#include "coordinator/group_partition.h"

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "coordinator/group_coordinator.h"
#include "coordinator/testing/fake_share_states.h"
#include "coordinator/testing/group_driver.h"
#include "coordinator/testing/memory_log.h"
#include "runtime/testing/run.h"

namespace brook::coordinator {
namespace {

using runtime::Shard;
using std::chrono::milliseconds;
using testing::MemoryLog;

const Caller kCaller{"client", "/127.0.0.1", 3};
const Caller kConsumer{"client", "/127.0.0.1", 1};

protocol::JoinGroupRequest join_request() {
  protocol::JoinGroupRequest request;
  request.group_id = "g";
  request.session_timeout_ms = 10000;
  request.rebalance_timeout_ms = 60000;
  request.protocol_type = "consumer";
  request.protocols.push_back({"range", testing::subscription({"orders"})});
  return request;
}

protocol::OffsetCommitRequest commit_request(std::int64_t offset) {
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.push_back({0, offset, -1, std::nullopt});
  return request;
}

protocol::OffsetFetchRequest::OffsetFetchRequestGroup fetch_all() {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  request.topics.reset();
  return request;
}

std::int16_t code_of(const protocol::OffsetCommitResponse& response) {
  return response.topics.at(0).partitions.at(0).error_code;
}

/// A coordinator on one shard with one partition over `log`.
struct Coordinator {
  Coordinator(Shard& shard, MemoryLog& log)
      : metrics(registry), groups(shard, config, facts, share_states, metrics) {
    groups.lead(PartitionIndex(0), log.port());
  }
  [[nodiscard]] GroupPartition& partition() { return *groups.find(PartitionIndex(0)); }

  MetricRegistry registry;
  GroupMetrics metrics;
  testing::FakeFacts facts;
  testing::FakeShareStates share_states;
  GroupConfig config{.initial_rebalance_delay = milliseconds(0)};
  GroupCoordinator groups;
};

Task<protocol::JoinGroupResponse> join(GroupPartition& partition) {
  const protocol::JoinGroupRequest request = join_request();
  protocol::JoinGroupResponse response;
  co_await partition.join(request, kCaller, response);
  co_return response;
}

TEST(GroupPartition, BringsAMemberToItsAssignment) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    const auto joined = co_await join(coordinator.partition());
    EXPECT_EQ(joined.error_code, 0);
    EXPECT_EQ(joined.generation_id, 1);
    protocol::SyncGroupRequest sync;
    sync.group_id = "g";
    sync.member_id = joined.member_id;
    sync.generation_id = 1;
    sync.assignments.push_back({joined.member_id, testing::bytes("mine")});
    protocol::SyncGroupResponse synced;
    co_await coordinator.partition().sync(sync, synced);
    EXPECT_EQ(synced.assignment, testing::bytes("mine"));
    EXPECT_EQ(log.batches(), 1U);
    EXPECT_EQ(coordinator.metrics.generations.value(), 1U);
    EXPECT_EQ(coordinator.metrics.groups[3]->value(), 1);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, FindsItsGroupsInTheLogAgain) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    {
      Coordinator before(shard, log);
      for (std::int64_t offset = 0; offset < 100; ++offset) {
        const auto response = co_await before.partition().commit_offsets(commit_request(offset), 9);
        EXPECT_EQ(code_of(response), 0);
      }
      co_await before.groups.close();
    }
    Coordinator after(shard, log);
    const auto fetched = co_await after.partition().fetch_offsets(fetch_all());
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 99);
    co_await after.groups.close();
  });
}

TEST(GroupPartition, FindsAConsumerGroupInTheLogAgain) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    protocol::ConsumerGroupHeartbeatRequest request;
    request.group_id = "g";
    request.member_id = "a";
    request.rebalance_timeout_ms = 1000;
    request.subscribed_topic_names = {"orders"};
    request.topic_partitions.emplace();
    {
      Coordinator before(shard, log);
      before.facts.set("orders", 2);
      const auto joined = co_await before.partition().consumer_heartbeat(request, kConsumer);
      EXPECT_EQ(joined.error_code, 0);
      EXPECT_EQ(joined.assignment->topic_partitions.at(0).partitions.size(), 2U);
      EXPECT_EQ(log.batches(), 1U);
      EXPECT_EQ(before.metrics.consumer_groups[3]->value(), 1);
      co_await before.groups.close();
    }
    Coordinator after(shard, log);
    after.facts.set("orders", 2);
    request.member_epoch = 2;
    request.topic_partitions.reset();
    request.subscribed_topic_names.reset();
    request.rebalance_timeout_ms = -1;
    const auto beat = co_await after.partition().consumer_heartbeat(request, kConsumer);
    EXPECT_EQ(beat.error_code, 0);
    EXPECT_EQ(beat.member_epoch, 2);
    EXPECT_FALSE(beat.assignment);
    request.member_id = "b";
    const auto refused = co_await after.partition().consumer_heartbeat(request, kConsumer);
    EXPECT_EQ(refused.error_code, wire(ErrorCode::kUnknownMemberId));
    EXPECT_EQ(refused.error_message, "Member b is not a member of group g.");
    const auto described = co_await after.partition().describe_consumer("g");
    EXPECT_EQ(described->group_state, "Stable");
    // Nothing has changed, so nothing was written.
    EXPECT_EQ(log.batches(), 1U);
    co_await after.groups.close();
  });
}

TEST(GroupPartition, RefusesAtOnceWhileItLoads) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    log.put({{testing::bytes("no record"), std::nullopt}});
    log.hold_reads();
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    const auto loading = wire(ErrorCode::kCoordinatorLoadInProgress);
    const auto joined = co_await join(partition);
    EXPECT_EQ(joined.error_code, loading);
    const auto committed = co_await partition.commit_offsets(commit_request(1), 9);
    EXPECT_EQ(code_of(committed), loading);
    const auto fetched = co_await partition.fetch_offsets(fetch_all());
    EXPECT_EQ(fetched.error_code, loading);
    // A heartbeat can't be checked yet; an error would only make all members join again.
    const ErrorCode beat = co_await partition.heartbeat("g", "m", std::nullopt, 1);
    EXPECT_EQ(beat, ErrorCode::kNone);
    log.release_reads();
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, PassesOverRecordsThatItCannotRead) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    protocol::OffsetCommitValue value;
    value.offset = 5;
    log.put({{testing::bytes("?"), std::nullopt},
             encode(OffsetCommitRecord{"g", "orders", 0, value}),
             {testing::bytes(std::string("\0\x63", 2)), testing::bytes("of a later broker")}});
    Coordinator coordinator(shard, log);
    const auto fetched = co_await coordinator.partition().fetch_offsets(fetch_all());
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 5);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, TakesOffsetsOfATransactionWhenItIsCommitted) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    protocol::OffsetCommitValue value;
    value.offset = 1;
    const auto record = [&](std::int64_t offset) {
      value.offset = offset;
      return std::vector{encode(OffsetCommitRecord{"g", "orders", 0, value})};
    };
    log.put_transactional(record(10), ProducerId(1));
    log.put_transactional(record(20), ProducerId(2));
    log.put_transactional(record(30), ProducerId(3));
    log.put_marker(ProducerId(1), true);
    log.put_marker(ProducerId(2), false);
    Coordinator coordinator(shard, log);
    const auto fetched = co_await coordinator.partition().fetch_offsets(fetch_all());
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 10);
    co_await coordinator.groups.close();
  });
}

protocol::TxnOffsetCommitRequest transactional_commit(std::int64_t offset, std::int64_t producer) {
  protocol::TxnOffsetCommitRequest request;
  request.transactional_id = "t";
  request.group_id = "g";
  request.producer_id = producer;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  topic.partitions.push_back({0, offset, -1, std::nullopt});
  return request;
}

TransactionEnd end_of(std::int64_t producer, bool commit) {
  return {.producer_id = ProducerId(producer), .epoch = ProducerEpoch(0), .commit = commit};
}

protocol::OffsetFetchRequest::OffsetFetchRequestGroup fetch_orders() {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
  request.group_id = "g";
  auto& topic = request.topics.emplace().emplace_back();
  topic.name = "orders";
  topic.partition_indexes = {0};
  return request;
}

TEST(GroupPartition, HoldsOffsetsOfATransactionBackUntilItEnds) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    std::ignore = co_await partition.commit_offsets(commit_request(1), 9);
    const auto pending = co_await partition.commit_in_transaction(transactional_commit(5, 7), 0);
    EXPECT_EQ(pending.topics.at(0).partitions.at(0).error_code, 0);

    auto fetched = co_await partition.fetch_offsets(fetch_orders(), false);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 1);
    fetched = co_await partition.fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).error_code, wire(ErrorCode::kUnstableOffsetCommit));
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, -1);

    const Result<void> ended = co_await partition.end_transaction(end_of(7, true));
    EXPECT_TRUE(ended);
    fetched = co_await partition.fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 5);

    std::ignore = co_await partition.commit_in_transaction(transactional_commit(9, 7), 1);
    std::ignore = co_await partition.end_transaction(end_of(7, false));
    fetched = co_await partition.fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 5);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, RefusesOffsetsThatAMarkerHasOvertaken) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    const std::uint32_t markers = co_await partition.markers_of(ProducerId(7));
    std::ignore = co_await partition.end_transaction(end_of(7, true));
    const auto late = co_await partition.commit_in_transaction(transactional_commit(5, 7), markers);
    EXPECT_EQ(late.topics.at(0).partitions.at(0).error_code, wire(ErrorCode::kInvalidTxnState));
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, KnowsOpenTransactionsAfterItsLogIsLoaded) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    {
      Coordinator before(shard, log);
      std::ignore = co_await before.partition().commit_in_transaction(transactional_commit(5, 7), 0);
      co_await before.groups.close();
    }
    Coordinator after(shard, log);
    auto fetched = co_await after.partition().fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).error_code, wire(ErrorCode::kUnstableOffsetCommit));
    std::ignore = co_await after.partition().end_transaction(end_of(7, true));
    fetched = co_await after.partition().fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 5);
    co_await after.groups.close();
  });
}

TEST(GroupPartition, DropsPendingOffsetsWithTheirGroup) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    std::ignore = co_await partition.commit_offsets(commit_request(1), 9);
    std::ignore = co_await partition.commit_in_transaction(transactional_commit(5, 7), 0);
    const ErrorCode deleted = co_await partition.delete_group("g");
    EXPECT_EQ(deleted, ErrorCode::kNone);
    std::ignore = co_await partition.end_transaction(end_of(7, true));
    const auto fetched = co_await partition.fetch_offsets(fetch_orders(), true);
    EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, -1);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, SaysSoWhereTheLogTakesNothing) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    log.refuse_appends(ErrorCode::kKafkaStorageError);
    auto response = co_await partition.commit_offsets(commit_request(1), 9);
    EXPECT_EQ(code_of(response), wire(ErrorCode::kNotCoordinator));
    log.refuse_appends(ErrorCode::kMessageTooLarge);
    response = co_await partition.commit_offsets(commit_request(2), 9);
    EXPECT_EQ(code_of(response), wire(ErrorCode::kInvalidCommitOffsetSize));

    log.refuse_appends(ErrorCode::kNone);
    const auto fetched = co_await partition.fetch_offsets(fetch_all());
    EXPECT_TRUE(fetched.topics.empty());
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, AnswersOnlyWhatIsCommitted) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    log.hold_commits();
    bool answered = false;
    runtime::Gate gate;
    const auto commit = [](GroupPartition& to, bool& done) -> Task<void> {
      const auto response = co_await to.commit_offsets(commit_request(1), 9);
      EXPECT_EQ(code_of(response), 0);
      done = true;
    };
    const auto fetch = [](GroupPartition& from, const bool& committed) -> Task<void> {
      const auto fetched = co_await from.fetch_offsets(fetch_all());
      // It saw the commit, so it waited for it.
      EXPECT_EQ(fetched.topics.at(0).partitions.at(0).committed_offset, 1);
      EXPECT_TRUE(committed);
    };
    gate.spawn(commit(partition, answered));
    gate.spawn(fetch(partition, answered));
    EXPECT_FALSE(answered);
    log.release_commits();
    co_await gate.close();
    EXPECT_TRUE(answered);
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, SendsWaitingMembersAwayWhenTheBrokerStops) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    const auto first = co_await join(partition);
    runtime::Gate gate;
    const auto second = [](GroupPartition& to) -> Task<void> {
      const auto response = co_await join(to);
      EXPECT_EQ(response.error_code, wire(ErrorCode::kNotCoordinator));
    };
    gate.spawn(second(partition));
    EXPECT_EQ(gate.running(), 1U);
    coordinator.groups.stop();
    co_await gate.close();
    const auto third = co_await join(partition);
    EXPECT_EQ(third.error_code, wire(ErrorCode::kNotCoordinator));
    co_await coordinator.groups.close();
  });
}

TEST(GroupPartition, WritesManyTombstonesInSeveralBatches) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    GroupPartition& partition = coordinator.partition();
    for (int part = 0; part < 10; ++part) {
      protocol::OffsetCommitRequest request = commit_request(1);
      request.topics[0].name = std::string(200, 'x');
      request.topics[0].partitions.clear();
      for (int i = 0; i < 500; ++i)
        request.topics[0].partitions.push_back({part * 500 + i, 1, -1, std::nullopt});
      const auto response = co_await partition.commit_offsets(request, 9);
      EXPECT_EQ(code_of(response), 0);
    }
    const std::size_t before = log.batches();
    const ErrorCode deleted = co_await partition.delete_group("g");
    EXPECT_EQ(deleted, ErrorCode::kNone);
    EXPECT_GT(log.batches(), before + 1);
    const auto described = co_await partition.describe("g");
    EXPECT_EQ(described.error().code, ErrorCode::kGroupIdNotFound);
    co_await coordinator.groups.close();
  });
}

}  // namespace
}  // namespace brook::coordinator

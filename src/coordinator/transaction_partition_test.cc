#include "coordinator/transaction_partition.h"

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "coordinator/testing/fake_transaction_port.h"
#include "coordinator/testing/memory_log.h"
#include "coordinator/transaction_coordinator.h"
#include "runtime/testing/run.h"

namespace brook::coordinator {
namespace {

using runtime::Shard;
using testing::FakeTransactionPort;
using testing::MemoryLog;
using State = TransactionState;

constexpr auto kPerTransaction = TransactionProtocol::kEpochPerTransaction;
const TopicPartition kOrders0{"orders", PartitionIndex(0)};
const TopicPartition kOrders1{"orders", PartitionIndex(1)};

/// A coordinator on one shard with one partition over `log`.
struct Coordinator {
  Coordinator(Shard& shard, MemoryLog& log, FakeTransactionPort& port)
      : metrics(registry), transactions(shard, config, metrics, port) {
    transactions.lead(PartitionIndex(0), log.port());
  }
  [[nodiscard]] TransactionPartition& partition() { return *transactions.find(PartitionIndex(0)); }
  [[nodiscard]] std::int64_t in_state(State state) const {
    return metrics.transactions.at(static_cast<std::size_t>(state))->value();
  }

  MetricRegistry registry;
  TransactionMetrics metrics;
  TransactionConfig config;
  TransactionCoordinator transactions;
};

Task<Producer> init(Coordinator& coordinator) {
  const ProducerAnswer answer = co_await coordinator.partition().init_producer({"t", 60000});
  EXPECT_EQ(answer.code, ErrorCode::kNone);
  co_return answer.producer.value_or(Producer{});
}

TEST(TransactionPartition, WritesAMarkerToEveryPartitionOfACommittedTransaction) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Coordinator coordinator(shard, log, port);
    const Producer producer = co_await init(coordinator);
    const ErrorCode added =
        co_await coordinator.partition().add_partitions({"t", producer, {kOrders0, kOrders1}});
    EXPECT_EQ(added, ErrorCode::kNone);
    EXPECT_EQ(coordinator.in_state(State::kOngoing), 1);
    const ProducerAnswer ended = co_await coordinator.partition().end({"t", producer, true});
    EXPECT_EQ(ended.code, ErrorCode::kNone);
    EXPECT_EQ(port.markers.size(), 2U);
    EXPECT_TRUE(port.markers.at(0).end.commit);
    EXPECT_EQ(port.markers.at(0).end.producer_id, producer.id);
    EXPECT_EQ(port.markers.at(0).end.epoch, producer.epoch);
    EXPECT_EQ(port.markers.at(0).partition, kOrders0);
    EXPECT_EQ(port.markers.at(1).partition, kOrders1);
    EXPECT_EQ(coordinator.in_state(State::kCompleteCommit), 1);
    EXPECT_EQ(coordinator.metrics.ended.at(0)->value(), 1U);
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, TellsAProducerOfItsEpochOnceThatIsOnTheDisk) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Coordinator coordinator(shard, log, port);
    Producer producer = co_await init(coordinator);
    EXPECT_EQ(log.durable_end(), Offset(1));
    // The ends of 63 transactions wait for no disk; the next begins a block of epochs.
    for (int epoch = 1; epoch <= kEpochBlock; ++epoch) {
      EXPECT_EQ(log.durable_end(), Offset(1));
      const ProducerAnswer ended =
          co_await coordinator.partition().end({"t", producer, false, kPerTransaction});
      EXPECT_EQ(ended.code, ErrorCode::kNone);
      if (!ended.producer) break;
      producer = *ended.producer;
    }
    EXPECT_EQ(producer.epoch, ProducerEpoch(kEpochBlock));
    EXPECT_GE(log.durable_end(), Offset(2 * kEpochBlock));
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, GivesMarkersTheNewEpochWhereEachTransactionHasItsOwn) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Coordinator coordinator(shard, log, port);
    const Producer producer = co_await init(coordinator);
    const ErrorCode added =
        co_await coordinator.partition().add_partitions({"t", producer, {kOrders0}, kPerTransaction});
    EXPECT_EQ(added, ErrorCode::kNone);
    const ProducerAnswer ended =
        co_await coordinator.partition().end({"t", producer, false, kPerTransaction});
    EXPECT_EQ(ended.producer, (Producer{producer.id, producer.epoch.next()}));
    EXPECT_EQ(port.markers.size(), 1U);
    EXPECT_EQ(port.markers.at(0).end.epoch, producer.epoch.next());
    EXPECT_EQ(port.markers.at(0).end.protocol, 2);
    EXPECT_FALSE(port.markers.at(0).end.commit);
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, TriesMarkersAgainWherePartitionsDidNotTakeThem) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    port.refusing = {kOrders1};
    port.relents_after = 2;
    Coordinator coordinator(shard, log, port);
    const Producer producer = co_await init(coordinator);
    std::ignore = co_await coordinator.partition().add_partitions({"t", producer, {kOrders0, kOrders1}});
    std::ignore = co_await coordinator.partition().end({"t", producer, true});
    while (coordinator.in_state(State::kCompleteCommit) == 0) {
      const runtime::Instant soon = shard.clock().now() + std::chrono::milliseconds(1);
      co_await shard.clock().sleep_until(soon);
    }
    // One marker each.
    EXPECT_EQ(port.markers.size(), 2U);
    EXPECT_EQ(port.attempts, 3);
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, CompletesAfterARestartWhatWasPrepared) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Producer producer;
    {
      Coordinator before(shard, log, port);
      port.refusing = {kOrders0};
      producer = co_await init(before);
      std::ignore = co_await before.partition().add_partitions({"t", producer, {kOrders0}});
      const ProducerAnswer ended = co_await before.partition().end({"t", producer, true});
      EXPECT_EQ(ended.code, ErrorCode::kNone);  // Decided, whatever the markers.
      EXPECT_EQ(before.in_state(State::kPrepareCommit), 1);
      before.transactions.stop();
      co_await before.transactions.close();
    }
    EXPECT_TRUE(port.markers.empty());
    port.refusing.clear();
    Coordinator after(shard, log, port);
    EXPECT_EQ(port.markers.size(), 1U);
    EXPECT_TRUE(port.markers.at(0).end.commit);
    EXPECT_EQ(after.in_state(State::kCompleteCommit), 1);
    const ProducerAnswer retried = co_await after.partition().end({"t", producer, true});
    EXPECT_EQ(retried.code, ErrorCode::kNone);
    co_await after.transactions.close();
  });
}

TEST(TransactionPartition, WritesNoMarkerBeforeTheDecisionIsCommitted) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Coordinator coordinator(shard, log, port);
    const Producer producer = co_await init(coordinator);
    std::ignore = co_await coordinator.partition().add_partitions({"t", producer, {kOrders0}});
    log.hold_commits();
    runtime::Gate gate;
    const auto end = [](TransactionPartition& to, Producer who) -> Task<void> {
      const ProducerAnswer ended = co_await to.end({"t", who, true});
      EXPECT_EQ(ended.code, ErrorCode::kNone);
    };
    gate.spawn(end(coordinator.partition(), producer));
    EXPECT_TRUE(port.markers.empty());
    log.release_commits();
    co_await gate.close();
    EXPECT_EQ(port.markers.size(), 1U);
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, SaysSoWhereTheLogTakesNothing) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    Coordinator coordinator(shard, log, port);
    const Producer producer = co_await init(coordinator);
    log.refuse_appends(ErrorCode::kKafkaStorageError);
    const ErrorCode added = co_await coordinator.partition().add_partitions({"t", producer, {kOrders0}});
    EXPECT_EQ(added, ErrorCode::kNotCoordinator);
    log.refuse_appends(ErrorCode::kNone);
    const ProducerAnswer ended = co_await coordinator.partition().end({"t", producer, true});
    EXPECT_EQ(ended.code, ErrorCode::kInvalidTxnState);  // It never began.
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, AsksForRetriesWhereThereIsNoProducerId) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    port.no_ids = true;
    Coordinator coordinator(shard, log, port);
    const ProducerAnswer answer = co_await coordinator.partition().init_producer({"t", 60000});
    EXPECT_EQ(answer.code, ErrorCode::kCoordinatorLoadInProgress);
    co_await coordinator.transactions.close();
  });
}

TEST(TransactionPartition, RefusesAtOnceWhileItLoadsAndWhenItStops) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    FakeTransactionPort port;
    log.put({encode(TransactionRecord{"t", Transaction{}})});
    log.hold_reads();
    Coordinator coordinator(shard, log, port);
    const ProducerAnswer loading = co_await coordinator.partition().init_producer({"t", 60000});
    EXPECT_EQ(loading.code, ErrorCode::kCoordinatorLoadInProgress);
    log.release_reads();
    coordinator.transactions.stop();
    const ErrorCode stopped = co_await coordinator.partition().add_partitions({"t", {}, {kOrders0}});
    EXPECT_TRUE(stopped == ErrorCode::kNotCoordinator || stopped == ErrorCode::kCoordinatorLoadInProgress);
    co_await coordinator.transactions.close();
  });
}

}  // namespace
}  // namespace brook::coordinator

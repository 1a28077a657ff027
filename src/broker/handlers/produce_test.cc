#include "protocol/produce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/handlers/handlers.h"
#include "broker/testing/handler_world.h"
#include "coordinator/testing/fake_transaction_port.h"
#include "coordinator/testing/memory_log.h"
#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;
using runtime::Shard;
using runtime::testing::run;
using storage::testing::BatchSpec;
using storage::testing::make_batch;
using testing::HandlerWorld;
using ::testing::HasSubstr;
using Answer = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kByName = 12;
constexpr std::int16_t kById = 13;

struct World : HandlerWorld {
  explicit World(Shard& own)
      : HandlerWorld(own), handler(make_produce_handler(view, router, transactions, traffic)) {}

  ProduceRequest request(ByteView records, std::int16_t acks = -1) const {
    ProduceRequest made;
    made.acks = acks;
    made.topic_data.push_back({"orders", topic, {{partition, protocol::RecordsView(records)}}});
    return made;
  }
  Task<Answer> produce(std::vector<std::byte> records, std::int16_t version = kByName,
                       std::int16_t acks = -1) {
    ProduceRequest made = request(records, acks);
    if (version < kById) made.topic_data[0].topic_id = {};
    const auto response = co_await ask<ProduceResponse>(*handler, std::move(made), version);
    co_return response.responses.at(0).partition_responses.at(0);
  }
  BatchSpec now(std::size_t value_size = 10) const {
    return {.timestamps = {shard.clock().wall_now().value()}, .value_size = value_size};
  }

  std::unique_ptr<Handler> handler;
  TopicId topic;
  std::int32_t partition = 0;
};

/// The coordinator of the transactional id "t", which the world's handler asks from here on.
struct Coordinator {
  explicit Coordinator(World& asked)
      : world(asked),
        metrics(registry),
        transactions(asked.shard, {}, metrics, port),
        router({{&asked.shard, &transactions}}) {
    transactions.lead(PartitionIndex(0), log.port());
    world.handler = make_produce_handler(world.view, world.router, router, world.traffic);
  }
  [[nodiscard]] coordinator::TransactionPartition& partition() const {
    return *transactions.find(PartitionIndex(0));
  }
  /// Who "t" is from here on.
  [[nodiscard]] Task<coordinator::Producer> init() const {
    const auto answer = co_await partition().init_producer({"t", 60000});
    EXPECT_EQ(answer.code, ErrorCode::kNone);
    co_return answer.producer.value_or(coordinator::Producer{});
  }
  [[nodiscard]] Task<ErrorCode> write(coordinator::Producer producer, std::int32_t sequence,
                                      std::int16_t version) const {
    BatchSpec spec = world.now();
    spec.producer_id = producer.id.value();
    spec.producer_epoch = producer.epoch.value();
    spec.sequence = sequence;
    spec.transactional = true;
    const auto batch = make_batch(spec);
    ProduceRequest made = world.request(batch);
    made.topic_data[0].topic_id = {};
    made.transactional_id = "t";
    const auto response = co_await world.ask<ProduceResponse>(*world.handler, std::move(made), version);
    co_return static_cast<ErrorCode>(response.responses.at(0).partition_responses.at(0).error_code);
  }

  World& world;
  coordinator::testing::MemoryLog log;
  coordinator::testing::FakeTransactionPort port;
  MetricRegistry registry;
  coordinator::TransactionMetrics metrics;
  coordinator::TransactionCoordinator transactions;
  TransactionRouter router;
};

ErrorCode code(const Answer& answer) { return static_cast<ErrorCode>(answer.error_code); }

/// Runs `body` on a world with the topic "orders" of two partitions.
void with_orders(cluster::ConfigMap configs, std::function<Task<void>(World&)> body) {
  run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 2, configs);
    co_await body(world);
    co_await world.close();
  });
}

TEST(ProduceHandler, GivesOffsetsByNameAndById) {
  with_orders({}, [](World& world) -> Task<void> {
    const Answer first = co_await world.produce(make_batch(world.now()));
    const Answer second = co_await world.produce(make_batch(world.now()), kById);

    EXPECT_EQ(code(first), ErrorCode::kNone);
    EXPECT_EQ(first.base_offset, 0);
    EXPECT_EQ(first.log_start_offset, 0);
    EXPECT_EQ(first.log_append_time_ms, -1);
    EXPECT_EQ(second.base_offset, 1);
    EXPECT_EQ(world.metrics.records_in.value(), 2U);
    EXPECT_EQ(world.traffic.of(world.topic).records_in, 2U);
  });
}

TEST(ProduceHandler, TellsTheAppendTimeOfSuchATopic) {
  with_orders({{"message.timestamp.type", "LogAppendTime"}}, [](World& world) -> Task<void> {
    const std::int64_t before = world.shard.clock().wall_now().value();
    const Answer answer = co_await world.produce(make_batch({.timestamps = {5}}));

    EXPECT_EQ(code(answer), ErrorCode::kNone);
    EXPECT_GE(answer.log_append_time_ms, before);
  });
}

TEST(ProduceHandler, RefusesTopicsAndPartitionsThatAreNotThere) {
  with_orders({}, [](World& world) -> Task<void> {
    world.partition = 2;
    const Answer no_partition = co_await world.produce(make_batch(world.now()));
    EXPECT_EQ(code(no_partition), ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(no_partition.base_offset, -1);

    world.partition = 0;
    world.topic = Uuid::from_random(world.shard.random().uuid_bytes());
    const Answer no_id = co_await world.produce(make_batch(world.now()), kById);
    EXPECT_EQ(code(no_id), ErrorCode::kUnknownTopicId);
  });
}

TEST(ProduceHandler, RefusesAcksOtherThanThree) {
  with_orders({}, [](World& world) -> Task<void> {
    const Answer answer = co_await world.produce(make_batch(world.now()), kByName, 2);
    EXPECT_EQ(code(answer), ErrorCode::kInvalidRequiredAcks);
    EXPECT_THAT(answer.error_message.value_or(""), HasSubstr("acks=2"));
  });
}

TEST(ProduceHandler, RefusesABatchAboveTheTopicsLimitAndNamesIt) {
  with_orders({{"max.message.bytes", "500"}}, [](World& world) -> Task<void> {
    const Answer answer = co_await world.produce(make_batch(world.now(600)));
    EXPECT_EQ(code(answer), ErrorCode::kMessageTooLarge);
    EXPECT_THAT(answer.error_message.value_or(""), HasSubstr("500"));
    EXPECT_THAT(answer.error_message.value_or(""), HasSubstr("orders"));
    EXPECT_EQ(world.metrics.records_in.value(), 0U);
  });
}

TEST(ProduceHandler, RefusesDamagedRecords) {
  with_orders({}, [](World& world) -> Task<void> {
    auto damaged = make_batch(world.now());
    damaged.back() ^= std::byte{1};
    const Answer answer = co_await world.produce(damaged);
    EXPECT_EQ(code(answer), ErrorCode::kCorruptMessage);
  });
}

TEST(ProduceHandler, RefusesZstdBelowVersionSeven) {
  with_orders({}, [](World& world) -> Task<void> {
    BatchSpec spec = world.now();
    spec.codec = record::Codec::kZstd;
    const Answer old = co_await world.produce(make_batch(spec), 6);
    EXPECT_EQ(code(old), ErrorCode::kUnsupportedCompressionType);
    const Answer newer = co_await world.produce(make_batch(spec), 7);
    EXPECT_EQ(code(newer), ErrorCode::kNone);
  });
}

TEST(ProduceHandler, RefusesASequenceOutOfOrderAndAcceptsARepeatedOne) {
  with_orders({}, [](World& world) -> Task<void> {
    BatchSpec spec = world.now();
    spec.producer_id = 7;
    const Answer first = co_await world.produce(make_batch(spec));
    const Answer again = co_await world.produce(make_batch(spec));
    spec.sequence = 5;
    const Answer hole = co_await world.produce(make_batch(spec));

    EXPECT_EQ(code(first), ErrorCode::kNone);
    EXPECT_EQ(code(again), ErrorCode::kNone);
    EXPECT_EQ(again.base_offset, first.base_offset);
    EXPECT_EQ(code(hole), ErrorCode::kOutOfOrderSequenceNumber);
    EXPECT_EQ(world.metrics.records_in.value(), 1U);  // The repeated one was there.
  });
}

/// `body` outlives the task.
Task<void> coordinate(World& world, const std::function<Task<void>(Coordinator&)>& body) {
  std::ignore = co_await world.create("__transaction_state", 1);
  Coordinator coordinator(world);
  co_await body(coordinator);
  coordinator.transactions.stop();
  co_await coordinator.transactions.close();
}

/// Runs `body` on a world with the topics "orders" and "__transaction_state", and a coordinator.
void with_coordinator(std::function<Task<void>(Coordinator&)> body) {
  with_orders({}, [&](World& world) { return coordinate(world, body); });
}

TEST(ProduceHandler, BeginsATransactionsWritesWithTheFirst) {
  with_coordinator([](Coordinator& coordinator) -> Task<void> {
    const coordinator::Producer producer = co_await coordinator.init();
    const ErrorCode behind = co_await coordinator.write(producer, 5, 12);
    EXPECT_EQ(behind, ErrorCode::kOutOfOrderSequenceNumber);
    for (std::int32_t sequence = 0; sequence < 2; ++sequence) {
      const ErrorCode next = co_await coordinator.write(producer, sequence, 12);
      EXPECT_EQ(next, ErrorCode::kNone);
    }
  });
}

TEST(ProduceHandler, TellsAFencedProducerThatItIsWhateverItsSequence) {
  with_coordinator([](Coordinator& coordinator) -> Task<void> {
    const coordinator::Producer fenced = co_await coordinator.init();
    std::ignore = co_await coordinator.init();
    const ErrorCode code = co_await coordinator.write(fenced, 5, 12);
    EXPECT_EQ(code, ErrorCode::kInvalidProducerEpoch);
  });
}

TEST(ProduceHandler, TakesNothingBehindAFirstWriteThatHasToComeAgain) {
  constexpr std::int16_t kPlain = 9;
  with_coordinator([](Coordinator& coordinator) -> Task<void> {
    const coordinator::Producer producer = co_await coordinator.init();
    const coordinator::AddPartitionsCall add{"t", producer, {{"orders", PartitionIndex(0)}}};
    std::ignore = co_await coordinator.partition().add_partitions(add);
    coordinator.port.refusing = {{"orders", PartitionIndex(0)}};
    std::ignore = co_await coordinator.partition().end({"t", producer, true});
    const ErrorCode put_off = co_await coordinator.write(producer, 0, kPlain);
    EXPECT_EQ(put_off, ErrorCode::kNotEnoughReplicas);

    // The markers are written, the next transaction begins, and what was sent behind comes first.
    coordinator.port.refusing.clear();
    ErrorCode added = ErrorCode::kConcurrentTransactions;
    while (added == ErrorCode::kConcurrentTransactions) {
      const runtime::Instant soon = coordinator.world.shard.clock().now() + std::chrono::milliseconds(1);
      co_await coordinator.world.shard.clock().sleep_until(soon);
      added = co_await coordinator.partition().add_partitions(add);
    }
    const ErrorCode behind = co_await coordinator.write(producer, 1, kPlain);
    EXPECT_EQ(behind, ErrorCode::kNotLeaderOrFollower);
    for (std::int32_t sequence = 0; sequence < 2; ++sequence) {
      const ErrorCode next = co_await coordinator.write(producer, sequence, kPlain);
      EXPECT_EQ(next, ErrorCode::kNone);
    }
  });
}

TEST(ProduceHandler, NamesTheRecordWhoseTimestampIsTooFarAhead) {
  with_orders({{"message.timestamp.after.max.ms", "1000"}}, [](World& world) -> Task<void> {
    const std::int64_t now = world.shard.clock().wall_now().value();
    const Answer answer = co_await world.produce(make_batch({.timestamps = {now, now + 3'600'000}}));
    EXPECT_EQ(code(answer), ErrorCode::kInvalidTimestamp);
    EXPECT_EQ(answer.record_errors.size(), 1U);
    if (!answer.record_errors.empty()) EXPECT_EQ(answer.record_errors[0].batch_index, 1);
  });
}

TEST(ProduceHandler, AnswersNothingToAcksZeroAndEndsTheConnectionOnAnError) {
  with_orders({}, [](World& world) -> Task<void> {
    std::optional<Result<std::optional<Reply>>> result;
    const auto good = make_batch(world.now());
    ProduceRequest request = world.request(good, 0);
    request.topic_data[0].topic_id = {};
    co_await world.send(*world.handler, request, kByName, result);
    EXPECT_TRUE(result->has_value() && !(*result)->has_value());

    request.topic_data[0].partition_data[0].index = 9;
    co_await world.send(*world.handler, request, kByName, result);
    EXPECT_EQ(result->error().code, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_THAT(result->error().context, HasSubstr("orders-9"));
  });
}

TEST(ProduceHandler, AnswersEveryPartitionOfARequest) {
  with_orders({}, [](World& world) -> Task<void> {
    const auto first = make_batch(world.now());
    const auto second = make_batch(world.now());
    ProduceRequest request = world.request(first);
    request.topic_data[0].topic_id = {};
    request.topic_data[0].partition_data.push_back({1, protocol::RecordsView(second)});
    request.topic_data[0].partition_data.push_back({2, std::nullopt});
    const auto response = co_await world.ask<ProduceResponse>(*world.handler, request, kByName);

    std::vector<std::pair<std::int32_t, ErrorCode>> codes;
    for (const Answer& answer : response.responses.at(0).partition_responses)
      codes.emplace_back(answer.index, code(answer));
    const std::vector<std::pair<std::int32_t, ErrorCode>> expected{
        {0, ErrorCode::kNone}, {1, ErrorCode::kNone}, {2, ErrorCode::kUnknownTopicOrPartition}};
    EXPECT_EQ(codes, expected);
  });
}

}  // namespace
}  // namespace brook::broker

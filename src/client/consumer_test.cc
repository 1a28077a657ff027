#include "client/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/testing/scripted_broker.h"
#include "protocol/fetch.h"
#include "protocol/list_offsets.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/control.h"
#include "runtime/testing/run.h"

namespace brook::client {
namespace {

using namespace protocol;
using namespace std::chrono_literals;
using runtime::Shard;
using runtime::testing::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedBroker;

const TopicPartition kPartition{"orders", PartitionIndex(0)};

/// A partition's log that is served from memory: whole batches from the one that holds the offset.
struct ServedLog {
  explicit ServedLog(ScriptedBroker& broker) {
    broker.add_topic("orders", 1);
    broker.answer<FetchRequest, FetchResponse>(
        [this](const FetchRequest& request) { return fetch(request); });
    broker.answer<ListOffsetsRequest, ListOffsetsResponse>(
        [this](const ListOffsetsRequest& r) { return list(r); });
  }

  void append(record::BatchOptions options, std::vector<std::string> values) {
    options.base_offset = end;
    record::BatchBuilder builder(options);
    for (const std::string& value : values) builder.append(Timestamp(1000), as_bytes("key"), as_bytes(value));
    append_bytes(builder.finish());
  }
  void append_bytes(record::Bytes batch) {
    record::set_base_offset(batch, end);
    end = record::BatchView::parse(batch)->last_offset().next();
    batches.push_back(std::move(batch));
  }

  FetchResponse fetch(const FetchRequest& request) {
    ++fetches;
    FetchResponse response;
    const auto& asked = request.topics[0].partitions[0];
    auto& topic = response.responses.emplace_back();
    topic.topic = request.topics[0].topic;
    topic.topic_id = request.topics[0].topic_id;
    auto& partition = topic.partitions.emplace_back();
    partition.high_watermark = end.value();
    partition.last_stable_offset = end.value();
    partition.log_start_offset = start.value();
    partition.aborted_transactions = aborted;
    if (next_error != ErrorCode::kNone) {
      partition.error_code = static_cast<std::int16_t>(next_error);
      next_error = ErrorCode::kNone;
      return response;
    }
    if (asked.fetch_offset < start.value() || asked.fetch_offset > end.value()) {
      partition.error_code = static_cast<std::int16_t>(ErrorCode::kOffsetOutOfRange);
      return response;
    }
    served.clear();
    for (const record::Bytes& batch : batches) {
      if (record::BatchView::parse(batch)->last_offset().value() >= asked.fetch_offset) {
        served.insert(served.end(), batch.begin(), batch.end());
      }
    }
    partition.records = ForeignRecords{.bytes = served};
    return response;
  }
  ListOffsetsResponse list(const ListOffsetsRequest& request) const {
    ListOffsetsResponse response;
    auto& topic = response.topics.emplace_back();
    topic.name = request.topics[0].name;
    auto& partition = topic.partitions.emplace_back();
    const std::int64_t at = request.topics[0].partitions[0].timestamp;
    partition.offset = at == -2 ? start.value() : at == -1 ? end.value() : -1;
    return response;
  }

  Offset start{0};
  Offset end{0};
  std::vector<record::Bytes> batches;
  std::vector<FetchResponse::AbortedTransaction> aborted;
  ErrorCode next_error = ErrorCode::kNone;
  record::Bytes served;
  int fetches = 0;
};

struct World {
  explicit World(Shard& on, ConsumerOptions options = {})
      : shard(on),
        broker(on),
        log(broker),
        client(on, broker.client_options()),
        consumer(client, fast(options)) {}

  static ConsumerOptions fast(ConsumerOptions options) {
    options.fetch_wait_max = 1ms;
    return options;
  }
  /// What polls give until the end of the log, as "offset value".
  Task<std::vector<std::string>> read_to_end() {
    std::vector<std::string> read;
    for (;;) {
      const auto batches = co_await consumer.poll(shard.clock().now() + 10s);
      if (!batches) {
        read.push_back(batches.error().context);
        co_return read;
      }
      for (const ConsumedBatch& batch : *batches) {
        for (const ConsumedRecord& record : batch.records) {
          read.push_back(std::to_string(record.offset.value()) + " " + to_string(*record.value));
        }
      }
      if (consumer.progress(kPartition)->at_end()) co_return read;
    }
  }
  Task<void> stop() {
    co_await client.stop();
    co_await consumer.stop();
    co_await broker.stop();
  }

  Shard& shard;
  ScriptedBroker broker;
  ServedLog log;
  Client client;
  Consumer consumer;
};

TEST(Consumer, ReadsFromTheMiddleOfABatchToTheEnd) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a", "b", "c"});
    world.log.append({.compression = {record::Codec::kLz4, {}}}, {"d", "e"});

    const auto assigned = co_await world.consumer.assign({{kPartition, Offset(1)}});
    const std::vector<std::string> read = co_await world.read_to_end();

    EXPECT_TRUE(assigned);
    EXPECT_THAT(read, ElementsAre("1 b", "2 c", "3 d", "4 e"));
    EXPECT_EQ(world.consumer.progress(kPartition)->position, Offset(5));
    EXPECT_EQ(world.consumer.progress(kPartition)->high_watermark, Offset(5));
    co_await world.stop();
  });
}

TEST(Consumer, BeginsWhereItIsTold) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a", "b", "c"});
    world.log.start = Offset(2);

    (void)co_await world.consumer.assign({{kPartition, OffsetSpec::earliest()}});
    EXPECT_EQ(world.consumer.progress(kPartition)->position, Offset(2));
    (void)co_await world.consumer.assign({{kPartition, OffsetSpec::latest()}});
    EXPECT_EQ(world.consumer.progress(kPartition)->position, Offset(3));
    (void)co_await world.consumer.assign({{kPartition, OffsetSpec::at(Timestamp(9999))}});
    EXPECT_EQ(world.consumer.progress(kPartition)->position, Offset(3));

    co_await world.stop();
  });
}

TEST(Consumer, PassesOverMarkersAndAbortedTransactions) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.isolation = IsolationLevel::kReadCommitted});
    const ProducerId aborts(7);
    const ProducerId commits(8);
    const auto transactional = [](ProducerId id, std::int32_t sequence) {
      return record::BatchOptions{.producer_id = id,
                                  .producer_epoch = ProducerEpoch(0),
                                  .base_sequence = sequence,
                                  .transactional = true};
    };
    world.log.append(transactional(aborts, 0), {"aborted"});
    world.log.append(transactional(commits, 0), {"committed"});
    world.log.append_bytes(
        record::end_txn_batch({.committed = false}, Timestamp(1), aborts, ProducerEpoch(0)));
    world.log.append(transactional(aborts, 1), {"of the next transaction"});
    world.log.append_bytes(
        record::end_txn_batch({.committed = true}, Timestamp(1), commits, ProducerEpoch(0)));
    world.log.append_bytes(
        record::end_txn_batch({.committed = true}, Timestamp(1), aborts, ProducerEpoch(0)));
    world.log.aborted.push_back({aborts.value(), 0});

    (void)co_await world.consumer.assign({{kPartition, OffsetSpec::earliest()}});
    const std::vector<std::string> read = co_await world.read_to_end();

    EXPECT_THAT(read, ElementsAre("1 committed", "3 of the next transaction"));
    EXPECT_EQ(world.consumer.progress(kPartition)->position, Offset(6));
    co_await world.stop();
  });
}

TEST(Consumer, FailsOutOfRangeWithoutAReset) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a"});
    (void)co_await world.consumer.assign({{kPartition, Offset(50)}});

    const auto polled = co_await world.consumer.poll(shard.clock().now() + 10s);

    EXPECT_FALSE(polled);
    if (!polled) {
      EXPECT_EQ(polled.error(),
                (Error{ErrorCode::kOffsetOutOfRange, "orders-0 at offset 50: OFFSET_OUT_OF_RANGE"}));
    }
    world.consumer.seek(kPartition, Offset(0));
    const std::vector<std::string> read = co_await world.read_to_end();
    EXPECT_THAT(read, ElementsAre("0 a"));
    co_await world.stop();
  });
}

TEST(Consumer, GoesToTheEarliestWhereItIsToldTo) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.offset_reset = OffsetReset::kEarliest});
    world.log.append({}, {"a", "b"});
    (void)co_await world.consumer.assign({{kPartition, Offset(50)}});

    const std::vector<std::string> read = co_await world.read_to_end();

    EXPECT_THAT(read, ElementsAre("0 a", "1 b"));
    co_await world.stop();
  });
}

TEST(Consumer, TriesAgainAfterARetriableError) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a"});
    world.log.next_error = ErrorCode::kNotLeaderOrFollower;
    (void)co_await world.consumer.assign({{kPartition, Offset(0)}});

    const std::vector<std::string> read = co_await world.read_to_end();

    EXPECT_THAT(read, ElementsAre("0 a"));
    co_await world.stop();
  });
}

TEST(Consumer, FailsWhereTheBrokerFindsTheLogDamaged) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a"});
    world.log.next_error = ErrorCode::kCorruptMessage;
    (void)co_await world.consumer.assign({{kPartition, Offset(0)}});

    const auto polled = co_await world.consumer.poll(shard.clock().now() + 10s);

    EXPECT_FALSE(polled);
    if (!polled) {
      EXPECT_EQ(polled.error(), (Error{ErrorCode::kCorruptMessage, "orders-0 at offset 0: CORRUPT_MESSAGE"}));
    }
    co_await world.stop();
  });
}

TEST(Consumer, NamesACorruptBatch) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a"});
    world.log.batches[0].back() ^= std::byte{1};
    (void)co_await world.consumer.assign({{kPartition, Offset(0)}});

    const auto polled = co_await world.consumer.poll(shard.clock().now() + 10s);

    EXPECT_FALSE(polled);
    if (!polled) {
      EXPECT_EQ(polled.error().code, ErrorCode::kCorruptMessage);
      EXPECT_THAT(polled.error().context, HasSubstr("orders-0"));
    }
    co_await world.stop();
  });
}

TEST(Consumer, AsksForNothingMoreThanItsBufferHolds) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.buffer_bytes_max = 1});
    world.log.append({}, {"a"});
    (void)co_await world.consumer.assign({{kPartition, Offset(0)}});
    while (world.log.fetches == 0) co_await shard.clock().sleep_until(shard.clock().now() + 1ms);
    world.log.append({}, {"b"});

    for (int turn = 0; turn < 20; ++turn) co_await shard.clock().sleep_until(shard.clock().now() + 1ms);
    const int before_poll = world.log.fetches;
    const std::vector<std::string> buffered = co_await world.read_to_end();
    const auto at_end = co_await world.consumer.poll(shard.clock().now() + 10s);
    const auto then = co_await world.consumer.poll(shard.clock().now() + 10s);

    EXPECT_EQ(before_poll, 1);
    EXPECT_THAT(buffered, ElementsAre("0 a"));
    EXPECT_TRUE(at_end && at_end->empty());
    EXPECT_TRUE(then && !then->empty() && then->front().records.front().offset == Offset(1));
    co_await world.stop();
  });
}

TEST(Consumer, EndsAPollAtTheEndOfThePartitionOnce) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.log.append({}, {"a"});
    (void)co_await world.consumer.assign({{kPartition, OffsetSpec::latest()}});

    const auto at_end = co_await world.consumer.poll(runtime::Instant::max());
    const auto at_deadline = co_await world.consumer.poll(shard.clock().now() + 5ms);

    EXPECT_TRUE(at_end && at_end->empty());
    EXPECT_TRUE(at_deadline && at_deadline->empty());
    co_await world.stop();
  });
}

TEST(Consumer, IsNotAssignedWhatDoesNotExist) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);

    const auto assigned = co_await world.consumer.assign({{{"nope", PartitionIndex(0)}, Offset(0)}});

    EXPECT_FALSE(assigned);
    if (!assigned) {
      EXPECT_EQ(assigned.error(),
                (Error{ErrorCode::kUnknownTopicOrPartition, "nope-0: UNKNOWN_TOPIC_OR_PARTITION"}));
    }
    co_await world.stop();
  });
}

}  // namespace
}  // namespace brook::client

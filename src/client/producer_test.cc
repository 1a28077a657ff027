#include "client/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "client/testing/scripted_broker.h"
#include "protocol/init_producer_id.h"
#include "protocol/produce.h"
#include "record/batch.h"
#include "record/record.h"
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

/// One batch as it came to the broker.
struct Appended {
  std::int32_t partition = 0;
  std::int64_t producer_id = -1;
  std::int32_t base_sequence = -1;
  std::vector<std::string> values = {};
};

std::vector<std::string> values_of(const record::BatchView& batch) {
  std::vector<std::string> values;
  const auto bytes = record::decompress(batch.codec(), batch.records(), 1 << 20);
  record::RecordIterator records(*bytes, batch.record_count());
  for (auto record = records.next(); record && *record; record = records.next()) {
    values.push_back(to_string((*record)->value.value_or(ByteView())));
  }
  return values;
}

/// Appends what is produced to partitions in memory, as a broker does; a test says which batches fail, and
/// how.
class Log {
 public:
  explicit Log(ScriptedBroker& broker) {
    broker.answer<ProduceRequest, ProduceResponse>([this](const ProduceRequest& r) { return produce(r); });
    broker.answer<InitProducerIdRequest, InitProducerIdResponse>([this](const InitProducerIdRequest&) {
      InitProducerIdResponse response;
      response.producer_id = next_producer_id_++;
      response.producer_epoch = 0;
      return response;
    });
  }

  /// The error for a batch; kNone appends it.
  std::function<ErrorCode(const Appended&)> verdict = [](const Appended&) { return ErrorCode::kNone; };
  std::vector<Appended> appended;
  std::vector<std::size_t> partitions_per_request;

  [[nodiscard]] std::vector<std::string> values() const {
    std::vector<std::string> all;
    for (const Appended& batch : appended) all.insert(all.end(), batch.values.begin(), batch.values.end());
    return all;
  }

 private:
  ProduceResponse produce(const ProduceRequest& request) {
    ProduceResponse response;
    partitions_per_request.push_back(0);
    for (const auto& topic : request.topic_data) {
      auto& entry = response.responses.emplace_back();
      entry.name = topic.name;
      entry.topic_id = topic.topic_id;
      for (const auto& partition : topic.partition_data) {
        ++partitions_per_request.back();
        const auto batch = record::BatchView::parse(*partition.records);
        EXPECT_TRUE(batch && batch->check_crc());
        const Appended came{partition.index, batch->producer_id().value_or(ProducerId(-1)).value(),
                            batch->base_sequence().value_or(-1), values_of(*batch)};
        auto& answer = entry.partition_responses.emplace_back();
        answer.index = partition.index;
        answer.base_offset = -1;
        const ErrorCode code = verdict(came);
        answer.error_code = static_cast<std::int16_t>(code);
        if (code == ErrorCode::kInvalidRecord) {
          answer.error_message = "One or more records have been rejected";
          answer.record_errors.push_back({1, "the second has no key"});
        }
        if (code != ErrorCode::kNone) continue;
        answer.base_offset = ends_[partition.index];
        ends_[partition.index] += static_cast<std::int64_t>(came.values.size());
        appended.push_back(came);
      }
    }
    return response;
  }

  std::int64_t next_producer_id_ = 100;
  std::map<std::int32_t, std::int64_t> ends_;
};

/// A broker with the topic "orders" of two partitions, and what became of the records that a test sent.
struct World {
  explicit World(Shard& on, ProducerOptions options = {},
                 std::size_t requests_in_flight_max = ClientOptions().requests_in_flight_max)
      : shard(on),
        broker(on),
        log(broker),
        client(on, client_options(broker, requests_in_flight_max)),
        producer(client, options) {
    broker.add_topic("orders", 2);
  }

  [[nodiscard]] static ClientOptions client_options(const ScriptedBroker& broker,
                                                    std::size_t requests_in_flight_max) {
    ClientOptions options = broker.client_options();
    options.requests_in_flight_max = requests_in_flight_max;
    return options;
  }

  void send(std::string value, std::int32_t partition = 0) {
    ProducerRecord record{.topic = "orders", .partition = PartitionIndex(partition), .value = value};
    Producer::Delivered delivered = [this, value](const Result<DeliveredRecord>& outcome) {
      if (outcome) {
        outcomes.push_back(value + "@" + std::to_string(outcome->offset.value_or(Offset(-1)).value()));
      } else {
        outcomes.push_back(value + " " + std::string(error_name(outcome.error().code)));
        last_error = outcome.error().context;
      }
    };
    EXPECT_TRUE(producer.try_send(record, delivered));
  }
  Task<void> stop() {
    co_await producer.stop();
    co_await client.stop();
    co_await broker.stop();
  }

  Shard& shard;
  ScriptedBroker broker;
  Log log;
  Client client;
  Producer producer;
  std::vector<std::string> outcomes;
  std::string last_error;
};

/// A batch for each record, so that a test can fail one.
constexpr ProducerOptions kBatchForEach{.linger = 0ms, .batch_bytes = 1};

TEST(Producer, DeliversInOrderWithOffsetsAndSequences) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);

    for (const char* value : {"a", "b", "c"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a@0", "b@1", "c@2"));
    EXPECT_EQ(world.log.appended[0].producer_id, 100);
    EXPECT_EQ(world.log.appended[0].base_sequence, 0);
    EXPECT_EQ(world.log.appended[2].base_sequence, 2);
    EXPECT_EQ(world.producer.undelivered(), 0U);
    co_await world.stop();
  });
}

TEST(Producer, PutsABatchOfEachPartitionIntoOneRequest) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.linger = 1h});

    for (int number = 0; number < 50; ++number) world.send(std::to_string(number), number % 2);
    co_await world.producer.flush();

    EXPECT_THAT(world.log.partitions_per_request, ElementsAre(2U));
    EXPECT_EQ(world.log.appended[0].values.size(), 25U);
    EXPECT_EQ(world.log.appended[1].values.size(), 25U);
    co_await world.stop();
  });
}

TEST(Producer, CompressesBatches) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.compression = {record::Codec::kZstd, {}}});

    world.send(std::string(1000, 'x'));
    co_await world.producer.flush();

    EXPECT_EQ(world.log.values(), (std::vector<std::string>{std::string(1000, 'x')}));
    co_await world.stop();
  });
}

TEST(Producer, KeepsOrderAndSequenceThroughRetries) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);
    int failures = 2;
    std::int32_t expected = 0;
    world.log.verdict = [&](const Appended& batch) {
      if (batch.values[0] == "a" && failures-- > 0) return ErrorCode::kNotEnoughReplicas;
      if (batch.base_sequence != expected) return ErrorCode::kOutOfOrderSequenceNumber;
      ++expected;
      return ErrorCode::kNone;
    };

    for (const char* value : {"a", "b", "c", "d"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a@0", "b@1", "c@2", "d@3"));
    co_await world.stop();
  });
}

TEST(Producer, TakesADuplicateForDelivered) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);
    world.log.verdict = [](const Appended&) { return ErrorCode::kDuplicateSequenceNumber; };

    world.send("a");
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a@-1"));
    co_await world.stop();
  });
}

TEST(Producer, GoesOnUnderANewIdentityBehindARefusedBatch) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);
    std::map<std::int64_t, std::int32_t> expected;
    world.log.verdict = [&](const Appended& batch) {
      if (batch.values[0] == "b") return ErrorCode::kMessageTooLarge;
      if (batch.base_sequence != expected[batch.producer_id]) return ErrorCode::kOutOfOrderSequenceNumber;
      ++expected[batch.producer_id];
      return ErrorCode::kNone;
    };

    for (const char* value : {"a", "b", "c", "d"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a@0", "b MESSAGE_TOO_LARGE", "c@1", "d@2"));
    EXPECT_EQ(world.log.appended[1].producer_id, 101);
    EXPECT_EQ(world.log.appended[1].base_sequence, 0);
    co_await world.stop();
  });
}

TEST(Producer, SendsAgainOverANewConnectionAfterOneIsLost) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);
    world.broker.hang_up(ApiKey::kProduce, 2);

    for (const char* value : {"a", "b"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a@0", "b@1"));
    EXPECT_THAT(world.log.values(), ElementsAre("a", "b"));
    co_await world.stop();
  });
}

TEST(Producer, SendsNothingBeforeABatchThatWentDownWithItsConnection) {
  run<void>([](Shard& shard) -> Task<void> {
    // The others wait for the first one's reply, and then for a new connection.
    World world(shard, kBatchForEach, 1);
    world.broker.hang_up(ApiKey::kProduce, 1);

    for (const char* value : {"a", "b", "c", "d"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.log.values(), ElementsAre("a", "b", "c", "d"));
    EXPECT_THAT(world.outcomes, ElementsAre("a@0", "b@1", "c@2", "d@3"));
    EXPECT_EQ(world.log.appended[3].producer_id, 100);
    EXPECT_EQ(world.log.appended[3].base_sequence, 3);
    co_await world.stop();
  });
}

TEST(Producer, KeepsTheOrderOfBatchesThatWaitForAConnectionsTurn) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach, 1);

    for (const char* value : {"a", "b", "c", "d"}) world.send(value);
    co_await world.producer.flush();

    EXPECT_THAT(world.log.values(), ElementsAre("a", "b", "c", "d"));
    co_await world.stop();
  });
}

TEST(Producer, SendsABatchBehindOneThatIsNotAnswered) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, kBatchForEach);
    world.broker.keep_silent(ApiKey::kProduce);
    for (const char* value : {"a", "b"}) world.send(value);

    const runtime::Instant deadline = shard.clock().now() + 3s;
    while (world.broker.count(ApiKey::kProduce) < 2 && shard.clock().now() < deadline)
      co_await shard.clock().sleep_until(shard.clock().now() + 1ms);

    EXPECT_EQ(world.broker.count(ApiKey::kProduce), 2U);
    co_await world.client.stop();  // Ends the requests that nobody answers.
    co_await world.producer.stop();
    co_await world.broker.stop();
  });
}

TEST(Producer, TellsWhichRecordOfABatchIsToBlame) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    std::vector<std::string> sentences;
    world.log.verdict = [](const Appended&) { return ErrorCode::kInvalidRecord; };
    for (const char* value : {"a", "b"}) {
      ProducerRecord record{.topic = "orders", .partition = PartitionIndex(0), .value = value};
      Producer::Delivered delivered = [&sentences](const Result<DeliveredRecord>& outcome) {
        sentences.push_back(outcome.error().context);
      };
      EXPECT_TRUE(world.producer.try_send(record, delivered));
    }

    co_await world.producer.flush();

    EXPECT_THAT(sentences,
                ElementsAre("another record of its batch was refused: One or more records have been rejected",
                            "the second has no key"));
    co_await world.stop();
  });
}

TEST(Producer, GivesUpWhatIsNotDeliveredInTime) {
  run<void>([](Shard& shard) -> Task<void> {
    ProducerOptions options = kBatchForEach;
    options.delivery_timeout = 500ms;
    World world(shard, options);
    world.log.verdict = [](const Appended&) { return ErrorCode::kNotEnoughReplicas; };

    world.send("a");
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a REQUEST_TIMED_OUT"));
    EXPECT_THAT(world.last_error, HasSubstr("orders-0: not delivered in 500 ms"));
    EXPECT_THAT(world.last_error, HasSubstr("the last error: orders-0: NOT_ENOUGH_REPLICAS"));
    co_await world.stop();
  });
}

TEST(Producer, RefusesAPartitionAndATopicThatDoNotExist) {
  run<void>([](Shard& shard) -> Task<void> {
    ProducerOptions options = kBatchForEach;
    options.delivery_timeout = 500ms;
    World world(shard, options);

    world.send("a", 7);
    const auto unknown = co_await world.producer.send_and_wait({.topic = "nope", .value = "b"});
    co_await world.producer.flush();

    EXPECT_THAT(world.outcomes, ElementsAre("a UNKNOWN_TOPIC_OR_PARTITION"));
    EXPECT_EQ(world.last_error, "orders has 2 partitions, and none is 7");
    EXPECT_FALSE(unknown);
    if (!unknown) {
      EXPECT_EQ(unknown.error(),
                (Error{ErrorCode::kUnknownTopicOrPartition, "nope: UNKNOWN_TOPIC_OR_PARTITION"}));
    }
    co_await world.stop();
  });
}

TEST(Producer, HasNoRoomBeyondItsBuffer) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.linger = 0ms, .buffer_bytes_max = 1000});
    ProducerRecord large{.topic = "orders", .value = std::string(900, 'x')};
    Producer::Delivered ignored = [](const Result<DeliveredRecord>&) {};
    world.send(std::string(500, 'a'));

    const bool taken_at_once = world.producer.try_send(large, ignored);
    const bool room = co_await world.producer.wait_for_room(shard.clock().now() + 10s);
    const bool taken_then = world.producer.try_send(large, ignored);
    co_await world.producer.flush();

    EXPECT_FALSE(taken_at_once);
    EXPECT_TRUE(room);
    EXPECT_TRUE(taken_then);
    EXPECT_EQ(world.log.values().size(), 2U);
    co_await world.stop();
  });
}

TEST(Producer, NeedsNoAnswerWithAcksNone) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.acks = Acks::kNone, .linger = 0ms});
    world.broker.keep_silent(ApiKey::kProduce);

    const auto sent = co_await world.producer.send_and_wait({.topic = "orders", .value = "a"});

    EXPECT_TRUE(sent && !sent->offset);
    co_await world.stop();
  });
}

TEST(Producer, GivesUpWhatIsLeftWhenItIsStopped) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.linger = 1h});
    world.send("a");

    co_await world.producer.stop();

    EXPECT_THAT(world.outcomes, ElementsAre("a NETWORK_EXCEPTION"));
    co_await world.stop();
  });
}

}  // namespace
}  // namespace brook::client

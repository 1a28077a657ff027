#include "protocol/fetch.h"

#include <gtest/gtest.h>

#include "broker/handlers/handlers.h"
#include "broker/testing/handler_world.h"
#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using runtime::Shard;
using runtime::testing::run;
using storage::testing::make_batch;
using testing::HandlerWorld;
using Answer = FetchResponse::PartitionData;

constexpr std::int16_t kByName = 12;
constexpr std::int16_t kById = 13;

struct World : HandlerWorld {
  explicit World(Shard& own)
      : HandlerWorld(own), handler(make_fetch_handler(view, router, sessions, traffic)) {}

  /// One record of `value_size` bytes; the batch's size.
  std::size_t append(std::int32_t partition, std::size_t value_size = 10) {
    auto batch = make_batch({.timestamps = {shard.clock().wall_now().value()}, .value_size = value_size});
    const auto found = replicas.find({topic, PartitionIndex(partition)}).value();
    EXPECT_TRUE(found->append(batch, shard.clock().wall_now(), storage::AppendOrigin::kClient).has_value());
    return batch.size();
  }
  /// Of these partitions of "orders" from offset 0; does not wait.
  static FetchRequest request(std::vector<std::int32_t> partitions,
                              std::int32_t partition_max_bytes = 1 << 20) {
    FetchRequest made;
    made.max_wait_ms = 0;
    made.min_bytes = 1;
    auto& topic = made.topics.emplace_back();
    topic.topic = "orders";
    for (const std::int32_t partition : partitions) {
      auto& asked = topic.partitions.emplace_back();
      asked.partition = partition;
      asked.partition_max_bytes = partition_max_bytes;
    }
    return made;
  }
  Task<FetchResponse> fetch(FetchRequest made, std::int16_t version = kByName) {
    FetchResponse response = co_await ask<FetchResponse>(*handler, std::move(made), version);
    co_return response;
  }

  std::unique_ptr<Handler> handler;
  TopicId topic;
};

ErrorCode code(const Answer& answer) { return static_cast<ErrorCode>(answer.error_code); }
std::size_t size_of(const Answer& answer) { return answer.records ? answer.records->length() : 0; }

/// The sizes of the records of the first topic's partitions, in the response's order.
std::vector<std::pair<std::int32_t, std::size_t>> sizes(const FetchResponse& response) {
  std::vector<std::pair<std::int32_t, std::size_t>> found;
  for (const auto& topic : response.responses) {
    for (const Answer& answer : topic.partitions) found.emplace_back(answer.partition_index, size_of(answer));
  }
  return found;
}
using Sizes = std::vector<std::pair<std::int32_t, std::size_t>>;

/// Runs `body` on a world with the topic "orders" of three partitions.
void with_orders(std::function<Task<void>(World&)> body) {
  run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 3);
    co_await body(world);
    co_await world.close();
  });
}

TEST(FetchHandler, ReadsByNameAndById) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t batch = world.append(0);
    const FetchResponse by_name = co_await world.fetch(World::request({0}));
    EXPECT_EQ(sizes(by_name), (Sizes{{0, batch}}));
    EXPECT_EQ(by_name.responses.at(0).topic, "orders");
    EXPECT_EQ(by_name.responses.at(0).partitions.at(0).high_watermark, 1);
    EXPECT_EQ(by_name.responses.at(0).partitions.at(0).log_start_offset, 0);

    FetchRequest request = World::request({0});
    request.topics[0].topic_id = world.topic;
    const FetchResponse by_id = co_await world.fetch(request, kById);
    EXPECT_EQ(sizes(by_id), (Sizes{{0, batch}}));
    EXPECT_EQ(by_id.responses.at(0).topic_id, world.topic);
    EXPECT_EQ(world.metrics.bytes_out.value(), 2 * batch);
    EXPECT_EQ(world.traffic.of(world.topic).bytes_out, 2 * batch);
  });
}

TEST(FetchHandler, TellsTheErrorOfEachPartitionAndServesTheOthers) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t batch = world.append(0);
    world.append(1);
    FetchRequest request = World::request({0, 1, 2, 7});
    request.topics[0].partitions[1].fetch_offset = 5;
    request.topics[0].partitions[2].current_leader_epoch = 9;
    const FetchResponse response = co_await world.fetch(request);

    const auto& answers = response.responses.at(0).partitions;
    EXPECT_EQ(size_of(answers.at(0)), batch);
    EXPECT_EQ(code(answers.at(1)), ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(answers.at(1).high_watermark, -1);
    EXPECT_EQ(code(answers.at(2)), ErrorCode::kUnknownLeaderEpoch);
    EXPECT_EQ(code(answers.at(3)), ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST(FetchHandler, TellsOfCorruptRecordsAndServesWhatIsBeforeThem) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t batch = world.append(0);
    world.append(0);
    const auto partition = world.replicas.find({world.topic, PartitionIndex(0)}).value();
    partition->log().mark_corrupt({.segment_base_offset = Offset(0),
                                   .position = batch,
                                   .end = 2 * batch,
                                   .first_offset = Offset(1),
                                   .last_offset = Offset(1),
                                   .reason = "a test says so"});

    const FetchResponse before = co_await world.fetch(World::request({0}));
    EXPECT_EQ(sizes(before), (Sizes{{0, batch}}));
    EXPECT_EQ(code(before.responses.at(0).partitions.at(0)), ErrorCode::kNone);

    FetchRequest request = World::request({0});
    request.topics[0].partitions[0].fetch_offset = 1;
    const FetchResponse at = co_await world.fetch(request);
    EXPECT_EQ(code(at.responses.at(0).partitions.at(0)), ErrorCode::kCorruptMessage);
    EXPECT_EQ(size_of(at.responses.at(0).partitions.at(0)), 0U);
  });
}

TEST(FetchHandler, RefusesATopicIdThatNobodyHas) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest request = World::request({0});
    request.topics[0].topic_id = Uuid::from_random(world.shard.random().uuid_bytes());
    const FetchResponse response = co_await world.fetch(request, kById);
    EXPECT_EQ(code(response.responses.at(0).partitions.at(0)), ErrorCode::kUnknownTopicId);
  });
}

TEST(FetchHandler, SendsTheFirstBatchWholeHoweverSmallTheLimits) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t large = world.append(0, 5000);
    world.append(1, 10);
    FetchRequest request = World::request({0, 1}, 1);
    request.max_bytes = 1;
    const FetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(sizes(response), (Sizes{{0, large}, {1, 0}}));
  });
}

TEST(FetchHandler, KeepsThePartitionsLimitBehindTheFirstData) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t small = world.append(0, 10);
    world.append(1, 5000);
    const std::size_t other = world.append(2, 20);
    const FetchResponse response = co_await world.fetch(World::request({0, 1, 2}, 1000));

    // The large one would have to come first: the session or the client moves it there.
    EXPECT_EQ(sizes(response), (Sizes{{0, small}, {1, 0}, {2, other}}));
  });
}

TEST(FetchHandler, KeepsTheResponsesLimitAcrossPartitions) {
  with_orders([](World& world) -> Task<void> {
    const std::size_t first = world.append(0, 1000);
    world.append(1, 1000);
    world.append(2, 1000);
    FetchRequest request = World::request({0, 1, 2});
    request.max_bytes = static_cast<std::int32_t>(first) + 500;
    const FetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(sizes(response), (Sizes{{0, first}, {1, 0}, {2, 0}}));
  });
}

TEST(FetchHandler, AnIncrementalFetchTellsOnlyWhatIsNew) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest full = World::request({0, 1});
    full.session_epoch = 0;
    const FetchResponse first = co_await world.fetch(full);
    EXPECT_NE(first.session_id, 0);
    EXPECT_EQ(sizes(first), (Sizes{{0, 0}, {1, 0}}));

    FetchRequest next = World::request({});
    next.topics.clear();
    next.session_id = first.session_id;
    next.session_epoch = 1;
    const FetchResponse nothing = co_await world.fetch(next);
    EXPECT_EQ(sizes(nothing), Sizes{});

    const std::size_t batch = world.append(1);
    next.session_epoch = 2;
    const FetchResponse news = co_await world.fetch(next);
    EXPECT_EQ(news.session_id, first.session_id);
    EXPECT_EQ(sizes(news), (Sizes{{1, batch}}));
  });
}

TEST(FetchHandler, ForgetsPartitionsOfASession) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest full = World::request({0, 1});
    full.session_epoch = 0;
    const FetchResponse first = co_await world.fetch(full);
    world.append(0);
    const std::size_t batch = world.append(1);

    FetchRequest next = World::request({});
    next.topics.clear();
    next.session_id = first.session_id;
    next.session_epoch = 1;
    next.forgotten_topics_data.push_back({"orders", {}, {0}});
    const FetchResponse news = co_await world.fetch(next);

    EXPECT_EQ(sizes(news), (Sizes{{1, batch}}));
  });
}

TEST(FetchHandler, RefusesSessionsAndEpochsThatItDoesNotKnow) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest full = World::request({0});
    full.session_epoch = 0;
    const FetchResponse first = co_await world.fetch(full);

    FetchRequest next = World::request({});
    next.session_id = first.session_id;
    next.session_epoch = 5;
    const FetchResponse wrong_epoch = co_await world.fetch(next);
    EXPECT_EQ(static_cast<ErrorCode>(wrong_epoch.error_code), ErrorCode::kInvalidFetchSessionEpoch);
    next.session_id = first.session_id == 1 ? 2 : 1;
    next.session_epoch = 1;
    const FetchResponse wrong_id = co_await world.fetch(next);
    EXPECT_EQ(static_cast<ErrorCode>(wrong_id.error_code), ErrorCode::kFetchSessionIdNotFound);
  });
}

TEST(FetchHandler, WaitsForDataAndWakes) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest request = World::request({0, 1});
    request.max_wait_ms = 60'000;
    runtime::Gate gate;
    const auto append_later = [](World& to) -> Task<void> {
      co_await to.shard.clock().sleep_until(to.shard.clock().now() + std::chrono::milliseconds(20));
      to.append(1);
    };
    gate.spawn(append_later(world));
    const FetchResponse response = co_await world.fetch(request);
    co_await gate.close();

    EXPECT_EQ(sizes(response).size(), 2U);
    EXPECT_GT(sizes(response).at(1).second, 0U);
  });
}

TEST(FetchHandler, WaitsForNothingWhereOnlyTheCutToWholeBatchesIsMissing) {
  with_orders([](World& world) -> Task<void> {
    std::size_t batch = 0;
    for (int i = 0; i < 5; ++i) batch = world.append(0, 40'000);
    constexpr std::chrono::milliseconds kWait = std::chrono::seconds(20);
    FetchRequest request = World::request({0}, 70'000);
    request.min_bytes = 70'000;
    request.max_wait_ms = kWait.count();
    const runtime::Instant before = world.shard.clock().now();
    const FetchResponse response = co_await world.fetch(request);
    EXPECT_EQ(sizes(response), (Sizes{{0, batch}}));
    EXPECT_LT(world.shard.clock().now() - before, kWait);
  });
}

TEST(FetchHandler, EndsItsWaitAtTheDeadline) {
  with_orders([](World& world) -> Task<void> {
    FetchRequest request = World::request({0});
    request.max_wait_ms = 20;
    const runtime::Instant before = world.shard.clock().now();
    const FetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(sizes(response), (Sizes{{0, 0}}));
    EXPECT_GE(world.shard.clock().now() - before, std::chrono::milliseconds(20));
  });
}

}  // namespace
}  // namespace brook::broker

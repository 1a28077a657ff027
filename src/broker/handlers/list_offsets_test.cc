#include "protocol/list_offsets.h"

#include <gtest/gtest.h>

#include "broker/handlers/handlers.h"
#include "broker/testing/handler_world.h"
#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using runtime::Shard;
using runtime::testing::run;
using storage::testing::make_batch;
using testing::HandlerWorld;
using Answer = ListOffsetsResponse::ListOffsetsPartitionResponse;

constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kEarliestPendingUpload = -6;
constexpr std::int16_t kNewest = 11;

struct World : HandlerWorld {
  explicit World(Shard& own) : HandlerWorld(own), handler(make_list_offsets_handler(view, router)) {}

  Task<Answer> ask_at(std::int64_t timestamp, std::int16_t version = kNewest, std::int32_t partition = 0,
                      std::int32_t leader_epoch = -1) {
    ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({"orders", {{partition, leader_epoch, timestamp}}});
    const auto response = co_await ask<ListOffsetsResponse>(*handler, std::move(request), version);
    co_return response.topics.at(0).partitions.at(0);
  }

  std::unique_ptr<Handler> handler;
};

ErrorCode code(const Answer& answer) { return static_cast<ErrorCode>(answer.error_code); }

/// Offsets 0 to 3 with the timestamps 1000, 3000, 2000, 3000.
void with_records(std::function<Task<void>(World&)> body) {
  run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    const TopicId topic =
        co_await world.create("orders", 1, {{"message.timestamp.before.max.ms", "9223372036854775807"}});
    const auto partition = world.replicas.find({topic, PartitionIndex(0)}).value();
    for (const std::int64_t timestamp : {1000, 3000, 2000, 3000}) {
      auto batch = make_batch({.timestamps = {timestamp}});
      EXPECT_TRUE(
          partition->append(batch, shard.clock().wall_now(), storage::AppendOrigin::kClient).has_value());
    }
    co_await body(world);
    co_await world.close();
  });
}

TEST(ListOffsetsHandler, TellsStartAndEnd) {
  with_records([](World& world) -> Task<void> {
    const Answer latest = co_await world.ask_at(kLatest);
    EXPECT_EQ(latest.offset, 4);
    EXPECT_EQ(latest.timestamp, -1);
    EXPECT_EQ(latest.leader_epoch, 3);
    const Answer earliest = co_await world.ask_at(kEarliest);
    EXPECT_EQ(earliest.offset, 0);
    const Answer local = co_await world.ask_at(kEarliestLocal);
    EXPECT_EQ(local.offset, 0);
  });
}

TEST(ListOffsetsHandler, TellsTheFirstRecordWithTheLargestTimestamp) {
  with_records([](World& world) -> Task<void> {
    const Answer largest = co_await world.ask_at(kMaxTimestamp);
    EXPECT_EQ(largest.offset, 1);
    EXPECT_EQ(largest.timestamp, 3000);
  });
}

TEST(ListOffsetsHandler, TellsTheFirstRecordThatIsNotBeforeATime) {
  with_records([](World& world) -> Task<void> {
    const Answer exact = co_await world.ask_at(1000);
    EXPECT_EQ(exact.offset, 0);
    const Answer between = co_await world.ask_at(1001);
    EXPECT_EQ(between.offset, 1);
    EXPECT_EQ(between.timestamp, 3000);
    EXPECT_EQ(between.leader_epoch, 3);
    const Answer after = co_await world.ask_at(3001);
    EXPECT_EQ(code(after), ErrorCode::kNone);
    EXPECT_EQ(after.offset, -1);
    EXPECT_EQ(after.timestamp, -1);
  });
}

TEST(ListOffsetsHandler, HasNothingTiered) {
  with_records([](World& world) -> Task<void> {
    for (const std::int64_t timestamp : {kLatestTiered, kEarliestPendingUpload}) {
      const Answer tiered = co_await world.ask_at(timestamp);
      EXPECT_EQ(code(tiered), ErrorCode::kNone);
      EXPECT_EQ(tiered.offset, -1);
    }
  });
}

TEST(ListOffsetsHandler, RefusesQuestionsThatAVersionDoesNotHave) {
  with_records([](World& world) -> Task<void> {
    const std::vector<std::pair<std::int64_t, std::int16_t>> last_without{{kMaxTimestamp, 6},
                                                                          {kEarliestLocal, 7},
                                                                          {kLatestTiered, 8},
                                                                          {kEarliestPendingUpload, 10},
                                                                          {-7, kNewest}};
    for (const auto& [timestamp, version] : last_without) {
      const Answer answer = co_await world.ask_at(timestamp, version);
      EXPECT_EQ(code(answer), ErrorCode::kUnsupportedVersion) << timestamp << " in version " << version;
    }
  });
}

TEST(ListOffsetsHandler, RefusesOtherPartitionsAndEpochs) {
  with_records([](World& world) -> Task<void> {
    const Answer absent = co_await world.ask_at(kLatest, kNewest, 1);
    EXPECT_EQ(code(absent), ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(absent.partition_index, 1);
    const Answer older = co_await world.ask_at(kLatest, kNewest, 0, 2);
    EXPECT_EQ(code(older), ErrorCode::kFencedLeaderEpoch);
    const Answer newer = co_await world.ask_at(kLatest, kNewest, 0, 4);
    EXPECT_EQ(code(newer), ErrorCode::kUnknownLeaderEpoch);
    const Answer same = co_await world.ask_at(kLatest, kNewest, 0, 3);
    EXPECT_EQ(code(same), ErrorCode::kNone);
  });
}

}  // namespace
}  // namespace brook::broker

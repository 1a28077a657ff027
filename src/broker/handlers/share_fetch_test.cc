#include "protocol/share_fetch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "broker/handlers/handlers.h"
#include "broker/share/share_partitions.h"
#include "broker/testing/handler_world.h"
#include "broker/testing/memory_dead_letters.h"
#include "broker/testing/memory_share_state.h"
#include "protocol/share_acknowledge.h"
#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using protocol::ShareAcknowledgeRequest;
using protocol::ShareAcknowledgeResponse;
using protocol::ShareFetchRequest;
using protocol::ShareFetchResponse;
using runtime::Shard;
using runtime::testing::run;
using storage::testing::make_batch;
using testing::HandlerWorld;
using testing::MemoryShareState;

constexpr std::int16_t kVersion = 2;
constexpr std::int8_t kAccept = 1;
constexpr std::int8_t kRelease = 2;
constexpr std::int8_t kReject = 3;

/// (partition, first, last, delivery count) of what was acquired.
using Acquired = std::vector<std::tuple<std::int32_t, std::int64_t, std::int64_t, std::int16_t>>;

struct World : HandlerWorld {
  explicit World(Shard& own)
      : HandlerWorld(own),
        state(own),
        metrics_of_shares(shares_registry),
        partitions(own, replicas, view, state, dead_letters, metrics_of_shares),
        shares({{&own, &partitions}}),
        slots(2),
        share_sessions(slots, metrics_of_shares.sessions),
        fetcher(make_share_fetch_handler(view, shares, share_sessions, traffic, own)),
        acknowledger(make_share_acknowledge_handler(view, shares, share_sessions)) {}

  void append(std::int32_t partition, std::size_t records = 1) {
    auto batch =
        make_batch({.timestamps = std::vector<std::int64_t>(records, shard.clock().wall_now().value())});
    const auto found = replicas.find({topic, PartitionIndex(partition)}).value();
    EXPECT_TRUE(found->append(batch, shard.clock().wall_now(), storage::AppendOrigin::kClient).has_value());
  }

  /// As a member whose assignment are `indexes` of "orders"; does not wait.
  ShareFetchRequest request(std::string member, std::int32_t epoch, std::vector<std::int32_t> indexes) const {
    ShareFetchRequest made;
    made.group_id = "workers";
    made.member_id = std::move(member);
    made.share_session_epoch = epoch;
    made.min_bytes = 1;
    made.max_records = 500;
    made.batch_size = 500;
    auto& asked = made.topics.emplace_back();
    asked.topic_id = topic;
    for (const std::int32_t index : indexes) asked.partitions.emplace_back().partition_index = index;
    return made;
  }
  Task<ShareFetchResponse> fetch(ShareFetchRequest made) {
    ShareFetchResponse response = co_await ask<ShareFetchResponse>(*fetcher, std::move(made), kVersion);
    co_return response;
  }
  Task<ShareAcknowledgeResponse> acknowledge(std::string member, std::int32_t epoch, std::int64_t first,
                                             std::int64_t last, std::int8_t type) {
    ShareAcknowledgeRequest made;
    made.group_id = "workers";
    made.member_id = std::move(member);
    made.share_session_epoch = epoch;
    auto& said = made.topics.emplace_back();
    said.topic_id = topic;
    auto& partition = said.partitions.emplace_back();
    partition.acknowledgement_batches.push_back({first, last, {type}});
    ShareAcknowledgeResponse response =
        co_await ask<ShareAcknowledgeResponse>(*acknowledger, std::move(made), kVersion);
    co_return response;
  }
  void configure(cluster::ConfigMap settings) {
    auto configs = std::make_shared<std::map<cluster::ConfigResource, cluster::ConfigMap>>();
    (*configs)[{cluster::ConfigEntity::kGroup, "workers"}] = std::move(settings);
    auto image = std::make_shared<cluster::MetadataImage>(*view.image());
    image->configs = std::move(configs);
    view.swap(std::move(image));
  }
  coordinator::ShareKey key(std::int32_t index) const { return {"workers", topic, PartitionIndex(index)}; }

  MemoryShareState state;
  testing::MemoryDeadLetters dead_letters;
  MetricRegistry shares_registry;
  ShareMetrics metrics_of_shares;
  SharePartitions partitions;
  ShareRouter shares;
  ShareSessionSlots slots;
  ShareSessionCache share_sessions;
  std::unique_ptr<Handler> fetcher;
  std::unique_ptr<Handler> acknowledger;
  TopicId topic;
};

Acquired acquired(const ShareFetchResponse& response) {
  Acquired found;
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partitions) {
      for (const auto& range : partition.acquired_records)
        found.emplace_back(partition.partition_index, range.first_offset, range.last_offset,
                           range.delivery_count);
    }
  }
  return found;
}

ErrorCode code(std::int16_t wire_code) { return static_cast<ErrorCode>(wire_code); }

/// Runs `body` on a world with the topic "orders" of two partitions, which the group "workers" has begun to
/// read.
void with_orders(std::function<Task<void>(World&)> body) {
  run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 2);
    const ShareFetchResponse begun = co_await world.fetch(world.request("alice", 0, {0, 1}));
    EXPECT_EQ(begun.error_code, 0);
    co_await body(world);
    world.partitions.stop();
    co_await world.close();
  });
}

TEST(ShareFetchHandler, HandsOutRecordsWithTheirLock) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    world.append(1, 2);

    const ShareFetchResponse response = co_await world.fetch(world.request("alice", 1, {}));

    EXPECT_EQ(code(response.error_code), ErrorCode::kNone);
    EXPECT_EQ(response.acquisition_lock_timeout_ms, 30000);
    Acquired found = acquired(response);
    std::ranges::sort(found);
    EXPECT_EQ(found, (Acquired{{0, 0, 2, 1}, {1, 0, 1, 1}}));
    for (const auto& partition : response.responses.at(0).partitions)
      EXPECT_GT(partition.records.length(), 0U);
    EXPECT_EQ(world.metrics_of_shares.acquired.value(), 5U);
    EXPECT_EQ(world.metrics_of_shares.held.value(), 5);
  });
}

TEST(ShareFetchHandler, BeginsAtTheEndAndWritesThatDown) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 1);
    world.append(0, 3);

    const ShareFetchResponse response = co_await world.fetch(world.request("alice", 0, {0}));

    EXPECT_EQ(acquired(response), Acquired{});
    EXPECT_EQ(response.responses.size(), 1U);
    EXPECT_EQ(world.state.start_of(world.key(0)), Offset(3));
    co_await world.close();
  });
}

TEST(ShareFetchHandler, GivesWhatOneHoldsToNobodyElse) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    const ShareFetchResponse second = co_await world.fetch(world.request("bob", 0, {0, 1}));

    EXPECT_EQ(acquired(first), (Acquired{{0, 0, 2, 1}}));
    EXPECT_EQ(acquired(second), Acquired{});
  });
}

TEST(ShareFetchHandler, KeepsMaxRecordsOverAllPartitionsInRecordLimitMode) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    world.append(1, 3);
    ShareFetchRequest request = world.request("alice", 1, {});
    request.max_records = 4;
    request.share_acquire_mode = 1;

    const ShareFetchResponse response = co_await world.fetch(request);

    std::int64_t records = 0;
    for (const auto& [partition, first, last, count] : acquired(response)) records += last - first + 1;
    EXPECT_EQ(records, 4);
  });
}

TEST(ShareFetchHandler, TakesAcknowledgementsAlongAndThenFetches) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    ShareFetchRequest request = world.request("alice", 2, {0});
    request.topics[0].partitions[0].acknowledgement_batches = {{0, 1, {kAccept}}, {2, 2, {kRelease}}};

    const ShareFetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(acquired(response), (Acquired{{0, 2, 2, 2}}));
    EXPECT_EQ(response.responses.at(0).partitions.at(0).acknowledge_error_code, 0);
    EXPECT_EQ(world.state.start_of(world.key(0)), Offset(2));
  });
}

TEST(ShareFetchHandler, AnswersAnAcknowledgementWhenItIsDurable) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    world.state.hold = true;
    bool answered = false;
    runtime::Gate gate;
    const auto acknowledge = [](World& to, bool& done) -> Task<void> {
      const ShareAcknowledgeResponse response = co_await to.acknowledge("alice", 2, 0, 2, kAccept);
      EXPECT_EQ(code(response.responses.at(0).partitions.at(0).error_code), ErrorCode::kNone);
      done = true;
    };
    gate.spawn(acknowledge(world, answered));
    co_await world.shard.clock().sleep_until(world.shard.clock().now() + std::chrono::milliseconds(20));
    EXPECT_FALSE(answered);

    world.state.release();
    co_await gate.close();

    EXPECT_TRUE(answered);
    EXPECT_EQ(world.state.start_of(world.key(0)), Offset(3));
  });
}

TEST(ShareFetchHandler, SaysThatAnAcknowledgementCouldNotBeWritten) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    world.state.refusal = ErrorCode::kFencedStateEpoch;
    const ShareAcknowledgeResponse refused = co_await world.acknowledge("alice", 2, 0, 2, kAccept);
    EXPECT_EQ(code(refused.responses.at(0).partitions.at(0).error_code), ErrorCode::kFencedStateEpoch);
    world.state.refusal = ErrorCode::kNone;

    const ShareFetchResponse again = co_await world.fetch(world.request("alice", 3, {}));

    EXPECT_EQ(acquired(again), (Acquired{{0, 0, 2, 1}}));
  });
}

TEST(ShareFetchHandler, RefusesAcknowledgementsOfWhatIsNotTheMembers) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    const ShareFetchResponse second = co_await world.fetch(world.request("bob", 0, {0}));
    EXPECT_EQ(acquired(first).size() + acquired(second).size(), 1U);

    const ShareAcknowledgeResponse bobs = co_await world.acknowledge("bob", 1, 0, 2, kAccept);
    const ShareAcknowledgeResponse strange = co_await world.acknowledge("alice", 2, 0, 2, 9);

    EXPECT_EQ(code(bobs.responses.at(0).partitions.at(0).error_code), ErrorCode::kInvalidRecordState);
    EXPECT_EQ(code(strange.responses.at(0).partitions.at(0).error_code), ErrorCode::kInvalidRequest);
  });
}

TEST(ShareFetchHandler, GivesTheRecordsOfAClosedConnectionToOthers) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    world.fetcher->connection_closed(0);  // that of all requests of this world

    ShareFetchRequest request = world.request("bob", 0, {0});
    request.max_wait_ms = 60'000;
    const ShareFetchResponse second = co_await world.fetch(request);

    EXPECT_EQ(acquired(second), (Acquired{{0, 0, 2, 2}}));
    EXPECT_EQ(world.metrics_of_shares.given_back.value(), 3U);
  });
}

// A member that comes back may come to another shard, whose sessions are its own.
TEST(ShareFetchHandler, LeavesToANewSessionWhatItHoldsWhenTheOldConnectionEnds) {
  with_orders([](World& world) -> Task<void> {
    ShareSessionCache sessions(world.slots, world.metrics_of_shares.sessions);
    const std::unique_ptr<Handler> fetcher =
        make_share_fetch_handler(world.view, world.shares, sessions, world.traffic, world.shard);
    const auto fetch = [&](std::int32_t epoch) {
      ShareFetchRequest request = world.request("alice", epoch, {0});
      if (epoch == 2) request.topics[0].partitions[0].acknowledgement_batches = {{0, 2, {kAccept}}};
      return world.ask<ShareFetchResponse>(*fetcher, std::move(request), kVersion);
    };
    world.connection = 1;
    const ShareFetchResponse begun = co_await fetch(0);
    EXPECT_EQ(code(begun.error_code), ErrorCode::kNone);
    world.append(0, 3);
    const ShareFetchResponse first = co_await fetch(1);
    EXPECT_EQ(acquired(first), (Acquired{{0, 0, 2, 1}}));

    world.fetcher->connection_closed(0);

    ShareFetchRequest request = world.request("bob", 0, {0});
    request.max_wait_ms = 20;
    const ShareFetchResponse bobs = co_await world.fetch(request);
    EXPECT_EQ(acquired(bobs), Acquired{});
    world.append(0, 1);
    const ShareFetchResponse second = co_await fetch(2);
    EXPECT_EQ(code(second.responses.at(0).partitions.at(0).acknowledge_error_code), ErrorCode::kNone);
    EXPECT_EQ(acquired(second), (Acquired{{0, 3, 3, 1}}));
    fetcher->connection_closed(1);
    request = world.request("bob", 1, {});
    request.max_wait_ms = 60'000;
    const ShareFetchResponse last = co_await world.fetch(request);
    EXPECT_EQ(acquired(last), (Acquired{{0, 3, 3, 2}})) << "of her last connection";
  });
}

TEST(ShareFetchHandler, GivesTheRecordsOfAnEndedSessionToOthers) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    const ShareAcknowledgeResponse last = co_await world.acknowledge("alice", -1, 0, 0, kAccept);
    EXPECT_EQ(code(last.error_code), ErrorCode::kNone);

    const ShareFetchResponse second = co_await world.fetch(world.request("bob", 0, {0}));
    const ShareFetchResponse third = co_await world.fetch(world.request("alice", 2, {0}));

    EXPECT_EQ(acquired(second), (Acquired{{0, 1, 2, 2}}));
    EXPECT_EQ(code(third.error_code), ErrorCode::kShareSessionNotFound);
  });
}

TEST(ShareFetchHandler, ForgetsAPartitionOnceNobodyFetchesIt) {
  with_orders([](World& world) -> Task<void> {
    EXPECT_EQ(world.metrics_of_shares.partitions.value(), 2);
    const ShareAcknowledgeResponse last = co_await world.acknowledge("alice", -1, 0, 0, kAccept);
    EXPECT_EQ(code(last.responses.at(0).partitions.at(0).error_code), ErrorCode::kInvalidRecordState);

    EXPECT_EQ(world.metrics_of_shares.partitions.value(), 0);
    EXPECT_EQ(world.metrics_of_shares.sessions.value(), 0);
  });
}

TEST(ShareFetchHandler, WaitsForRecordsAndWakes) {
  with_orders([](World& world) -> Task<void> {
    runtime::Gate gate;
    const auto append_later = [](World& to) -> Task<void> {
      co_await to.shard.clock().sleep_until(to.shard.clock().now() + std::chrono::milliseconds(20));
      to.append(1);
    };
    gate.spawn(append_later(world));
    ShareFetchRequest request = world.request("alice", 1, {});
    request.max_wait_ms = 60'000;

    const ShareFetchResponse response = co_await world.fetch(request);
    co_await gate.close();

    EXPECT_EQ(acquired(response), (Acquired{{1, 0, 0, 1}}));
  });
}

TEST(ShareFetchHandler, WaitsForMinBytesAndTakesNothingUntilThen) {
  with_orders([](World& world) -> Task<void> {
    world.append(0, 3);
    ShareFetchRequest request = world.request("alice", 1, {});
    request.max_wait_ms = 20;
    request.min_bytes = 1 << 20;
    const runtime::Instant before = world.shard.clock().now();

    const ShareFetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(acquired(response), (Acquired{{0, 0, 2, 1}}));
    EXPECT_GE(world.shard.clock().now() - before, std::chrono::milliseconds(20));
  });
}

TEST(ShareFetchHandler, WaitsWhileTheStateIsLoading) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 1);
    world.state.refusal = ErrorCode::kCoordinatorLoadInProgress;
    ShareFetchRequest request = world.request("alice", 0, {0});
    request.max_wait_ms = 20;

    const ShareFetchResponse response = co_await world.fetch(request);

    EXPECT_EQ(code(response.responses.at(0).partitions.at(0).error_code), ErrorCode::kNone);
    EXPECT_EQ(acquired(response), Acquired{});
    co_await world.close();
  });
}

TEST(ShareFetchHandler, RefusesWhatItCannotServe) {
  with_orders([](World& world) -> Task<void> {
    const ShareFetchResponse wrong_epoch = co_await world.fetch(world.request("alice", 7, {}));
    EXPECT_EQ(code(wrong_epoch.error_code), ErrorCode::kInvalidShareSessionEpoch);
    const ShareFetchResponse stranger = co_await world.fetch(world.request("carol", 1, {}));
    EXPECT_EQ(code(stranger.error_code), ErrorCode::kShareSessionNotFound);
    const ShareFetchResponse nobody = co_await world.fetch(world.request("", 0, {0}));
    EXPECT_EQ(code(nobody.error_code), ErrorCode::kInvalidRequest);
    ShareFetchRequest renews = world.request("alice", 1, {});
    renews.is_renew_ack = true;
    const ShareFetchResponse refused = co_await world.fetch(renews);
    EXPECT_EQ(code(refused.error_code), ErrorCode::kInvalidRequest);

    ShareFetchRequest other = world.request("alice", 1, {0});
    other.topics[0].topic_id = Uuid::from_random(world.shard.random().uuid_bytes());
    const ShareFetchResponse unknown = co_await world.fetch(other);
    EXPECT_EQ(code(unknown.responses.at(0).partitions.at(0).error_code), ErrorCode::kUnknownTopicId);
    const ShareFetchResponse missing = co_await world.fetch(world.request("bob", 0, {7}));
    EXPECT_EQ(code(missing.responses.at(0).partitions.at(0).error_code), ErrorCode::kUnknownTopicOrPartition);
    const ShareFetchResponse third = co_await world.fetch(world.request("carol", 0, {0}));
    EXPECT_EQ(code(third.error_code), ErrorCode::kShareSessionLimitReached);
  });
}

TEST(ShareFetchHandler, TakesRecordsBackWhoseLockEnds) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    world.topic = co_await world.create("orders", 1);
    const ShareFetchResponse begun = co_await world.fetch(world.request("alice", 0, {0}));
    EXPECT_EQ(begun.error_code, 0);
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    world.partitions.find(world.key(0)).value()->expire_locks(runtime::Instant::max());

    const ShareFetchResponse second = co_await world.fetch(world.request("bob", 0, {0}));

    EXPECT_EQ(acquired(second), (Acquired{{0, 0, 2, 2}}));
    EXPECT_EQ(world.metrics_of_shares.expired_locks.value(), 3U);
    world.partitions.stop();
    co_await world.close();
  });
}

TEST(ShareFetchHandler, WritesWhatIsRejectedToTheDeadLetterTopicBeforeItIsDoneWith) {
  with_orders([](World& world) -> Task<void> {
    world.configure({{"errors.deadletterqueue.topic.name", "dlq.orders"}});
    world.append(0, 3);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    const ShareAcknowledgeResponse said = co_await world.acknowledge("alice", 2, 0, 1, kReject);
    EXPECT_EQ(code(said.responses.at(0).partitions.at(0).error_code), ErrorCode::kNone);
    const ShareAcknowledgeResponse rest = co_await world.acknowledge("alice", 3, 2, 2, kAccept);
    EXPECT_EQ(code(rest.responses.at(0).partitions.at(0).error_code), ErrorCode::kNone);
    while (world.state.start_of(world.key(0)) != Offset(3))
      co_await world.shard.clock().sleep_until(world.shard.clock().now() + std::chrono::milliseconds(1));

    EXPECT_EQ(world.dead_letters.written.size(), 2U);
    EXPECT_EQ(world.dead_letters.written.at(1).offset, Offset(1));
    EXPECT_EQ(world.dead_letters.written.at(1).value, std::string(10, 'v'));
    EXPECT_EQ(world.metrics_of_shares.dead_letters.value(), 2U);
  });
}

TEST(ShareFetchHandler, KeepsADeadLetterThatCannotBeWritten) {
  with_orders([](World& world) -> Task<void> {
    world.configure({{"errors.deadletterqueue.topic.name", "dlq.orders"}});
    world.dead_letters.refuses = true;
    world.append(0, 1);
    const ShareFetchResponse first = co_await world.fetch(world.request("alice", 1, {}));
    EXPECT_EQ(acquired(first).size(), 1U);
    const ShareAcknowledgeResponse said = co_await world.acknowledge("alice", 2, 0, 0, kReject);
    EXPECT_EQ(code(said.responses.at(0).partitions.at(0).error_code), ErrorCode::kNone);
    while (world.metrics_of_shares.failed_dead_letters.value() == 0)
      co_await world.shard.clock().sleep_until(world.shard.clock().now() + std::chrono::milliseconds(1));
    EXPECT_EQ(world.state.start_of(world.key(0)), Offset(0));
    world.dead_letters.refuses = false;

    while (world.state.start_of(world.key(0)) != Offset(1))
      co_await world.shard.clock().sleep_until(world.shard.clock().now() + std::chrono::milliseconds(1));

    EXPECT_EQ(world.dead_letters.written.size(), 1U);
  });
}

}  // namespace
}  // namespace brook::broker

#include "broker/share/live_share_partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/testing/share_world.h"
#include "record/builder.h"
#include "storage/testing/batches.h"

namespace brook::broker {
namespace {

using runtime::Instant;
using std::chrono::milliseconds;
using std::chrono::seconds;
using storage::AppendOrigin;
using storage::testing::make_batch;
using storage::testing::make_marker;
using testing::durable;
using testing::kAcknowledged;
using testing::kArchived;
using testing::kAvailable;
using testing::kConnection;
using testing::range;
using testing::Ranges;
using testing::say;
using testing::Values;
using testing::values_in;
using testing::values_of;
using testing::with_share_partition;
using World = testing::ShareWorld;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum AcknowledgeType;

// In the background. What they refer to outlives the world's gate.

Task<void> load_into(World& world, std::optional<Result<void>>& outcome) {
  Result<void> result = co_await world.live->load(world.settings);
  outcome.emplace(std::move(result));
}
Task<void> acknowledge_into(World& world, std::string member, Acknowledgement what,
                            std::optional<ErrorCode>& outcome) {
  const ErrorCode code = co_await world.acknowledge(std::move(member), {std::move(what)});
  outcome = code;
}
Task<void> fetch_into(World& world, std::string member, std::int64_t records_max,
                      std::optional<ShareFetched>& outcome) {
  ShareFetched fetched = co_await world.fetch(std::move(member), records_max);
  outcome.emplace(std::move(fetched));
}
Task<void> release_into(World& world, std::string member, bool& ended) {
  co_await world.live->release(std::move(member), kConnection);
  ended = true;
}

TEST(LiveSharePartition, BeginsAtTheEarliestRecordAndWritesThatDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    world.append({"b"});
    EXPECT_TRUE(world.partition->delete_records(Offset(1)).has_value());

    const Result<void> loaded = co_await world.live->load(world.settings);

    EXPECT_TRUE(loaded.has_value());
    EXPECT_THAT(world.state.written, ElementsAre(coordinator::ShareStateUpdate{.state_epoch = 1,
                                                                               .leader_epoch = 3,
                                                                               .start_offset = Offset(1),
                                                                               .delivery_complete_count = 0,
                                                                               .batches = {}}));
    EXPECT_EQ(co_await world.take("alice"), (Values{"b"}));
  });
}

TEST(LiveSharePartition, BeginsAtTheEndAndWritesThatDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.reset.from = ShareOffsetReset::From::kLatest;
    world.append({"a", "b"});

    const Result<void> loaded = co_await world.live->load(world.settings);

    EXPECT_TRUE(loaded.has_value());
    EXPECT_EQ(world.durable_start(), Offset(2));
    EXPECT_EQ(co_await world.take("alice"), Values{});
    world.append({"c"});
    EXPECT_EQ(co_await world.take("alice"), (Values{"c"}));
  });
}

TEST(LiveSharePartition, BeginsAtTheFirstRecordThatIsYoungEnoughAndWritesThatDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.reset = {ShareOffsetReset::From::kDuration, std::chrono::hours(1)};
    const std::int64_t wall = world.shard.clock().wall_now().value();
    constexpr std::int64_t kHour = 3'600'000;
    world.append_batch(make_batch({.timestamps = {wall - 2 * kHour}}));
    world.append_batch(make_batch({.timestamps = {wall - kHour - 60'000}}));
    world.append_batch(make_batch({.timestamps = {wall - kHour + 60'000}}));
    world.append_batch(make_batch({.timestamps = {wall}}));

    const Result<void> loaded = co_await world.live->load(world.settings);

    EXPECT_TRUE(loaded.has_value());
    EXPECT_EQ(world.durable_start(), Offset(2));
    const ShareFetched fetched = co_await world.fetch("alice");
    EXPECT_EQ(fetched.acquired, (Ranges{range(2, 3)}));
  });
}

TEST(LiveSharePartition, BeginsAtTheEndWhereNoRecordIsYoungEnough) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.reset = {ShareOffsetReset::From::kDuration, std::chrono::hours(1)};
    const std::int64_t wall = world.shard.clock().wall_now().value();
    world.append_batch(make_batch({.timestamps = {wall - 7'200'000}}));

    const Result<void> loaded = co_await world.live->load(world.settings);

    EXPECT_TRUE(loaded.has_value());
    EXPECT_EQ(world.durable_start(), Offset(1));
  });
}

TEST(LiveSharePartition, IsLoadedWhenItsBeginningIsWrittenDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.reset.from = ShareOffsetReset::From::kLatest;
    world.append({"a"});
    world.state.hold = true;
    std::optional<Result<void>> loaded;
    world.gate.spawn(load_into(world, loaded));
    co_await world.pass();
    EXPECT_FALSE(loaded.has_value());

    world.append({"b"});
    world.state.release();
    co_await world.pass();

    EXPECT_TRUE(loaded && loaded->has_value());
    EXPECT_EQ(world.durable_start(), Offset(1));
    EXPECT_EQ(co_await world.take("alice"), (Values{"b"})) << "it came after the beginning was chosen";
  });
}

TEST(LiveSharePartition, IsNotLoadedWhereItsBeginningCannotBeWrittenDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.state.hold = true;
    std::optional<Result<void>> loaded;
    world.gate.spawn(load_into(world, loaded));
    world.state.refusal = ErrorCode::kNotCoordinator;
    world.state.release();
    co_await world.pass();

    EXPECT_TRUE(loaded && !loaded->has_value());
    if (loaded && !loaded->has_value()) EXPECT_EQ(loaded->error().code, ErrorCode::kNotCoordinator);
    EXPECT_EQ(world.durable_start(), std::nullopt);
    world.state.refusal = ErrorCode::kNone;
    co_await world.load_anew();
  });
}

TEST(LiveSharePartition, GoesOnWhereTheLastOwnerStood) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b", "c", "d", "e"});
    co_await world.leave(1, {durable(2, 2, kAcknowledged, 0), durable(3, 3, kAvailable, 2)});

    co_await world.load();
    const ShareFetched fetched = co_await world.fetch("alice");

    EXPECT_EQ(fetched.acquired, (Ranges{range(1, 1), range(3, 3, 3), range(4, 4)}));
    EXPECT_EQ(values_of(fetched), (Values{"b", "d", "e"}));
    EXPECT_THAT(world.state.written, IsEmpty());
  });
}

TEST(LiveSharePartition, BeginsWhereTheLogDoesWhereItsBeginningIsGone) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    EXPECT_TRUE(world.partition->delete_records(Offset(2)).has_value());
    co_await world.leave(1);

    co_await world.load();

    EXPECT_EQ(co_await world.take("alice"), (Values{"c"}));
    EXPECT_EQ(co_await world.acknowledge("alice", {say(2, 2, kAccept)}), ErrorCode::kNone);
    EXPECT_EQ(world.durable_start(), Offset(3));
  });
}

TEST(LiveSharePartition, BeginsAtTheLogsEndWhereItsBeginningLiesBeyond) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.leave(7);

    co_await world.load();

    EXPECT_EQ(co_await world.take("alice"), Values{});
    world.append({"b"});
    EXPECT_EQ(co_await world.take("alice"), (Values{"b"}));
    EXPECT_EQ(co_await world.acknowledge("alice", {say(1, 1, kAccept)}), ErrorCode::kNone);
    EXPECT_EQ(world.durable_start(), Offset(2));
  });
}

TEST(LiveSharePartition, RemembersThatTheLogEndedBelowItsBeginning) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.leave(3);
    co_await world.load();
    for (const char* value : {"b", "c", "d", "e"}) world.append({value});

    co_await world.load_anew();

    EXPECT_EQ(co_await world.take("alice"), (Values{"b", "c", "d", "e"}));
  });
}

TEST(LiveSharePartition, ForgetsWhatBecameOfRecordsThatTheLogHasLost) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b"});
    co_await world.leave(0, {durable(1, 3, kAcknowledged, 1), durable(4, 5, kAvailable, 2)});
    co_await world.load();
    world.append({"c", "d", "e", "f"});

    const ShareFetched fetched = co_await world.fetch("alice");
    EXPECT_EQ(fetched.acquired, (Ranges{range(0, 0), range(2, 5)}));
    EXPECT_EQ(values_of(fetched), (Values{"a", "c", "d", "e", "f"})) << "they are other records";
    co_await world.load_anew();

    EXPECT_EQ(co_await world.take("bob"), (Values{"a", "c", "d", "e", "f"}));
  });
}

TEST(LiveSharePartition, HandsOutRecordsAndTakesWhatIsSaidOfThem) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b"});
    world.append({"c", "d", "e"});
    co_await world.load();

    const ShareFetched first = co_await world.fetch("alice");
    EXPECT_EQ(first.acquired, (Ranges{range(0, 4)}));
    EXPECT_EQ(values_of(first), (Values{"a", "b", "c", "d", "e"}));
    EXPECT_EQ(first.charge.bytes(), first.records.size());
    EXPECT_EQ(world.metrics.held.value(), 5);
    const ErrorCode said = co_await world.acknowledge(
        "alice", {say(0, 0, kAccept), {Offset(1), Offset(3), {kRelease, kReject, kGap}}});
    EXPECT_EQ(said, ErrorCode::kNone);

    EXPECT_EQ(world.durable_start(), Offset(1));
    EXPECT_EQ(co_await world.durable_batches(),
              (std::vector{durable(1, 1, kAvailable, 1), durable(2, 3, kArchived, 1)}));
    const ShareFetched second = co_await world.fetch("bob");
    EXPECT_EQ(second.acquired, (Ranges{range(1, 1, 2)})) << "alice has the last still";
    EXPECT_EQ(values_of(second), (Values{"b"}));
    EXPECT_EQ(world.metrics.held.value(), 2);
    EXPECT_EQ(world.metrics.acquired.value(), 6U);
    EXPECT_EQ(world.metrics.accepted.value(), 1U);
    EXPECT_EQ(world.metrics.released.value(), 1U);
    EXPECT_EQ(world.metrics.rejected.value(), 1U);
  });
}

TEST(LiveSharePartition, RefusesWhatIsSaidOfWhatIsNotTheMembers) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));

    EXPECT_EQ(co_await world.acknowledge("bob", {say(0, 0, kAccept)}), ErrorCode::kInvalidRecordState);

    EXPECT_THAT(world.state.written, IsEmpty());
    EXPECT_EQ(world.metrics.accepted.value(), 0U);
  });
}

TEST(LiveSharePartition, ReadsNoMoreThanWasAskedForButOneBatchAtLeast) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    world.bytes_max = 1;

    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    EXPECT_EQ(co_await world.take("alice"), (Values{"b"}));
  });
}

TEST(LiveSharePartition, WritesWhatIsSaidDuringAWriteTogether) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b", "c"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b", "c"}));
    world.state.hold = true;
    std::optional<ErrorCode> first;
    std::optional<ErrorCode> second;
    std::optional<ErrorCode> third;
    world.gate.spawn(acknowledge_into(world, "alice", say(0, 0, kAccept), first));
    world.gate.spawn(acknowledge_into(world, "alice", say(1, 1, kAccept), second));
    world.gate.spawn(acknowledge_into(world, "alice", say(2, 2, kRelease), third));
    co_await world.pass();
    EXPECT_FALSE(first);

    world.state.release_one();
    co_await world.pass();
    EXPECT_EQ(first, ErrorCode::kNone);
    EXPECT_FALSE(second || third) << "what they said is not written yet";
    EXPECT_EQ(world.durable_start(), Offset(1));
    world.state.release_one();
    co_await world.pass();

    EXPECT_EQ(second, ErrorCode::kNone);
    EXPECT_EQ(third, ErrorCode::kNone);
    EXPECT_THAT(world.state.written, SizeIs(2));
    EXPECT_EQ(world.durable_start(), Offset(2));
    EXPECT_EQ(co_await world.durable_batches(), (std::vector{durable(2, 2, kAvailable, 1)}));
  });
}

TEST(LiveSharePartition, TellsAllWhoWaitForAWriteThatItFailed) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b", "c"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b", "c"}));
    world.state.hold = true;
    std::optional<ErrorCode> first;
    std::optional<ErrorCode> second;
    std::optional<ErrorCode> third;
    world.gate.spawn(acknowledge_into(world, "alice", say(0, 0, kAccept), first));
    world.gate.spawn(acknowledge_into(world, "alice", say(1, 1, kAccept), second));
    world.gate.spawn(acknowledge_into(world, "alice", say(2, 2, kAccept), third));
    world.state.release_one();
    co_await world.pass();
    world.state.refusal = ErrorCode::kNotCoordinator;
    world.state.release();
    co_await world.pass();

    EXPECT_EQ(first, ErrorCode::kNone);
    EXPECT_EQ(second, ErrorCode::kNotCoordinator);
    EXPECT_EQ(third, ErrorCode::kNotCoordinator);
    EXPECT_EQ(world.state.refused, 1);
    EXPECT_EQ(world.durable_start(), Offset(1));
    EXPECT_EQ(world.metrics.held.value(), 2) << "they are alice's again";
  });
}

TEST(LiveSharePartition, KeepsItsStateWhereAWriteFailsForAMoment) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.lock_duration = seconds(30);
    world.append({"a", "b"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b"}));
    world.state.refusal = ErrorCode::kCoordinatorLoadInProgress;
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 1, kAccept)}),
              ErrorCode::kCoordinatorLoadInProgress);
    EXPECT_FALSE(world.live->obsolete());
    EXPECT_EQ(world.metrics.failed_writes.value(), 1U);
    EXPECT_EQ(co_await world.take("bob"), Values{}) << "it is as if alice had said nothing";
    world.state.refusal = ErrorCode::kNone;

    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kAccept)}), ErrorCode::kNone);
    EXPECT_EQ(world.durable_start(), Offset(1));
    world.live->expire_locks(world.now() + seconds(30));

    const ShareFetched again = co_await world.fetch("bob");
    EXPECT_EQ(again.acquired, (Ranges{range(1, 1, 2)}));
    EXPECT_EQ(values_of(again), (Values{"b"}));
  });
}

TEST(LiveSharePartition, IsObsoleteWhereItsStateHasAnotherOwner) {
  for (const ErrorCode code : {ErrorCode::kFencedStateEpoch, ErrorCode::kFencedLeaderEpoch,
                               ErrorCode::kUnknownTopicOrPartition, ErrorCode::kInvalidRequest}) {
    with_share_partition([code](World& world) -> Task<void> {
      world.append({"a"});
      co_await world.load();
      EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
      EXPECT_FALSE(world.live->obsolete());
      world.state.refusal = code;

      EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kAccept)}), code);

      EXPECT_TRUE(world.live->obsolete());
      world.state.refusal = ErrorCode::kNone;
      co_await world.load_anew();
      const ShareFetched again = co_await world.fetch("bob");
      EXPECT_EQ(again.acquired, (Ranges{range(0, 0)})) << "as the durable state has it";
    });
  }
}

TEST(LiveSharePartition, WritesThatItsBeginningIsGoneThoughNobodyWaits) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    EXPECT_TRUE(world.partition->delete_records(Offset(2)).has_value());

    EXPECT_EQ(co_await world.take("alice"), (Values{"c"}));
    co_await world.pass();

    EXPECT_EQ(world.durable_start(), Offset(2));
  });
}

TEST(LiveSharePartition, TriesNoWriteForEverThatNobodyWaitsFor) {
  for (const ErrorCode code : {ErrorCode::kFencedStateEpoch, ErrorCode::kNotCoordinator}) {
    with_share_partition([code](World& world) -> Task<void> {
      for (const char* value : {"a", "b", "c"}) world.append({value});
      co_await world.load();
      EXPECT_TRUE(world.partition->delete_records(Offset(1)).has_value());
      world.state.refusal = code;
      world.state.refusals_max = 100;

      EXPECT_EQ(co_await world.take("alice"), (Values{"b", "c"}));
      co_await world.pass();
      EXPECT_EQ(world.state.refused, 1);
      world.state.refusal = ErrorCode::kNone;

      EXPECT_EQ(co_await world.acknowledge("alice", {say(1, 1, kRelease)}), ErrorCode::kNone);
      EXPECT_EQ(world.durable_start(), Offset(1)) << "the next write has it";
    });
  }
}

TEST(LiveSharePartition, HandsOutASuspectRecordInSmallCompanyAndThenAlone) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"0", "1", "2", "3", "4", "5", "6", "7"});
    co_await world.load();
    std::vector<Ranges> deliveries;
    for (int delivery = 1; delivery <= 5; ++delivery) {
      const ShareFetched fetched = co_await world.fetch("alice");
      deliveries.push_back(fetched.acquired);
      co_await world.live->release("alice", kConnection);
    }

    EXPECT_THAT(deliveries, ElementsAre(Ranges{range(0, 7)}, Ranges{range(0, 7, 2)}, Ranges{range(0, 7, 3)},
                                        Ranges{range(0, 3, 4)}, Ranges{range(0, 0, 5)}));
  });
}

TEST(LiveSharePartition, HandsOutNoSuspectRecordInAnAnswerThatHasOthers) {
  for (const bool looks_into_records : {false, true}) {
    with_share_partition([looks_into_records](World& world) -> Task<void> {
      world.settings.limits.record_times = looks_into_records;
      // More than one read of the log takes.
      world.append({std::string(200'000, 'x')});
      world.append({"b", "c"});
      co_await world.leave(0, {durable(1, 2, kAvailable, 4)});
      co_await world.load();

      const ShareFetched first = co_await world.fetch("alice");
      const ShareFetched second = co_await world.fetch("alice");
      const ShareFetched third = co_await world.fetch("alice");

      EXPECT_EQ(first.acquired, (Ranges{range(0, 0)}));
      EXPECT_EQ(second.acquired, (Ranges{range(1, 1, 5)}));
      EXPECT_EQ(third.acquired, (Ranges{range(2, 2, 5)}));
    });
  }
}

TEST(LiveSharePartition, LooksAgainWhereRetentionWasFasterThanARead) {
  with_share_partition([](World& world) -> Task<void> {
    storage::LogConfig config;
    config.segment_bytes = 100;  // a batch in each
    world.partition->log().set_config(config);
    for (const char* value : {"a", "b", "c", "d", "e"}) world.append({value});
    co_await world.reopen();
    config.retention_ms.reset();
    world.partition->log().set_config(config);
    co_await world.load();
    const auto cut_during = [](World& of, std::int64_t start) -> Task<void> {
      co_await of.pass();
      EXPECT_EQ(of.disk.reads_held, 1) << "where the batch is has to be read";
      of.disk.reads_held = 0;
      EXPECT_TRUE(of.partition->delete_records(Offset(start)).has_value());
      const auto removed =
          co_await of.partition->log().apply_retention(of.shard.clock().wall_now(), Offset(5));
      EXPECT_GT(removed.value_or(0), 0U);
      of.disk.release();
    };
    world.disk.hold = true;
    world.gate.spawn(cut_during(world, 2));
    const Result<std::size_t> available = co_await world.live->available_bytes(1, world.settings);
    EXPECT_GT(available.value_or(0), 0U);
    world.disk.hold = true;
    world.gate.spawn(cut_during(world, 3));

    EXPECT_EQ(co_await world.take("alice"), (Values{"d", "e"}));
  });
}

TEST(LiveSharePartition, HandsOutALargeBatchBehindOneThatGivesNothing) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.record_times = true;
    // Each more than one read of the log takes.
    const std::string large(200'000, 'x');
    const std::string tomorrow = std::to_string(world.shard.clock().wall_now().value() + 86'400'000);
    const record::HeaderView header{as_bytes(std::string_view("share.not.before.ms")), as_bytes(tomorrow)};
    record::BatchBuilder delayed({});
    delayed.append(world.shard.clock().wall_now(), std::nullopt, as_bytes(large), {&header, 1});
    world.append_batch(delayed.finish());
    world.append({large});
    co_await world.load();
    world.budget.charge(world.budget.limit());

    const ShareFetched fetched = co_await world.fetch("alice");

    EXPECT_EQ(fetched.acquired, (Ranges{range(1, 1)}));
    EXPECT_EQ(values_of(fetched), (Values{large}));
    world.budget.release(world.budget.limit());
  });
}

TEST(LiveSharePartition, PassesOverMarkers) {
  with_share_partition([](World& world) -> Task<void> {
    world.append_batch(make_batch({.producer_id = 7, .transactional = true}));
    world.append_batch(make_marker(1, 7, 0, true), AppendOrigin::kCoordinator);
    world.append({"c"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"vvvvvvvvvv", "c"}));

    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kAccept)}), ErrorCode::kNone);

    EXPECT_EQ(world.durable_start(), Offset(2));
  });
}

TEST(LiveSharePartition, GivesToOthersWhatAMemberHeldThatIsGone) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a", "b"});
    co_await world.load();
    world.live->join("alice", kConnection);
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b"}));
    world.state.hold = true;
    bool released = false;
    world.gate.spawn(release_into(world, "alice", released));
    EXPECT_EQ(co_await world.take("bob"), Values{}) << "not yet written";
    EXPECT_FALSE(released);
    const auto waiter = std::make_shared<replica::DataWaiter>(world.shard);
    world.live->waiters().add(waiter);

    world.state.release();
    const bool woken = co_await waiter->wait_until(world.now() + seconds(1));
    co_await world.pass();

    EXPECT_TRUE(woken);
    EXPECT_TRUE(released);
    EXPECT_EQ(co_await world.durable_batches(), (std::vector{durable(0, 1, kAvailable, 1)}));
    const ShareFetched fetched = co_await world.fetch("bob");
    EXPECT_EQ(fetched.acquired, (Ranges{range(0, 1, 2)}));
    EXPECT_EQ(values_of(fetched), (Values{"a", "b"}));
    EXPECT_EQ(world.metrics.given_back.value(), 2U);
  });
}

TEST(LiveSharePartition, TakesBackWhatIsHeldForTooLong) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.lock_duration = seconds(30);
    world.append({"a"});
    co_await world.load();
    EXPECT_EQ(world.live->next_lock_end(), std::nullopt);
    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    const Instant end = world.live->next_lock_end().value();
    EXPECT_GT(end, world.now() + seconds(29));
    EXPECT_LE(end, world.now() + seconds(30));
    const auto waiter = std::make_shared<replica::DataWaiter>(world.shard);
    world.live->waiters().add(waiter);

    world.live->expire_locks(end - milliseconds(1));
    EXPECT_FALSE(co_await waiter->wait_until(world.now() + milliseconds(1)));
    EXPECT_EQ(co_await world.take("bob"), Values{});
    world.state.hold = true;
    world.live->expire_locks(end);

    EXPECT_TRUE(co_await waiter->wait_until(world.now() + seconds(1)));
    EXPECT_EQ(world.metrics.expired_locks.value(), 1U);
    EXPECT_EQ(world.metrics.held.value(), 0);
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kAccept)}), ErrorCode::kInvalidRecordState);
    const ShareFetched fetched = co_await world.fetch("bob");
    EXPECT_EQ(fetched.acquired, (Ranges{range(0, 0, 2)})) << "it counts before it is written";
    world.state.release();
    co_await world.pass();
    EXPECT_EQ(co_await world.durable_batches(), (std::vector{durable(0, 0, kAvailable, 1)}));
  });
}

TEST(LiveSharePartition, WakesWhoWaitsWhenADelayEnds) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.backoff = world.settings.limits.backoff_max = seconds(10);
    world.append({"a"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kRelease)}), ErrorCode::kNone);
    EXPECT_EQ(co_await world.take("bob"), Values{});
    world.live->end_delays(world.now());
    const Instant end = world.live->next_delay_end().value();
    EXPECT_LE(end, world.now() + seconds(10));
    const auto waiter = std::make_shared<replica::DataWaiter>(world.shard);
    world.live->waiters().add(waiter);

    co_await world.shard.clock().sleep_until(end);
    world.live->end_delays(world.now());

    EXPECT_TRUE(co_await waiter->wait_until(world.now() + seconds(1)));
    EXPECT_EQ(world.live->next_delay_end(), std::nullopt);
    EXPECT_EQ(co_await world.take("bob"), (Values{"a"}));
  });
}

TEST(LiveSharePartition, WakesWhoWaitsForADelayThatNoLookHasSeen) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.backoff = world.settings.limits.backoff_max = milliseconds(100);
    world.append({"a"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    world.live->end_delays(world.now());
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kRelease)}), ErrorCode::kNone);
    const auto waiter = std::make_shared<replica::DataWaiter>(world.shard);
    world.live->waiters().add(waiter);
    EXPECT_FALSE(co_await waiter->wait_until(world.now() + milliseconds(200)));

    world.live->end_delays(world.now());

    EXPECT_TRUE(co_await waiter->wait_until(world.now() + seconds(1)));
    EXPECT_EQ(co_await world.take("bob"), (Values{"a"}));
  });
}

TEST(LiveSharePartition, ReadsForOneFetchAtATime) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    world.disk.hold = true;
    std::optional<ShareFetched> alices;
    std::optional<ShareFetched> bobs;
    world.gate.spawn(fetch_into(world, "alice", 1, alices));
    world.gate.spawn(fetch_into(world, "bob", 1, bobs));
    co_await world.pass();
    EXPECT_EQ(world.disk.reads_held, 1) << "the second waits for the first";

    world.disk.release();
    co_await world.pass();

    EXPECT_TRUE(alices && bobs);
    if (!alices || !bobs) co_return;
    EXPECT_EQ(values_of(*alices), (Values{"a"}));
    EXPECT_EQ(values_of(*bobs), (Values{"b"}));
    EXPECT_EQ(values_in(bobs->records), (Values{"b"})) << "it has read from where alice's ends";
  });
}

TEST(LiveSharePartition, HandsOutTheFirstBatchWhereThereIsNoMemory) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    world.budget.charge(world.budget.limit());

    const ShareFetched poor = co_await world.fetch("alice");
    EXPECT_EQ(values_of(poor), (Values{"a"}));
    EXPECT_EQ(poor.charge.bytes(), 0U);
    EXPECT_EQ(values_in(poor.records), (Values{"a"})) << "no more bytes than that";
    world.budget.release(world.budget.limit());

    const ShareFetched rich = co_await world.fetch("alice");
    EXPECT_EQ(values_of(rich), (Values{"b", "c"}));
    EXPECT_EQ(world.budget.used(), rich.charge.bytes());
    EXPECT_GE(rich.charge.bytes(), rich.records.size());
  });
}

TEST(LiveSharePartition, HandsOutWhatFitsIntoMemoryOfASecondRead) {
  with_share_partition([](World& world) -> Task<void> {
    // More than one read of the log takes.
    world.append({std::string(100'000, 'x')});
    world.append({std::string(100'000, 'y')});
    co_await world.load();
    world.budget.charge(world.budget.limit() - 150'000);

    const ShareFetched fetched = co_await world.fetch("alice");

    EXPECT_EQ(fetched.acquired, (Ranges{range(0, 0)}));
    EXPECT_LE(world.budget.used(), world.budget.limit());
    world.budget.release(world.budget.limit() - 150'000);
    EXPECT_EQ(co_await world.take("alice"), (Values{std::string(100'000, 'y')}));
  });
}

TEST(LiveSharePartition, HandsOutNoBytesOfAReadThatFailed) {
  with_share_partition([](World& world) -> Task<void> {
    // More than one read of the log takes.
    world.append({std::string(100'000, 'x')});
    world.append({std::string(100'000, 'y')});
    co_await world.load();
    world.disk.good_reads = 1;

    const ShareFetched fetched = co_await world.fetch("alice");
    EXPECT_EQ(fetched.acquired, (Ranges{range(0, 0)}));
    EXPECT_EQ(values_in(fetched.records), (Values{std::string(100'000, 'x')}));
    EXPECT_LT(fetched.records.size(), 101'000U);
    const Result<ShareFetched> next = co_await world.try_fetch("alice");
    EXPECT_TRUE(!next && next.error().code == ErrorCode::kKafkaStorageError);
    world.disk.good_reads = INT_MAX;

    EXPECT_EQ(co_await world.take("alice"), (Values{std::string(100'000, 'y')}));
  });
}

TEST(LiveSharePartition, KnowsAboutHowMuchThereIs) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    world.append({"b"});
    co_await world.load();
    const auto available = [](World& of) { return of.live->available_bytes(1000, of.settings); };

    const Result<std::size_t> before = co_await available(world);
    const ShareFetched fetched = co_await world.fetch("alice");
    const Result<std::size_t> after = co_await available(world);

    EXPECT_EQ(before.value_or(0), fetched.records.size());
    EXPECT_EQ(after.value_or(1), 0U) << "all of it is out";
  });
}

TEST(LiveSharePartition, ReadsNothingMoreOfAPartitionThatIsGone) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.load();
    EXPECT_FALSE(world.live->obsolete());
    static_cast<void>(co_await world.partition->close(storage::CloseMode::kDiscard));

    const Result<ShareFetched> fetched = co_await world.try_fetch("alice");
    const Result<std::size_t> available = co_await world.live->available_bytes(1, world.settings);

    EXPECT_TRUE(world.live->obsolete());
    EXPECT_TRUE(!fetched && fetched.error().code == ErrorCode::kNotLeaderOrFollower);
    EXPECT_TRUE(!available && available.error().code == ErrorCode::kNotLeaderOrFollower);
  });
}

TEST(LiveSharePartition, IsUnusedWhenNobodyHasItAndAllIsWritten) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.load();
    EXPECT_TRUE(world.live->unused());
    {
      const LiveSharePartition::Use use(world.live);
      EXPECT_FALSE(world.live->unused()) << "somebody is about to use it";
    }
    EXPECT_TRUE(world.live->unused());
    world.live->join("alice", kConnection);
    world.live->join("alice", kConnection);
    EXPECT_FALSE(world.live->unused());
    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    world.state.hold = true;
    bool released = false;
    world.gate.spawn(release_into(world, "alice", released));
    EXPECT_FALSE(world.live->unused()) << "what she held is being written";

    world.state.release();
    co_await world.pass();

    EXPECT_TRUE(released);
    EXPECT_TRUE(world.live->unused());
  });
}

}  // namespace
}  // namespace brook::broker

#include "broker/share/share_partition.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace brook::broker {
namespace {

using coordinator::ShareState;
using coordinator::ShareStateBatch;
using coordinator::ShareStateUpdate;
using runtime::Instant;
using std::chrono::seconds;
using Ranges = std::vector<AcquiredRange>;
using enum AcknowledgeType;

constexpr Instant kStart{};
constexpr std::int8_t kAvailable = 0;
constexpr std::int8_t kAcknowledged = 2;
constexpr std::int8_t kArchived = 4;

LogBatch batch(std::int64_t base, std::int64_t last, bool deliverable = true) {
  return {Offset(base), Offset(last), deliverable, {}};
}

AcquiredRange range(std::int64_t first, std::int64_t last, std::int16_t count = 1) {
  return {Offset(first), Offset(last), count};
}

Acknowledgement say(std::int64_t first, std::int64_t last, AcknowledgeType type) {
  return {Offset(first), Offset(last), {type}};
}

ShareStateBatch durable(std::int64_t first, std::int64_t last, std::int8_t state, std::int16_t count) {
  return {Offset(first), Offset(last), state, count};
}

/// A share partition from offset 0 on, over a log of the given batches.
struct World {
  explicit World(std::vector<LogBatch> batches, ShareLimits limits = {}, ShareState state = {})
      : log(std::move(batches)), partition(state, state.start_offset.value_or(Offset(0)), limits, kStart) {}

  Ranges acquire(const std::string& member, std::int64_t records_max,
                 AcquireMode mode = AcquireMode::kBatchOptimized, std::int64_t batch_size = 500) {
    const std::optional<Offset> from = partition.next_fetch_offset(now);
    if (!from) return {};
    std::vector<LogBatch> read;
    for (const LogBatch& one : log) {
      if (one.last >= *from) read.push_back(one);
    }
    return partition
        .acquire({.member = member, .records_max = records_max, .batch_size = batch_size, .mode = mode},
                 *from, read, now)
        .ranges;
  }
  ErrorCode acknowledge(const std::string& member, std::vector<Acknowledgement> what) {
    const Result<bool> done = partition.acknowledge(member, what, now);
    return done ? ErrorCode::kNone : done.error().code;
  }
  ShareStateUpdate write(bool succeeds = true) {
    const auto update = partition.begin_write();
    if (!update) return {};
    partition.end_write(succeeds);
    return *update;
  }

  std::vector<LogBatch> log;
  SharePartition partition;
  Instant now = kStart;
};

TEST(SharePartition, GivesEachRecordToOneMember) {
  World world({batch(0, 4), batch(5, 9)});

  EXPECT_EQ(world.acquire("a", 5), (Ranges{range(0, 4)}));
  EXPECT_EQ(world.acquire("b", 100), (Ranges{range(5, 9)}));
  EXPECT_EQ(world.acquire("c", 100), Ranges{});
}

TEST(SharePartition, TakesWholeBatchesInBatchOptimisedMode) {
  World world({batch(0, 4), batch(5, 9), batch(10, 14)});

  EXPECT_EQ(world.acquire("a", 6), (Ranges{range(0, 9)}));
}

TEST(SharePartition, TakesNoMoreThanAskedForInRecordLimitMode) {
  World world({batch(0, 4), batch(5, 9)});

  EXPECT_EQ(world.acquire("a", 3, AcquireMode::kRecordLimit), (Ranges{range(0, 2)}));
  EXPECT_EQ(world.acquire("a", 3, AcquireMode::kRecordLimit), (Ranges{range(3, 5)}));
}

TEST(SharePartition, CutsTheAnswerIntoRangesOfAboutTheBatchSize) {
  World world({batch(0, 1), batch(2, 3), batch(4, 5), batch(6, 7)});

  EXPECT_EQ(world.acquire("a", 100, AcquireMode::kBatchOptimized, 3), (Ranges{range(0, 3), range(4, 7)}));
}

TEST(SharePartition, HoldsNoMoreRecordsThanTheGroupMay) {
  World world({batch(0, 9), batch(10, 19)}, {.record_locks_max = 12});

  EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 11)}));
  EXPECT_EQ(world.partition.in_flight(), 12);
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), std::nullopt);
}

TEST(SharePartition, WhatComesBackBehindAnAnswersEndIsForAnother) {
  World world({batch(0, 2), batch(3, 5), batch(6, 8)});
  EXPECT_EQ(world.acquire("b", 3), (Ranges{range(0, 2)}));
  EXPECT_EQ(world.acquire("a", 3), (Ranges{range(3, 5)}));
  EXPECT_EQ(world.acknowledge("b", {say(0, 2, kRelease)}), ErrorCode::kNone);
  EXPECT_EQ(world.acknowledge("a", {say(5, 5, kRelease)}), ErrorCode::kNone);
  world.write();

  EXPECT_EQ(world.partition.next_fetch_offset(world.now), Offset(0));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now, Offset(2)), Offset(2));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now, Offset(3)), Offset(5));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now, Offset(6)), Offset(6));
}

TEST(SharePartition, PassesOverControlBatchesAndOffsetsWithoutRecords) {
  World world({batch(0, 1), batch(2, 2, false), batch(6, 7)});

  EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 1), range(6, 7)}));
  EXPECT_EQ(world.acknowledge("a", {say(0, 1, kAccept)}), ErrorCode::kNone);
  world.write();
  EXPECT_EQ(world.partition.start_offset(), Offset(6));
}

TEST(SharePartition, IsTheHoldersUntilTheWriteHasEnded) {
  World world({batch(0, 4)});
  world.acquire("a", 100);
  EXPECT_EQ(world.acknowledge("a", {say(0, 1, kAccept), say(2, 2, kRelease)}), ErrorCode::kNone);

  EXPECT_EQ(world.partition.start_offset(), Offset(0));
  EXPECT_EQ(world.acquire("b", 100), Ranges{});
  EXPECT_EQ(world.acknowledge("a", {say(0, 0, kAccept)}), ErrorCode::kInvalidRecordState);

  const ShareStateUpdate update = world.write();
  EXPECT_EQ(update.start_offset, Offset(2));
  EXPECT_EQ(update.batches, (std::vector{durable(2, 2, kAvailable, 1)}));
  EXPECT_EQ(update.delivery_complete_count, 0);
  EXPECT_EQ(world.partition.start_offset(), Offset(2));
  EXPECT_EQ(world.acquire("b", 100), (Ranges{range(2, 2, 2)}));
}

TEST(SharePartition, TakesBackWhatCouldNotBeWritten) {
  World world({batch(0, 4)});
  world.acquire("a", 100);
  EXPECT_EQ(world.acknowledge("a", {say(0, 4, kAccept)}), ErrorCode::kNone);
  world.write(false);

  EXPECT_EQ(world.partition.start_offset(), Offset(0));
  EXPECT_EQ(world.acknowledge("a", {say(0, 4, kAccept)}), ErrorCode::kNone);
  EXPECT_EQ(world.write().start_offset, Offset(5));
}

TEST(SharePartition, PutsWhatIsDecidedDuringAWriteIntoTheNext) {
  World world({batch(0, 4)});
  world.acquire("a", 100);
  EXPECT_EQ(world.acknowledge("a", {say(0, 1, kAccept)}), ErrorCode::kNone);
  ASSERT_TRUE(world.partition.begin_write().has_value());
  EXPECT_EQ(world.acknowledge("a", {say(2, 2, kAccept)}), ErrorCode::kNone);
  EXPECT_FALSE(world.partition.begin_write().has_value());
  world.partition.end_write(true);

  EXPECT_EQ(world.partition.start_offset(), Offset(2));
  EXPECT_EQ(world.write().start_offset, Offset(3));
  EXPECT_FALSE(world.partition.begin_write().has_value());
}

TEST(SharePartition, TriesToWriteAStartAloneOnce) {
  World world({batch(0, 4), batch(5, 9)});
  world.acquire("a", 5);
  world.partition.advance_start(Offset(2));
  EXPECT_EQ(world.write(false).start_offset, Offset(2));

  EXPECT_FALSE(world.partition.has_unwritten());
  EXPECT_EQ(world.acknowledge("a", {say(3, 3, kRelease)}), ErrorCode::kNone);
  EXPECT_EQ(world.write().start_offset, Offset(2));
  world.partition.advance_start(Offset(3));
  EXPECT_EQ(world.write().start_offset, Offset(3));
}

TEST(SharePartition, WritesWhatLiesBehindARecordThatIsStillOut) {
  World world({batch(0, 4)});
  world.acquire("a", 100);
  EXPECT_EQ(world.acknowledge("a", {say(1, 1, kAccept), say(2, 3, kReject)}), ErrorCode::kNone);

  const ShareStateUpdate update = world.write();

  EXPECT_EQ(update.start_offset, Offset(0));
  EXPECT_EQ(update.delivery_complete_count, 3);
  EXPECT_EQ(update.batches, (std::vector{durable(1, 1, kAcknowledged, 1), durable(2, 3, kArchived, 1)}));
}

TEST(SharePartition, RefusesAllOfAnAcknowledgementOrNothing) {
  World world({batch(0, 4), batch(5, 9)});
  world.acquire("a", 5);
  world.acquire("b", 5);

  EXPECT_EQ(world.acknowledge("a", {say(0, 2, kAccept), say(5, 5, kAccept)}), ErrorCode::kInvalidRecordState);
  EXPECT_EQ(world.acknowledge("a", {say(0, 10, kAccept)}), ErrorCode::kInvalidRequest);
  EXPECT_FALSE(world.partition.begin_write().has_value());
  EXPECT_EQ(world.acknowledge("a", {say(0, 4, kAccept)}), ErrorCode::kNone);
}

TEST(SharePartition, HasATypeForEachOffset) {
  World world({batch(0, 4)});
  world.acquire("a", 100);
  EXPECT_EQ(world.acknowledge("a", {{Offset(0), Offset(4), {kAccept, kGap, kRelease, kReject, kAccept}}}),
            ErrorCode::kNone);

  const ShareStateUpdate update = world.write();

  EXPECT_EQ(update.start_offset, Offset(2));
  EXPECT_EQ(update.batches, (std::vector{durable(2, 2, kAvailable, 1), durable(3, 3, kArchived, 1),
                                         durable(4, 4, kAcknowledged, 1)}));
}

TEST(SharePartition, GivesUpOnARecordThatWasGivenOutTooOften) {
  World world({batch(0, 0)}, {.delivery_count_max = 3});
  for (std::int16_t count = 1; count <= 3; ++count) {
    EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 0, count)}));
    EXPECT_EQ(world.acknowledge("a", {say(0, 0, kRelease)}), ErrorCode::kNone);
    world.write();
  }

  EXPECT_EQ(world.acquire("a", 100), Ranges{});
  EXPECT_EQ(world.partition.start_offset(), Offset(1));
}

TEST(SharePartition, GivesASuspectRecordSmallerCompanyEachTime) {
  World world({batch(0, 7)}, {.delivery_count_max = 5});
  const auto release_all = [&] {
    world.partition.release_all("a", world.now);
    world.write();
  };
  for (std::int16_t count = 1; count <= 3; ++count) {
    EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 7, count)}));
    release_all();
  }

  EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 3, 4)}));
  release_all();
  EXPECT_EQ(world.acquire("a", 100), (Ranges{range(0, 0, 5)}));
  EXPECT_EQ(world.acquire("b", 100), (Ranges{range(1, 1, 5)}));
  EXPECT_EQ(world.acquire("c", 100), (Ranges{range(2, 2, 5)}));
}

TEST(SharePartition, TakesRecordsBackWhenTheirLockEnds) {
  World world({batch(0, 4)}, {.lock_duration = seconds(30)});
  world.acquire("a", 100);
  EXPECT_EQ(world.partition.next_lock_end(), kStart + seconds(30));
  EXPECT_EQ(world.partition.expire_locks(kStart + seconds(29)), 0);
  world.now = kStart + seconds(30);
  EXPECT_EQ(world.partition.expire_locks(world.now), 5);

  EXPECT_EQ(world.acknowledge("a", {say(0, 4, kAccept)}), ErrorCode::kInvalidRecordState);
  EXPECT_EQ(world.write().batches, (std::vector{durable(0, 4, kAvailable, 1)}));
  EXPECT_EQ(world.acquire("b", 100), (Ranges{range(0, 4, 2)}));
}

TEST(SharePartition, DoesNotTakeBackWhatIsBeingWritten) {
  World world({batch(0, 4)}, {.lock_duration = seconds(30)});
  world.acquire("a", 100);
  world.acknowledge("a", {say(0, 4, kAccept)});
  ASSERT_TRUE(world.partition.begin_write().has_value());
  world.now = kStart + seconds(60);
  EXPECT_EQ(world.partition.expire_locks(world.now), 0);
  world.partition.end_write(false);

  EXPECT_EQ(world.partition.expire_locks(world.now), 5);
}

TEST(SharePartition, RenewsLocksWithoutAWrite) {
  World world({batch(0, 4)}, {.lock_duration = seconds(30)});
  world.acquire("a", 100);
  world.now = kStart + seconds(20);
  const Result<bool> renewed = world.partition.acknowledge("a", {{say(1, 4, kRenew)}}, world.now);
  EXPECT_EQ(renewed.value(), false);

  EXPECT_EQ(world.partition.expire_locks(kStart + seconds(30)), 1);
  EXPECT_EQ(world.partition.expire_locks(kStart + seconds(50)), 4);
}

TEST(SharePartition, RenewsNothingWhereTheGroupDoesNotAllowIt) {
  World world({batch(0, 4)}, {.renew_allowed = false});
  world.acquire("a", 100);

  EXPECT_EQ(world.acknowledge("a", {say(0, 4, kRenew)}), ErrorCode::kInvalidRecordState);
}

TEST(SharePartition, ForgetsWhatIsGoneFromTheLog) {
  World world({batch(0, 4), batch(5, 9)});
  world.acquire("a", 100);
  world.partition.advance_start(Offset(7));

  EXPECT_EQ(world.acknowledge("a", {say(0, 6, kAccept)}), ErrorCode::kNone);
  EXPECT_EQ(world.acknowledge("a", {say(5, 8, kAccept)}), ErrorCode::kNone);
  EXPECT_EQ(world.write().start_offset, Offset(9));
}

TEST(SharePartition, GoesOnWhereTheDurableStateEnded) {
  ShareState state;
  state.start_offset = Offset(2);
  state.batches = {durable(3, 4, kAcknowledged, 1), durable(5, 5, kAvailable, 2),
                   durable(8, 8, kArchived, 5)};
  World world({batch(0, 4), batch(5, 12)}, {}, state);

  EXPECT_EQ(world.partition.end_offset(), Offset(9));
  EXPECT_EQ(world.acquire("a", 1, AcquireMode::kRecordLimit), (Ranges{range(2, 2, 1)}));
  EXPECT_EQ(world.acquire("a", 100), (Ranges{range(5, 5, 3), range(6, 7, 1), range(9, 12, 1)}));
}

TEST(SharePartition, WaitsLongerBeforeEachRedeliveryUpToAMost) {
  World world({batch(0, 0)}, {.backoff = seconds(10), .backoff_max = seconds(30)});
  std::vector<std::int64_t> waits;
  for (int delivery = 1; delivery <= 4; ++delivery) {
    EXPECT_EQ(world.acquire("a", 1).size(), 1U);
    EXPECT_EQ(world.acknowledge("a", {say(0, 0, kRelease)}), ErrorCode::kNone);
    world.write();
    const Instant released = world.now;
    while (world.acquire("a", 0).empty() && world.partition.next_fetch_offset(world.now) != Offset(0))
      world.now += seconds(1);
    waits.push_back((world.now - released) / seconds(1));
  }

  EXPECT_EQ(waits, (std::vector<std::int64_t>{10, 20, 30, 30}));
}

TEST(SharePartition, GivesOutWhatLiesBehindADelayedRecord) {
  World world({batch(0, 0), batch(1, 1)}, {.backoff = seconds(10), .backoff_max = seconds(10)});
  EXPECT_EQ(world.acquire("a", 1), (Ranges{range(0, 0)}));
  EXPECT_EQ(world.acknowledge("a", {say(0, 0, kRelease)}), ErrorCode::kNone);
  world.write();

  EXPECT_EQ(world.partition.next_delay_end(world.now), world.now + seconds(10));
  EXPECT_EQ(world.acquire("b", 10), (Ranges{range(1, 1)}));
}

// Else what is durable behind a record that nobody finishes would grow for ever.
TEST(SharePartition, GoesNoFurtherThanSoFarBeyondARecordThatIsNotDoneWith) {
  World world({batch(0, 0)});
  EXPECT_EQ(world.acquire("a", 1), (Ranges{range(0, 0)}));
  std::int64_t end = 1;
  for (int i = 0; i < 100; ++i) {
    world.log = {batch(end, end + 999), batch(end + 1000, end + 1000, false)};
    const Ranges taken = world.acquire("b", 1000);
    if (taken.empty()) break;
    EXPECT_EQ(world.acknowledge("b", {say(taken.front().first.value(), taken.back().last.value(), kAccept)}),
              ErrorCode::kNone);
    world.write();
    end += 1001;
  }

  EXPECT_EQ(world.partition.end_offset(), Offset(32'768));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), std::nullopt);
  EXPECT_EQ(world.acknowledge("a", {say(0, 0, kAccept)}), ErrorCode::kNone);
  world.write();
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), Offset(32'768));
}

TEST(SharePartition, KeepsARejectedRecordUntilItIsInTheDeadLetterTopic) {
  World world({batch(0, 1)}, {.dead_letters = true});
  EXPECT_EQ(world.acquire("a", 2), (Ranges{range(0, 1)}));
  EXPECT_EQ(world.acknowledge("a", {say(0, 0, kReject), say(1, 1, kAccept)}), ErrorCode::kNone);
  EXPECT_EQ(world.write().batches,
            (std::vector<ShareStateBatch>{durable(0, 0, 3, 1), durable(1, 1, kAcknowledged, 1)}));
  EXPECT_EQ(world.partition.start_offset(), Offset(0));
  EXPECT_EQ(world.partition.next_dead_letters(5), (DeadRange{Offset(0), Offset(0), 1, GivenUp::kRejected}));

  world.partition.archive(Offset(0), Offset(0));

  EXPECT_EQ(world.partition.next_dead_letters(5), std::nullopt);
  EXPECT_EQ(world.write().start_offset, Offset(2));
}

TEST(SharePartition, GivesUpOfDamagedRecordsWhatIsNotOutOrDoneWith) {
  World world({batch(0, 9)});
  EXPECT_EQ(world.acquire("a", 2, AcquireMode::kRecordLimit), (Ranges{range(0, 1)}));
  EXPECT_EQ(world.acquire("b", 2, AcquireMode::kRecordLimit), (Ranges{range(2, 3)}));
  EXPECT_EQ(world.acknowledge("a", {say(0, 0, kRelease), say(1, 1, kAccept)}), ErrorCode::kNone);
  world.write();

  EXPECT_EQ(world.partition.give_up_damaged(Offset(0), Offset(7)), 5) << "0, and 4 to 7";

  EXPECT_EQ(world.partition.start_offset(), Offset(2));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), Offset(8));
  EXPECT_EQ(world.write().batches, (std::vector<ShareStateBatch>{durable(4, 7, kArchived, 0)}));
  EXPECT_EQ(world.acknowledge("b", {say(2, 3, kAccept)}), ErrorCode::kNone);
  EXPECT_EQ(world.write().start_offset, Offset(8));
}

TEST(SharePartition, GivesUpNoMoreDamagedRecordsThanMayWaitForTheDeadLetterTopic) {
  World world({}, {.record_locks_max = 3, .dead_letters = true});

  EXPECT_EQ(world.partition.give_up_damaged(Offset(0), Offset(7)), 3);
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), std::nullopt);
  EXPECT_EQ(world.partition.next_dead_letters(5), (DeadRange{Offset(0), Offset(2), 0, GivenUp::kDamaged}));

  world.partition.archive(Offset(0), Offset(2));
  EXPECT_EQ(world.partition.next_fetch_offset(world.now), Offset(3));
}

TEST(SharePartition, WritesADeadLetterAgainWhereItsOwnerDied) {
  ShareState state{.start_offset = Offset(0), .batches = {durable(0, 2, 3, 5), durable(3, 3, 3, 1)}};
  World with({}, {.dead_letters = true}, state);
  World without({}, {}, state);

  EXPECT_EQ(with.partition.next_dead_letters(2),
            (DeadRange{Offset(0), Offset(1), 5, GivenUp::kDeliveryLimit}));
  EXPECT_EQ(without.partition.next_dead_letters(2), std::nullopt);
  EXPECT_EQ(without.partition.start_offset(), Offset(4));
}

}  // namespace
}  // namespace brook::broker

#include "storage/log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "base/metrics.h"
#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/testing/batches.h"
#include "storage/testing/full_disk.h"
#include "storage/testing/logs.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using testing::BatchSpec;
using testing::crash_and_reopen;
using testing::fill;
using testing::make_batch;
using testing::make_marker;
using testing::names_in;
using testing::open_log;
using testing::small_config;

TEST(Log, AnUntouchedOneHasOneFileAndWritesNoMore) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const std::vector<std::string> one_file{"00000000000000000000.log"};
    auto log = co_await open_log(shard, base / "t-0");
    log->assign_epoch_start(LeaderEpoch(0), Offset(0));
    EXPECT_EQ(names_in(shard.files(), base / "t-0"), one_file);

    co_await crash_and_reopen(shard, log, false);
    EXPECT_EQ(log->log_end_offset(), Offset(0));
    EXPECT_TRUE((co_await log->close(CloseMode::kWritten)).has_value());

    EXPECT_EQ(names_in(shard.files(), base / "t-0"), one_file);
    EXPECT_EQ(shard.files().open_files(), 0U);
  });
}

TEST(Log, ClosedForItsCallerToSyncIsWholeAtTheNextStart) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 20);
    const Offset end = log->log_end_offset();
    EXPECT_TRUE((co_await log->close(CloseMode::kWritten)).has_value());
    EXPECT_EQ(log->recovery_point(), end);

    const OpenHints hints{log->recovery_point(), log->log_start_offset(), true};
    log = co_await open_log(shard, base / "t-0", hints);

    EXPECT_EQ(log->log_end_offset(), end);
    EXPECT_TRUE(shard.files().exists(base / "t-0/leader-epoch-checkpoint"));
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch(0));
    auto all = co_await log->read(Offset(0), 1 << 20, end, true);
    EXPECT_EQ(all->size, log->size_in_bytes());
  });
}

TEST(Log, ClosedFilesAreOpenedAgainByUse) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 20);
    EXPECT_GT(shard.files().open_files(), 0U);

    log->release_files();
    EXPECT_EQ(shard.files().open_files(), 0U);

    fill(*log, 1);
    auto all = co_await log->read(Offset(0), 1 << 20, log->log_end_offset(), true);
    EXPECT_EQ(all->size, log->size_in_bytes());
  });
}

TEST(Log, AnswersADuplicateWithTheOriginalsOffsets) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    const std::int64_t now = shard.clock().wall_now().value();
    const auto send = [&](std::int32_t sequence) {
      return log->append_as_leader(make_batch({.base_offset = log->log_end_offset().value(),
                                               .timestamps = {now + sequence, now + sequence},
                                               .producer_id = 9,
                                               .sequence = sequence}),
                                   AppendOrigin::kClient);
    };
    EXPECT_TRUE(send(0).has_value());
    EXPECT_TRUE(send(2).has_value());
    const auto again = send(0);
    EXPECT_TRUE(again.has_value() && again->duplicate);
    EXPECT_EQ(again->first_offset, Offset(0));
    EXPECT_EQ(again->last_offset, Offset(1));
    EXPECT_EQ(again->max_timestamp, Timestamp(now));
    EXPECT_EQ(log->log_end_offset(), Offset(4));
    EXPECT_EQ(send(5).error().code, ErrorCode::kOutOfOrderSequenceNumber);

    // After a restart the snapshot, or the batches, still tell.
    for (const bool clean : {true, false}) {
      co_await crash_and_reopen(shard, log, clean);
      EXPECT_TRUE(send(2)->duplicate);
    }
  });
}

TEST(Log, ServesTheTailWithoutAFile) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 3);
    const auto slice = co_await log->read(Offset(3), 1 << 20, Offset(4), true);
    EXPECT_TRUE(slice.has_value());
    EXPECT_EQ(slice->size, make_batch({.timestamps = {0, 1}}).size());
    EXPECT_EQ(slice->start.segment_base_offset, Offset(0));
    EXPECT_EQ(slice->end.offset, Offset(4));
    const auto at_end = co_await log->read(Offset(6), 1 << 20, Offset(6), true);
    EXPECT_EQ(at_end->size, 0U);
    const auto beyond = co_await log->read(Offset(7), 1 << 20, Offset(6), true);
    EXPECT_EQ(beyond.error().code, ErrorCode::kOffsetOutOfRange);
  });
}

TEST(Log, GivesWholeBatchesToReadersWhoseLimitEndsInOne) {
  constexpr std::uint64_t kBatches = 200;  // the first of them are known to the index alone
  constexpr std::size_t kLimit = 100'000;
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    LogConfig config = small_config();
    config.segment_bytes = 64 << 20;
    auto log = co_await open_log(shard, base / "t-0", {}, config);
    std::uint64_t batch = 0;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(kBatches); ++i) {
      const auto bytes = make_batch({.base_offset = i, .timestamps = {i}, .value_size = 30'000});
      batch = bytes.size();
      EXPECT_TRUE(log->append_as_leader(bytes, AppendOrigin::kClient).has_value());
    }
    // Readers at several places, by turns: each goes on where it ended, whatever the others did.
    std::vector<std::uint64_t> readers{0, 1, 50, 199};
    for (bool any = true; std::exchange(any, false);) {
      for (std::uint64_t& at : readers) {
        if (at >= kBatches) continue;
        any = true;
        const auto slice =
            co_await log->read(Offset(static_cast<std::int64_t>(at)), kLimit, log->log_end_offset(), true);
        EXPECT_TRUE(slice.has_value());
        if (!slice) co_return;
        const std::uint64_t whole = std::min<std::uint64_t>(kLimit / batch, kBatches - at);
        EXPECT_EQ(slice->size, whole * batch) << "from " << at;
        EXPECT_EQ(slice->start.position, at * batch);
        EXPECT_EQ(slice->end.position, (at + whole) * batch);
        EXPECT_EQ(slice->size_before_cut, std::min<std::uint64_t>(kLimit, (kBatches - at) * batch));
        at += whole;
      }
    }
  });
}

TEST(Log, HasKafkasFiles) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 12);
    const Offset rolled = log->segments().back().base_offset;
    EXPECT_GT(rolled, Offset(0));
    EXPECT_TRUE((co_await log->close()).has_value());
    const std::string second = offset_file_path("", rolled, "").substr(1);
    const std::string end = offset_file_path("", log->log_end_offset(), "").substr(1);
    const std::vector<std::string> expected{"00000000000000000000.index",
                                            "00000000000000000000.log",
                                            "00000000000000000000.timeindex",
                                            second + ".index",
                                            second + ".log",
                                            second + ".snapshot",
                                            second + ".timeindex",
                                            end + ".snapshot",
                                            "index-checksums",
                                            "leader-epoch-checkpoint"};
    EXPECT_EQ(names_in(shard.files(), base / "t-0"), expected);
    EXPECT_EQ(*shard.files().read_whole(base / "t-0/leader-epoch-checkpoint"), "0\n1\n0 0\n");
  });
}

TEST(Log, FindsOffsetsByTimestampAsASearchOfAllRecordsWould) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    std::vector<std::int64_t> all;
    std::uint32_t random = 12345;
    const auto draw = [&](std::uint32_t below) {
      return (random = random * 1664525U + 1013904223U) / 65536U % below;
    };
    for (int i = 0; i < 120; ++i) {
      BatchSpec spec{.base_offset = static_cast<std::int64_t>(all.size()), .timestamps = {}};
      if (i % 3 == 0) spec.codec = record::Codec::kLz4;
      for (std::uint32_t n = 1 + draw(4); n > 0; --n)
        spec.timestamps.push_back(static_cast<std::int64_t>(all.size()) + draw(60));
      all.insert(all.end(), spec.timestamps.begin(), spec.timestamps.end());
      EXPECT_TRUE(log->append_as_leader(make_batch(spec), AppendOrigin::kClient).has_value());
    }
    EXPECT_GT(log->segments().size(), 5U);
    for (const bool reopened : {false, true}) {
      if (reopened) co_await crash_and_reopen(shard, log, true);
      for (std::int64_t target = 0; target < static_cast<std::int64_t>(all.size()) + 70; target += 3) {
        const auto found = co_await log->offset_for_timestamp(Timestamp(target));
        const auto expected = std::ranges::find_if(all, [&](std::int64_t t) { return t >= target; });
        if (expected == all.end()) {
          EXPECT_FALSE(found->has_value()) << target;
        } else {
          EXPECT_TRUE(found->has_value()) << target;
          if (found->has_value()) EXPECT_EQ((*found)->offset.value(), expected - all.begin()) << target;
        }
      }
      const auto newest = co_await log->max_timestamp_offset();
      EXPECT_EQ((*newest)->offset.value(), std::ranges::max_element(all) - all.begin());
    }
  });
}

TEST(Log, KeepsAbortedTransactionsAndTheStableOffset) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    const auto add = [&](std::vector<std::byte> batch, AppendOrigin origin) {
      const auto done = log->append_as_leader(batch, origin);
      EXPECT_TRUE(done.has_value());
    };
    add(make_batch({.base_offset = 0, .producer_id = 1, .transactional = true}), AppendOrigin::kClient);
    add(make_batch({.base_offset = 1, .producer_id = 2, .transactional = true}), AppendOrigin::kClient);
    add(make_batch({.base_offset = 2}), AppendOrigin::kClient);
    EXPECT_EQ(log->last_stable_offset(Offset(3)), Offset(0));
    add(make_marker(3, 1, 0, false), AppendOrigin::kCoordinator);
    EXPECT_EQ(log->last_stable_offset(Offset(4)), Offset(1));
    add(make_marker(4, 2, 0, true), AppendOrigin::kCoordinator);
    EXPECT_EQ(log->last_stable_offset(Offset(5)), Offset(5));

    const std::vector<AbortedTransaction> expected{{ProducerId(1), Offset(0), Offset(3), Offset(1)}};
    for (const int round : {0, 1, 2}) {
      if (round > 0) co_await crash_and_reopen(shard, log, round == 1);
      const auto found = co_await log->aborted_transactions(Offset(0), Offset(5));
      EXPECT_EQ(*found, expected) << round;
      EXPECT_TRUE((co_await log->aborted_transactions(Offset(4), Offset(5)))->empty());
    }
    EXPECT_EQ(*shard.files().read_whole(base / "t-0/00000000000000000000.txnindex"),
              std::string("\0\0"
                          "\0\0\0\0\0\0\0\1"
                          "\0\0\0\0\0\0\0\0"
                          "\0\0\0\0\0\0\0\3"
                          "\0\0\0\0\0\0\0\1",
                          34));
    EXPECT_TRUE((co_await log->truncate_to(Offset(3))).has_value());
    EXPECT_TRUE((co_await log->aborted_transactions(Offset(0), Offset(5)))->empty());
    EXPECT_EQ(log->last_stable_offset(Offset(3)), Offset(0));
  });
}

TEST(Log, DeletesByRetentionAndLetsReadersFinish) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    LogConfig config = small_config();
    config.retention_ms.reset();
    config.retention_bytes = 1500;
    config.file_delete_delay_ms = std::chrono::milliseconds(0);
    auto log = co_await open_log(shard, base / "t-0", {}, config);
    fill(*log, 60);
    const auto before = co_await log->read(Offset(0), 500, Offset(120), true);
    const auto deleted = co_await log->apply_retention(Timestamp(0), Offset(120));
    EXPECT_GT(*deleted, 1U);
    EXPECT_EQ(log->log_start_offset(), log->segments().front().base_offset);
    EXPECT_EQ(co_await log->remove_deleted_files(), 0U);
    EXPECT_FALSE(shard.files().exists(base / "t-0/00000000000000000000.log"));
    EXPECT_FALSE(shard.files().exists(base / "t-0/00000000000000000000.log.deleted"));
    EXPECT_EQ((co_await testing::bytes_of(*before)).size(), 500U);
    EXPECT_EQ((co_await log->read(Offset(0), 500, Offset(120), true)).error().code,
              ErrorCode::kOffsetOutOfRange);

    const Offset start = log->log_start_offset() + 20;
    EXPECT_TRUE(log->advance_log_start_offset(start).has_value());
    EXPECT_FALSE(log->advance_log_start_offset(Offset(121)).has_value());
    co_await crash_and_reopen(shard, log, true);
    EXPECT_EQ(log->log_start_offset(), start);
  });
}

TEST(Log, FlushesOnceForManyAndMovesTheRecoveryPoint) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    LogConfig config = small_config();
    config.flush_messages = 4;
    auto log = co_await open_log(shard, base / "t-0", {}, config);
    fill(*log, 1);
    EXPECT_FALSE(log->flush_due());
    fill(*log, 1);
    EXPECT_TRUE(log->flush_due());
    std::vector<Offset> points;
    for (int i = 0; i < 3; ++i) {
      shard.gate().spawn([](Log& shared, std::vector<Offset>& seen) -> Task<void> {
        EXPECT_TRUE((co_await shared.flush()).has_value());
        seen.push_back(shared.recovery_point());
      }(*log, points));
    }
    while (points.size() < 3)
      co_await shard.clock().sleep_until(shard.clock().now() + std::chrono::milliseconds(1));
    EXPECT_EQ(points, (std::vector<Offset>(3, Offset(4))));
    EXPECT_FALSE(log->flush_due());
  });
}

TEST(Log, SharesTheNextSyncAmongAllThatCameDuringOne) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0", {}, small_config());
    MetricRegistry metrics;
    Counter& syncs = metrics.counter("syncs", "", {});
    log->count_syncs(syncs);
    int flushed = 0;
    for (int i = 0; i < 10; ++i) {
      fill(*log, 1);
      shard.gate().spawn([](Log& shared, int& count) -> Task<void> {
        const Offset appended = shared.log_end_offset();
        EXPECT_TRUE((co_await shared.flush()).has_value());
        EXPECT_GE(shared.recovery_point(), appended);
        ++count;
      }(*log, flushed));
    }
    while (flushed < 10)
      co_await shard.clock().sleep_until(shard.clock().now() + std::chrono::milliseconds(1));
    EXPECT_EQ(log->segments().size(), 1U);
    EXPECT_LE(syncs.value(), 2U);  // the first's, and one for the nine that waited for it
  });
}

TEST(Log, AnswersAppendsBehindARollBeforeItsSync) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0", {}, small_config());
    while (log->segments().size() < 3) fill(*log, 1);
    EXPECT_FALSE(log->flush_due());
    EXPECT_TRUE(log->sealed_unflushed());
    EXPECT_TRUE((co_await log->flush_sealed()).has_value());
    EXPECT_EQ(log->recovery_point(), log->segments().back().base_offset);
    EXPECT_LT(log->recovery_point(), log->log_end_offset());
    EXPECT_FALSE(log->sealed_unflushed());
  });
}

TEST(Log, KeepsEpochsThroughRestartAndTruncation) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    for (std::int64_t i = 0; i < 30; ++i) {
      EXPECT_TRUE(
          log->append_as_follower(make_batch({.base_offset = i, .epoch = static_cast<std::int32_t>(i / 10)}))
              .has_value());
    }
    for (const int round : {0, 1, 2}) {
      if (round > 0) co_await crash_and_reopen(shard, log, round == 1);
      EXPECT_EQ(log->end_offset_for_epoch(LeaderEpoch(1)), (EpochEndOffset{LeaderEpoch(1), Offset(20)}));
      EXPECT_EQ(log->end_offset_for_epoch(LeaderEpoch(2)), (EpochEndOffset{LeaderEpoch(2), Offset(30)}));
      EXPECT_EQ(log->end_offset_for_epoch(LeaderEpoch(3)), std::nullopt);
    }
    EXPECT_TRUE((co_await log->truncate_to(Offset(15))).has_value());
    EXPECT_EQ(log->latest_epoch(), LeaderEpoch(1));
    EXPECT_EQ(log->log_end_offset(), Offset(15));
    EXPECT_TRUE((co_await log->truncate_fully_and_start_at(Offset(77))).has_value());
    EXPECT_EQ(log->log_start_offset(), Offset(77));
    EXPECT_EQ(log->latest_epoch(), std::nullopt);
    co_await crash_and_reopen(shard, log, false);
    EXPECT_EQ(log->log_end_offset(), Offset(77));
  });
}

TEST(Log, StaysUsableWhenTheDiskIsFull) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    testing::FullDisk disk(shard.files());
    auto opened = co_await Log::open(disk, shard.clock(), base / "t-0", testing::test_partition(),
                                     small_config(), OpenHints{});
    std::unique_ptr<Log> log = std::move(opened).value();
    const auto send = [&] {
      const std::int64_t next = log->log_end_offset().value();
      return log->append_as_leader(
          make_batch({.base_offset = next, .producer_id = 9, .sequence = static_cast<std::int32_t>(next)}),
          AppendOrigin::kClient);
    };
    // Every amount of space, so that appends, rolls and index writes fail in turn.
    for (std::uint64_t space = 0; space < 400; space += 7) {
      disk.bytes_left = space;
      auto sent = send();
      while (sent) sent = send();
      EXPECT_EQ(sent.error().code, ErrorCode::kKafkaStorageError);
      EXPECT_NE(sent.error().context.find(base / "t-0"), std::string::npos);
      const Offset end = log->log_end_offset();
      if (end > Offset(0)) {
        const auto slice = co_await log->read(end - 1, 1 << 20, end, true);
        EXPECT_TRUE(slice.has_value() && slice->size > 0);
      }
      disk.bytes_left = UINT64_MAX;
      EXPECT_TRUE(send().has_value());
      EXPECT_EQ(log->log_end_offset(), end.next());
    }
    const Offset end = log->log_end_offset();
    std::uint64_t size = log->size_in_bytes();
    co_await crash_and_reopen(shard, log, false);
    EXPECT_EQ(log->log_end_offset(), end);
    EXPECT_EQ(log->size_in_bytes(), size);
  });
}

TEST(Log, RefusesWhatCantBeAppended) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 2);
    EXPECT_EQ(log->append_as_follower(make_batch({.base_offset = 3})).error().code,
              ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(log->append_as_leader(make_batch({.base_offset = 5}), AppendOrigin::kClient).error().code,
              ErrorCode::kOffsetOutOfRange);
    EXPECT_EQ(log->append_as_leader(make_batch({.base_offset = 4, .value_size = 2000}), AppendOrigin::kClient)
                  .error()
                  .code,
              ErrorCode::kRecordListTooLarge);
    auto partial = make_batch({.base_offset = 4});
    const auto more = make_batch({.base_offset = 9});
    partial.insert(partial.end(), more.begin(), more.end() - 1);
    EXPECT_EQ(log->append_as_follower(partial)->last_offset, Offset(4));
    EXPECT_EQ(log->log_end_offset(), Offset(5));
    EXPECT_TRUE((co_await log->close()).has_value());
    EXPECT_EQ(log->append_as_follower(more).error().code, ErrorCode::kKafkaStorageError);
  });
}

}  // namespace
}  // namespace brook::storage

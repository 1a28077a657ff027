// The scrub of a log, and what a read does about what it found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/testing/batches.h"
#include "storage/testing/keyed_batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using testing::CallingPace;
using ::testing::HasSubstr;
using testing::make_batch;

constexpr std::size_t kAll = 1 << 20;

/// Batches of two records; three of them fill a segment: [0, 6), [6, 12), [12, 18), and [18, 24) is active.
struct World {
  static constexpr std::int64_t kEnd = 24;

  explicit World(Shard& own) : shard(own) {}

  Task<void> open() {
    LogConfig config;
    const std::size_t batch = make_batch({.timestamps = {0, 1}}).size();
    config.segment_bytes = static_cast<std::uint32_t>(3 * batch);
    config.index_interval_bytes = 1;
    config.cleanup_delete = false;
    auto opened = co_await Log::open(shard.files(), shard.clock(), directory / "orders-3",
                                     testing::test_partition(), config, {});
    log = std::move(opened).value();
    batch_size = batch;
    while (log->log_end_offset() < Offset(kEnd)) append();
    EXPECT_EQ(log->segments().size(), 4U);
  }

  /// As a start after a clean stop does: nothing is left in memory of what the segments hold.
  Task<void> reopen() {
    EXPECT_TRUE((co_await log->close()).has_value());
    const LogConfig config = log->config();
    log.reset();
    auto opened = co_await Log::open(shard.files(), shard.clock(), directory / "orders-3",
                                     testing::test_partition(), config, {.clean_shutdown = true});
    log = std::move(opened).value();
  }
  /// Another log, of segments of seventeen batches and a MiB: [0, 17), [17, 34), [34, 40).
  Task<void> open_large() {
    LogConfig config;
    config.segment_bytes = 1 << 20;
    auto opened = co_await Log::open(shard.files(), shard.clock(), directory / "large-3",
                                     testing::test_partition(), config, {});
    log = std::move(opened).value();
    for (std::int64_t i = 0; i < 40; ++i) {
      EXPECT_TRUE(
          log->append_as_leader(make_batch({.base_offset = i, .value_size = 60'000}), AppendOrigin::kClient)
              .has_value());
    }
    EXPECT_EQ(log->segments().size(), 3U);
  }

  void append() {
    const std::int64_t next = log->log_end_offset().value();
    EXPECT_TRUE(log->append_as_leader(make_batch({.base_offset = next, .timestamps = {next, next + 1}}),
                                      AppendOrigin::kClient)
                    .has_value());
  }
  /// One bit of the byte at `position` of a segment's file.
  void flip(std::int64_t segment, std::size_t position) {
    const auto file = shard.files()
                          .open(offset_file_path(log->directory(), Offset(segment), kLogSuffix),
                                runtime::OpenMode::kReadWrite)
                          .value();
    std::byte one{};
    EXPECT_TRUE(file->read_at_blocking(position, {&one, 1}).has_value());
    one ^= std::byte{0x40};
    const ByteView part(&one, 1);
    EXPECT_TRUE(file->write_at(position, {&part, 1}).has_value());
  }
  Task<ScrubOutcome> scrub(std::int64_t segment) {
    CallingPace pace([]() -> Task<bool> { co_return true; });
    auto outcome = co_await log->scrub(Offset(segment), pace);
    EXPECT_TRUE(outcome.has_value());
    co_return *outcome;
  }
  Task<Result<LogSlice>> read(std::int64_t from) {
    auto slice = co_await log->read(Offset(from), kAll, log->log_end_offset(), true);
    co_return slice;
  }

  Shard& shard;
  TemporaryDirectory directory;
  std::unique_ptr<Log> log;
  std::size_t batch_size = 0;
};

void with_log(std::function<Task<void>(World&)> body) {
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    co_await world.open();
    co_await body(world);
  });
}

TEST(LogScrub, FindsNothingInASoundLog) {
  with_log([](World& world) -> Task<void> {
    for (const std::int64_t segment : {0, 6, 12}) {
      const ScrubOutcome outcome = co_await world.scrub(segment);
      EXPECT_TRUE(outcome.finished);
      EXPECT_EQ(outcome.new_flaws, 0U);
    }
    EXPECT_TRUE(world.log->corrupt_ranges().empty());
    EXPECT_EQ((co_await world.read(0))->size, world.log->size_in_bytes());
  });
}

TEST(LogScrub, LeavesTheActiveSegmentAndThoseThatAreGone) {
  with_log([](World& world) -> Task<void> {
    EXPECT_FALSE((co_await world.scrub(18)).finished);
    EXPECT_FALSE((co_await world.scrub(7)).finished);
  });
}

TEST(LogScrub, MarksADamagedBatchOnce) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);

    EXPECT_EQ((co_await world.scrub(6)).new_flaws, 1U);
    EXPECT_EQ((co_await world.scrub(6)).new_flaws, 0U);

    EXPECT_EQ(world.log->corrupt_ranges().size(), 1U);
    const CorruptRange& range = world.log->corrupt_ranges().front();
    EXPECT_EQ(range.position, world.batch_size);
    EXPECT_EQ(range.end, 2 * world.batch_size);
    EXPECT_EQ(range.first_offset, Offset(8));
    EXPECT_EQ(range.last_offset, Offset(9));
  });
}

TEST(LogScrub, ReadsStopBeforeADamagedBatch) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);

    const auto before = co_await world.read(0);
    EXPECT_TRUE(before.has_value());
    EXPECT_EQ(before->size, 4 * world.batch_size);
    EXPECT_EQ(before->end.offset, Offset(8));

    const auto one = co_await world.read(7);
    EXPECT_EQ(one->size, world.batch_size);
  });
}

TEST(LogScrub, AReadAtADamagedBatchIsToldSo) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);

    for (const std::int64_t offset : {8, 9}) {
      const auto slice = co_await world.read(offset);
      EXPECT_FALSE(slice.has_value());
      if (slice) co_return;
      EXPECT_EQ(slice.error().code, ErrorCode::kCorruptMessage);
      EXPECT_THAT(slice.error().context, HasSubstr("offset " + std::to_string(offset) + " of orders-3"));
      EXPECT_THAT(slice.error().context,
                  HasSubstr("orders-3/00000000000000000006.log is damaged at position"));
    }
  });
}

TEST(LogScrub, ReadsGoOnBehindADamagedBatch) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);

    const auto behind = co_await world.read(10);

    EXPECT_TRUE(behind.has_value());
    EXPECT_EQ(behind->start.position, 2 * world.batch_size);
    EXPECT_EQ(behind->size, 7 * world.batch_size);
  });
}

// Also where the damage is in what a search for an offset goes by: base offset, length, magic, last delta.
TEST(LogScrub, NeverServesADamagedBatchWhateverItsHeaderSays) {
  for (const std::size_t byte : {0UZ, 5UZ, 7UZ, 8UZ, 10UZ, 11UZ, 16UZ, 17UZ, 20UZ, 21UZ, 23UZ, 26UZ, 60UZ}) {
    with_log([byte](World& world) -> Task<void> {
      const std::size_t from = world.batch_size;
      world.flip(6, from + byte);
      co_await world.reopen();
      EXPECT_EQ((co_await world.scrub(6)).new_flaws, 1U) << "byte " << byte;
      EXPECT_EQ(world.log->corrupt_ranges().front().position, from) << "byte " << byte;

      for (std::int64_t offset = 0; offset < World::kEnd; ++offset) {
        const auto slice = co_await world.read(offset);
        const bool sound = offset < 8 || offset > world.log->corrupt_ranges().front().last_offset.value();
        EXPECT_EQ(slice.has_value(), sound) << "byte " << byte << " offset " << offset;
        if (!slice) continue;
        for (const FileRange& range : slice->ranges) {
          const bool same_file = range.file->path().ends_with("00000000000000000006.log");
          EXPECT_FALSE(same_file && range.offset <= from && range.offset + range.size > from)
              << "byte " << byte << " offset " << offset;
        }
      }
      // Segments behind are never touched by it.
      EXPECT_TRUE((co_await world.read(12)).has_value());
    });
  }
}

TEST(LogScrub, AReadForCommittedRecordsStopsThereToo) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, world.batch_size + 16);
    co_await world.reopen();
    co_await world.scrub(6);

    for (const std::int64_t bound : {8, 9, 10, 12, 20}) {
      const auto slice = co_await world.log->read(Offset(0), kAll, Offset(bound), true);
      EXPECT_TRUE(slice.has_value()) << bound;
      if (slice) EXPECT_EQ(slice->size, 4 * world.batch_size) << bound;
    }
  });
}

TEST(LogScrub, AMarkGoesWhereTheBatchIsSoundAgain) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);
    world.flip(6, 2 * world.batch_size - 1);

    EXPECT_TRUE((co_await world.scrub(6)).finished);

    EXPECT_TRUE(world.log->corrupt_ranges().empty());
    EXPECT_TRUE((co_await world.read(8)).has_value());
  });
}

TEST(LogScrub, AMarkGoesWithItsSegment) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);
    LogConfig config = world.log->config();
    config.cleanup_delete = true;
    world.log->set_config(config);
    EXPECT_TRUE(world.log->advance_log_start_offset(Offset(12)).has_value());

    EXPECT_EQ((co_await world.log->apply_retention(Timestamp(0), Offset(World::kEnd))).value(), 2U);

    EXPECT_TRUE(world.log->corrupt_ranges().empty());
  });
}

TEST(LogScrub, AMarkGoesWithWhatIsTruncated) {
  with_log([](World& world) -> Task<void> {
    world.flip(6, 2 * world.batch_size - 1);
    co_await world.scrub(6);

    EXPECT_TRUE((co_await world.log->truncate_to(Offset(8))).has_value());

    EXPECT_TRUE(world.log->corrupt_ranges().empty());
    world.append();
    EXPECT_EQ((co_await world.read(8))->size, world.batch_size);
  });
}

TEST(LogScrub, EndsWhereTheLogIsCutMeanwhile) {
  with_log([](World& world) -> Task<void> {
    co_await world.open_large();
    world.flip(17, 800'000);
    bool cut = false;
    CallingPace pace([&]() -> Task<bool> {
      if (!std::exchange(cut, true)) EXPECT_TRUE((co_await world.log->truncate_to(Offset(20))).has_value());
      co_return true;
    });

    const auto outcome = co_await world.log->scrub(Offset(17), pace);

    EXPECT_TRUE(outcome.has_value());
    EXPECT_FALSE(outcome->finished);
    EXPECT_TRUE(world.log->corrupt_ranges().empty());
  });
}

TEST(LogScrub, EndsWhenItsPaceDoes) {
  with_log([](World& world) -> Task<void> {
    co_await world.open_large();
    std::size_t pauses = 0;
    CallingPace pace([&]() -> Task<bool> { co_return ++pauses < 3; });

    const auto outcome = co_await world.log->scrub(Offset(0), pace);

    EXPECT_FALSE(outcome->finished);
    EXPECT_EQ(pauses, 3U);
  });
}

}  // namespace
}  // namespace brook::storage

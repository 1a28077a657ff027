// Compaction of a whole log: what it shares with readers, truncation and an end in the middle.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "record/batch.h"
#include "record/record.h"
#include "runtime/testing/forwarding_file_system.h"
#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/testing/batches.h"
#include "storage/testing/keyed_batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

LogConfig compacted_config() {
  LogConfig config;
  config.segment_bytes = 400;
  config.index_interval_bytes = 100;
  config.cleanup_delete = false;
  config.cleanup_compact = true;
  config.file_delete_delay_ms = std::chrono::milliseconds(0);
  return config;
}

Task<std::unique_ptr<Log>> open_log(Shard& shard, std::string directory, OpenHints hints = {},
                                    LogConfig config = compacted_config()) {
  auto opened = co_await Log::open(shard.files(), shard.clock(), std::move(directory),
                                   testing::test_partition(), config, hints);
  EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().context);
  co_return std::move(opened).value();
}

constexpr SipKey kSeed{1, 2};

/// A log that keeps the keys that append() tells it of.
Task<std::unique_ptr<Log>> open_keeping_keys(Shard& shard, std::string directory,
                                             runtime::MemoryBudget& memory) {
  auto log = co_await open_log(shard, std::move(directory));
  log->keep_keys(memory, kSeed);
  co_return log;
}

void append(Log& log, const std::string& key, std::optional<std::string> value, std::int64_t timestamp = 1) {
  record::BatchOptions options;
  options.base_offset = log.log_end_offset();
  const std::vector<testing::KeyedRecord> records{{key, std::move(value)}};
  const auto batch = testing::make_keyed(options, records, Timestamp(timestamp));
  const auto keys = testing::hashes_of(records, kSeed);
  EXPECT_TRUE(log.append_as_leader(batch, AppendOrigin::kClient, 0, keys).has_value());
}

/// Four keys over and over: 20 offsets, five in each of four segments.
void fill(Log& log) {
  for (int i = 0; i < 20; ++i) append(log, "k" + std::to_string(i % 4), "v" + std::to_string(i));
  EXPECT_EQ(log.segments().size(), 4U);
}

void fill_more(Log& log) {
  for (int i = 20; i < 50; ++i) append(log, "k" + std::to_string(i % 7), "v" + std::to_string(i));
}

/// Neighbours may become one.
void allow_large_segments(Log& log) {
  LogConfig config = log.config();
  config.segment_bytes = 4000;
  log.set_config(config);
}

Task<Result<CompactionOutcome>> compact(Log& log, std::function<Task<bool>()> between,
                                        std::size_t map_bytes = 4096) {
  const auto range = co_await log.compaction_range(Timestamp(1000), log.log_end_offset());
  OffsetMap newest(map_bytes, 0.9, kSeed);
  testing::CallingPace pace(std::move(between));
  auto outcome = co_await log.compact(*range, {newest, pace, Timestamp(1000), 4096, 1});
  co_return outcome;
}

Task<bool> go_on() { co_return true; }

Task<std::vector<std::string>> records_of(LogSlice slice) {
  std::vector<std::string> found;
  const auto bytes = co_await testing::bytes_of(std::move(slice));
  record::BatchIterator walk(bytes);
  while (const auto batch = *walk.next()) {
    record::RecordIterator records(batch->records(), batch->record_count());
    while (const auto next = *records.next())
      found.push_back(std::to_string(batch->base_offset().value() + next->offset_delta) + "=" +
                      to_string(*next->value));
  }
  co_return found;
}

Task<std::vector<std::string>> read_all(Log& log) {
  const auto slice = co_await log.read(log.log_start_offset(), 1 << 20, log.log_end_offset(), true);
  EXPECT_TRUE(slice.has_value());
  co_return co_await records_of(*slice);
}

std::vector<std::string> names_in(runtime::FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : files.list(directory).value()) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

TEST(LogCompaction, LeavesEachKeysLastRecordInFewerSegmentsAndTheEndWhereItWas) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    allow_large_segments(*log);

    const auto outcome = co_await compact(*log, go_on);

    EXPECT_TRUE(outcome->finished);
    EXPECT_EQ(log->first_dirty_offset(), Offset(15));
    EXPECT_EQ(log->segments().size(), 2U);
    EXPECT_EQ(outcome->totals.segments_read, 3U);
    EXPECT_EQ(outcome->totals.segments_written, 1U);
    EXPECT_EQ(log->log_end_offset(), Offset(20));
    const auto records = co_await read_all(*log);
    EXPECT_EQ(records, (std::vector<std::string>{"11=v11", "12=v12", "13=v13", "14=v14", "15=v15", "16=v16",
                                                 "17=v17", "18=v18", "19=v19"}));
    // A reader whose offset is gone goes on behind it.
    const auto slice = co_await log->read(Offset(1), 1, Offset(20), true);
    EXPECT_EQ((co_await records_of(*slice)).front(), records.front());
    EXPECT_EQ((co_await compact(*log, go_on))->totals.segments_read, 0U);
  });
}

TEST(LogCompaction, ReadsNoKeysThatItWasToldAndLeavesTheSame) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    fill(*log);
    EXPECT_GT(memory.used(), 0U);
    auto read = co_await open_log(shard, base / "u-0");
    fill(*read);

    EXPECT_EQ((co_await compact(*log, go_on))->totals.keys_kept, 15U);
    EXPECT_EQ((co_await compact(*read, go_on))->totals.keys_kept, 0U);
    EXPECT_EQ(co_await read_all(*log), co_await read_all(*read));

    // What an active segment was told is there the next time, and what was compacted needs no memory.
    fill_more(*log);
    fill_more(*read);
    const auto again = co_await compact(*log, go_on);
    EXPECT_EQ(again->totals.keys_kept, static_cast<std::uint64_t>(*log->first_dirty_offset() - Offset(15)));
    EXPECT_TRUE((co_await compact(*read, go_on))->finished);
    EXPECT_EQ(co_await read_all(*log), co_await read_all(*read));
    log->set_config([&] {
      LogConfig config = log->config();
      config.cleanup_compact = false;
      return config;
    }());
    EXPECT_EQ(memory.used(), 0U);
  });
}

TEST(LogCompaction, ReadsKeysWhereMemoryHadNoRoomOrAnotherHashWasTold) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget full(1 << 20);
    full.charge(1 << 20);
    runtime::MemoryBudget empty(1 << 20);
    auto without_room = co_await open_log(shard, base / "t-0");
    without_room->keep_keys(full, kSeed);
    auto of_another = co_await open_log(shard, base / "u-0");
    of_another->keep_keys(empty, SipKey{3, 4});
    for (Log* log : {without_room.get(), of_another.get()}) {
      fill(*log);
      EXPECT_EQ((co_await compact(*log, go_on))->totals.keys_kept, 0U);
      EXPECT_EQ((co_await read_all(*log)).size(), 9U);
    }
  });
}

TEST(LogCompaction, ReadsKeysOfSegmentsThatTransactionsWroteTo) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    append(*log, "a", "1");
    record::BatchOptions options;
    options.base_offset = Offset(1);
    options.producer_id = ProducerId(7);
    options.producer_epoch = ProducerEpoch(0);
    options.base_sequence = 0;
    options.transactional = true;
    const std::vector<testing::KeyedRecord> records{{"a", "2"}};
    const auto batch = testing::make_keyed(options, records, Timestamp(1));
    const auto keys = testing::hashes_of(records, kSeed);
    EXPECT_TRUE(log->append_as_leader(batch, AppendOrigin::kClient, 0, keys).has_value());
    for (int i = 2; i < 10; ++i) append(*log, "c" + std::to_string(i), "1");
    const auto marker = testing::make_marker(10, 7, 0, false);
    EXPECT_TRUE(log->append_as_leader(marker, AppendOrigin::kCoordinator).has_value());
    append(*log, "d", "1");

    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    const auto left = co_await read_all(*log);
    EXPECT_EQ(left.front(), "0=1") << "what replaced it was aborted";
  });
}

TEST(LogCompaction, KeepsNoKeysOfARepeatedBatchNorTooFewOfOne) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    record::BatchOptions options;
    options.producer_id = ProducerId(7);
    options.producer_epoch = ProducerEpoch(0);
    options.base_sequence = 0;
    const std::vector<testing::KeyedRecord> records{{"a", "1"}, {"b", "1"}};
    auto batch = testing::make_keyed(options, records, Timestamp(1));
    const auto keys = testing::hashes_of(records, kSeed);
    EXPECT_TRUE(log->append_as_leader(batch, AppendOrigin::kClient, 0, keys).has_value());
    append(*log, "c", "1");
    record::set_base_offset(batch, Offset(3));
    EXPECT_TRUE(log->append_as_leader(batch, AppendOrigin::kClient, 0, keys)->duplicate);
    for (int i = 3; i < 8; ++i) append(*log, "c" + std::to_string(i), "1");
    const auto outcome = co_await compact(*log, go_on);
    EXPECT_EQ(outcome->totals.keys_kept, static_cast<std::uint64_t>(outcome->first_dirty.value()));

    auto fewer = co_await open_log(shard, base / "u-0");
    fewer->keep_keys(memory, kSeed);
    record::set_base_offset(batch, Offset(0));
    EXPECT_TRUE(
        fewer->append_as_leader(batch, AppendOrigin::kClient, 0, std::span(keys).first(1)).has_value());
    for (int i = 2; i < 6; ++i) append(*fewer, "c" + std::to_string(i), "1");
    EXPECT_EQ((co_await compact(*fewer, go_on))->totals.keys_kept, 0U);
    EXPECT_EQ((co_await read_all(*fewer)).size(), 6U);
  });
}

TEST(LogCompaction, KnowsTheKeysAgainWhereItEndedEarly) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    for (int i = 0; i < 1000; ++i) append(*log, "k" + std::to_string(i % 4), "v");
    const std::size_t sealed = log->segments().size() - 1;
    std::size_t steps = 0;
    const auto stop = [&]() -> Task<bool> { co_return ++steps < sealed + 2; };  // In pass two.
    EXPECT_FALSE((co_await compact(*log, stop))->finished);
    const auto outcome = co_await compact(*log, go_on);
    EXPECT_EQ(outcome->totals.keys_kept, static_cast<std::uint64_t>(outcome->first_dirty.value()));
  });
}

TEST(LogCompaction, ForgetsTheKeysOfWhatWasCutOff) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    append(*log, "a", "1");
    append(*log, "b", "1");
    append(*log, "a", "2");
    EXPECT_TRUE((co_await log->truncate_to(Offset(2))).has_value());
    EXPECT_EQ(memory.used(), 0U);
    for (int i = 0; i < 8; ++i) append(*log, "c" + std::to_string(i), "1");
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    EXPECT_EQ((co_await read_all(*log)).front(), "0=1");
  });
}

TEST(LogCompaction, EndsWhereItsKeysAreForgottenUnderIt) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    runtime::MemoryBudget memory(1 << 20);
    auto log = co_await open_keeping_keys(shard, base / "t-0", memory);
    for (int i = 0; i < 20'000; ++i) append(*log, "k" + std::to_string(i % 4), "v");
    LogConfig config = log->config();
    config.cleanup_compact = false;
    const auto forget = [&]() -> Task<bool> {
      log->set_config(config);
      co_return true;
    };
    const auto outcome = co_await compact(*log, forget);
    EXPECT_TRUE(outcome.has_value());
    EXPECT_EQ((co_await read_all(*log)).back(), "19999=v");
  });
}

TEST(LogCompaction, MakesOneSegmentOfAsManyAsFitItAfterwards) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    const auto outcome = co_await compact(*log, go_on);
    EXPECT_EQ(outcome->totals.segments_read, 3U);
    EXPECT_EQ(outcome->totals.segments_written, 1U);
    EXPECT_EQ(log->segments().size(), 2U);
    EXPECT_LE(log->segments().front().size, log->config().segment_bytes);

    // Other keys, of which nothing goes: none has room for another.
    for (int i = 20; i < 40; ++i) append(*log, "k" + std::to_string(i), "v" + std::to_string(i));
    const std::size_t before = log->segments().size();
    EXPECT_EQ((co_await compact(*log, go_on))->totals.segments_written, 1U) << "what the old keys have left";
    EXPECT_EQ(log->segments().size(), before - 1);
  });
}

TEST(LogCompaction, EndsWithoutAnErrorWhereSegmentsAreDeletedUnderIt) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    int ended = 0;
    for (int when = 1; when <= 32; ++when) {
      auto log = co_await open_log(shard, base / ("t-" + std::to_string(when)));
      fill(*log);
      for (int i = 0; i < 2; ++i) log->release_idle_files();  // So that each is opened when it is its turn.
      int steps = 0;
      const auto deletes = [&]() -> Task<bool> {
        if (++steps == when) {
          EXPECT_TRUE(log->advance_log_start_offset(Offset(12)).has_value());
          EXPECT_EQ(co_await log->apply_retention(Timestamp(1000), Offset(20)), 2U);
        }
        co_return true;
      };
      const auto outcome = co_await compact(*log, deletes);
      EXPECT_TRUE(outcome.has_value()) << when << ": " << (outcome ? "" : outcome.error().context);
      if (outcome && !outcome->finished) ++ended;
      static_cast<void>(co_await compact(*log, go_on));
      EXPECT_EQ(log->first_dirty_offset(), Offset(15)) << when;
      const auto records = co_await read_all(*log);
      EXPECT_EQ(records.size(), steps < when ? 9U : 8U) << when;
      EXPECT_EQ(records.back(), "19=v19");
    }
    EXPECT_GT(ended, 3);
  });
}

/// Calls `before_removal` when a file is removed.
class RemovalHook final : public runtime::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Task<Result<void>> remove_tree(const std::string& path) override {
    if (before_removal) co_await std::exchange(before_removal, nullptr)();
    co_return co_await real().remove_tree(path);
  }
  std::function<Task<void>()> before_removal;
};

TEST(LogCompaction, EndsWithoutAnErrorWhereASegmentIsDeletedBeforeItIsItsTurn) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    RemovalHook files(shard.files());
    auto opened = co_await Log::open(files, shard.clock(), base / "t-0", testing::test_partition(),
                                     compacted_config(), {});
    const std::unique_ptr<Log> log = std::move(opened).value();
    for (int i = 0; i < 30; ++i) append(*log, "k" + std::to_string(i), "v" + std::to_string(i));
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    for (int i = 30; i < 60; ++i) append(*log, "k" + std::to_string(i), "v" + std::to_string(i));
    for (int i = 0; i < 2; ++i) log->release_idle_files();
    // The first segment loses nothing, so its copy goes; meanwhile it goes itself, and the second with it.
    std::size_t deleted = 0;
    files.before_removal = [&]() -> Task<void> {
      EXPECT_TRUE(log->advance_log_start_offset(Offset(12)).has_value());
      deleted = (co_await log->apply_retention(Timestamp(1000), Offset(60))).value_or(0);
    };

    const auto outcome = co_await compact(*log, go_on);

    EXPECT_EQ(deleted, 2U);
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().context);
    if (outcome) EXPECT_FALSE(outcome->finished);
    EXPECT_EQ((co_await read_all(*log)).size(), 48U);
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
  });
}

TEST(LogCompaction, TakesSeveralPassesWhereNotAllKeysFitItsMemory) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    const Offset active = log->segments().back().base_offset;
    int passes = 0;
    while (log->first_dirty_offset() != active && passes < 20) {
      EXPECT_TRUE((co_await compact(*log, go_on, 0))->finished);
      ++passes;
    }
    EXPECT_GT(passes, 2);
    auto at_once = co_await open_log(shard, base / "u-0");
    fill(*at_once);
    EXPECT_TRUE((co_await compact(*at_once, go_on))->finished);
    EXPECT_EQ(co_await read_all(*log), co_await read_all(*at_once));
  });
}

TEST(LogCompaction, LeavesAReaderTheBytesThatItWasPromised) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    const auto slice = co_await log->read(Offset(0), 1 << 20, Offset(20), true);
    const std::uint64_t generation = log->generation();
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    static_cast<void>(co_await log->remove_deleted_files());
    EXPECT_NE(log->generation(), generation);
    EXPECT_EQ((co_await records_of(*slice)).size(), 20U);
  });
}

TEST(LogCompaction, EndsWhereTheLogIsCutAndBringsNothingBack) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    int steps = 0;
    const std::function<Task<bool>()> cut = [&]() -> Task<bool> {
      if (++steps == 20) EXPECT_TRUE((co_await log->truncate_to(Offset(5))).has_value());
      co_return true;
    };
    const auto outcome = co_await compact(*log, cut);
    EXPECT_GE(steps, 20);
    EXPECT_TRUE(outcome.has_value());
    EXPECT_FALSE(outcome->finished);
    EXPECT_EQ(log->first_dirty_offset(), std::nullopt);
    EXPECT_EQ(log->log_end_offset(), Offset(5));
    EXPECT_EQ((co_await read_all(*log)).size(), 5U);
    for (const std::string& name : names_in(shard.files(), base / "t-0"))
      EXPECT_FALSE(name.ends_with(kCleanedSuffix) || name.ends_with(kSwapSuffix)) << name;
  });
}

TEST(LogCompaction, EndsWhenTheLogIsClosedOrItsPaceSaysSo) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    int steps = 0;
    const std::function<Task<bool>()> stop = [&]() -> Task<bool> { co_return ++steps < 18; };
    EXPECT_FALSE((co_await compact(*log, stop))->finished);
    EXPECT_EQ((co_await read_all(*log)).size(), 20U);

    steps = 0;
    const std::function<Task<bool>()> close = [&]() -> Task<bool> {
      if (++steps == 18) EXPECT_TRUE((co_await log->close()).has_value());
      co_return true;
    };
    EXPECT_FALSE((co_await compact(*log, close))->finished);
    log = co_await open_log(shard, base / "t-0", {log->recovery_point(), Offset(0), true});
    EXPECT_EQ((co_await read_all(*log)).size(), 20U);
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
  });
}

TEST(LogCompaction, FailsOnABadBatchAndTouchesNothing) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    // Read for its keys or not: pass two looks at all of it.
    for (const std::string name : {"read-0", "kept-0"}) {
      runtime::MemoryBudget memory(1 << 20);
      auto log = name == "read-0" ? co_await open_log(shard, base / name)
                                  : co_await open_keeping_keys(shard, base / name, memory);
      fill(*log);
      const auto file =
          shard.files().open(base / (name + "/00000000000000000000.log"), runtime::OpenMode::kReadWrite);
      const std::vector<std::byte> wrong(1, std::byte{0xff});
      const ByteView part(wrong);
      EXPECT_TRUE((*file)->write_at(70, std::span(&part, 1)).has_value());
      const auto outcome = co_await compact(*log, go_on);
      EXPECT_FALSE(outcome.has_value()) << name;
      EXPECT_EQ(outcome.error().code, ErrorCode::kCorruptMessage) << name;
      EXPECT_FALSE(log->compacting());
      EXPECT_EQ(log->segments().size(), 4U) << name;
    }
  });
}

TEST(LogCompaction, IsFinishedAtTheNextStartWhereItsLogWasWhole) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const std::string first = base / "t-0/00000000000000000000";
    runtime::FileSystem& files = shard.files();
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log);
    allow_large_segments(*log);
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    const auto expected = co_await read_all(*log);
    const OpenHints hints{log->recovery_point(), Offset(0), true};
    EXPECT_TRUE((co_await log->close()).has_value());
    log.reset();

    // The log was renamed to its own name, and its indexes were not.
    EXPECT_TRUE(files.rename(first + ".index", first + ".index.swap").has_value());
    EXPECT_TRUE(files.rename(first + ".timeindex", first + ".timeindex.swap").has_value());
    log = co_await open_log(shard, base / "t-0", hints);
    EXPECT_TRUE(files.exists(first + ".index"));
    EXPECT_FALSE(files.exists(first + ".index.swap"));
    EXPECT_EQ(co_await read_all(*log), expected);
    EXPECT_TRUE((co_await log->close()).has_value());
    log.reset();

    // Nothing was: the sources are there still, and the indexes of the new one.
    EXPECT_TRUE(files.rename(first + ".log", first + ".log.swap").has_value());
    EXPECT_TRUE(files.rename(first + ".index", first + ".index.swap").has_value());
    EXPECT_TRUE(files.replace_whole(first + ".log", "source").has_value());
    EXPECT_TRUE(files.replace_whole(base / "t-0/00000000000000000003.log", "source").has_value());
    log = co_await open_log(shard, base / "t-0", hints);
    EXPECT_EQ(log->segments().size(), 2U);
    EXPECT_EQ(co_await read_all(*log), expected);
    EXPECT_TRUE((co_await log->close()).has_value());
    log.reset();

    // The indexes were on their way in when the log was not yet.
    EXPECT_TRUE(files.replace_whole(first + ".log.cleaned", "unfinished").has_value());
    EXPECT_TRUE(files.replace_whole(first + ".index.swap", "unfinished").has_value());
    log = co_await open_log(shard, base / "t-0", hints);
    EXPECT_FALSE(files.exists(first + ".log.cleaned"));
    EXPECT_FALSE(files.exists(first + ".index.swap"));
    EXPECT_EQ(co_await read_all(*log), expected);
  });
}

TEST(LogCompaction, RollsTheActiveSegmentWhenItsRecordsWaitTooLong) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    LogConfig config = compacted_config();
    config.max_compaction_lag_ms = std::chrono::milliseconds(100);
    auto log = co_await open_log(shard, base / "t-0", {}, config);
    append(*log, "a", "1", 1000);
    append(*log, "a", "2", 1000);
    EXPECT_TRUE(log->roll_for_compaction(Timestamp(1100)).has_value());
    EXPECT_EQ(log->segments().size(), 1U);
    EXPECT_TRUE(log->roll_for_compaction(Timestamp(1101)).has_value());
    EXPECT_EQ(log->segments().size(), 2U);
    const auto range = co_await log->compaction_range(Timestamp(1101), Offset(2));
    EXPECT_TRUE(range->wanted(0.9999));
    EXPECT_TRUE(range->overdue);
    EXPECT_TRUE((co_await compact(*log, go_on))->finished);
    EXPECT_EQ(co_await read_all(*log), (std::vector<std::string>{"1=2"}));
  });
}

}  // namespace
}  // namespace brook::storage

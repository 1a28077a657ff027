// Indexes in which bits have flipped, which nothing in their format tells.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/index_checksums.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

constexpr std::int64_t kBatches = 24;

Task<std::unique_ptr<Log>> open_log(Shard& shard, std::string directory,
                                    OpenHints hints = {.clean_shutdown = true}) {
  LogConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 150;
  auto opened = co_await Log::open(shard.files(), shard.clock(), std::move(directory),
                                   testing::test_partition(), config, hints);
  EXPECT_TRUE(opened.has_value()) << opened.error().context;
  co_return std::move(opened).value();
}

TEST(DamagedOffsetIndex, HidesNoRecordWhicheverBitFlips) {
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    for (std::int64_t i = 0; i < kBatches; ++i) {
      const auto batch = testing::make_batch({.base_offset = 2 * i, .timestamps = {i, i}});
      EXPECT_TRUE(log->append_as_leader(batch, AppendOrigin::kClient).has_value());
    }
    EXPECT_GT(log->segments().size(), 1U);
    const std::int64_t sealed_end = log->segments()[1].base_offset.value();
    EXPECT_TRUE((co_await log->close()).has_value());
    const auto batch_bytes = testing::make_batch({.timestamps = {0, 0}}).size();
    const std::string path = offset_file_path(base / "t-0", Offset(0), kOffsetIndexSuffix);
    const std::string whole = shard.files().read_whole(path).value();
    EXPECT_GT(whole.size(), 16U);

    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_TRUE(shard.files().replace_whole_unsynced(path, flipped).has_value());
      log = co_await open_log(shard, base / "t-0");
      for (std::int64_t offset = sealed_end - 1; offset >= 0; --offset) {
        const auto slice = co_await log->read(Offset(offset), 1, Offset(sealed_end), true);
        EXPECT_TRUE(slice.has_value() &&
                    slice->start.position == static_cast<std::uint64_t>(offset / 2) * batch_bytes)
            << "bit " << bit << ", offset " << offset;
      }
      EXPECT_TRUE((co_await log->close(CloseMode::kDiscard)).has_value());
    }
  });
}

std::string with_flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

/// Records whose times do not only grow, and transactions of which two of three are aborted, some over the
/// end of a segment.
Task<void> fill(Log& log, std::int64_t batches) {
  std::int64_t sequence = 0;
  for (std::int64_t i = 0; i < batches; ++i) {
    const std::int64_t at = log.log_end_offset().value();
    const std::int64_t time = 100 + i + (i % 5 == 0 ? 7 : 0);
    const auto batch = testing::make_batch({.base_offset = at,
                                            .timestamps = {time, time - 3},
                                            .producer_id = 7,
                                            .sequence = static_cast<std::int32_t>(sequence),
                                            .transactional = true});
    sequence += 2;
    EXPECT_TRUE(log.append_as_leader(batch, AppendOrigin::kClient).has_value());
    if (i % 3 != 2) continue;
    const auto marker = testing::make_marker(log.log_end_offset().value(), 7, 0, i % 9 == 8);
    EXPECT_TRUE(log.append_as_leader(marker, AppendOrigin::kCoordinator).has_value());
  }
  co_return;
}

/// What a reader is told that asks the indexes.
struct Answers {
  std::vector<std::optional<TimestampOffset>> by_time;
  std::vector<AbortedTransaction> aborted;
  std::vector<std::int64_t> largest;

  friend bool operator==(const Answers&, const Answers&) = default;
};

Task<Answers> ask(Log& log) {
  Answers answers;
  for (std::int64_t time = 90; time < 160; ++time) {
    const auto found = co_await log.offset_for_timestamp(Timestamp(time));
    EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().context);
    answers.by_time.push_back(found.value_or(std::nullopt));
  }
  const auto aborted = co_await log.aborted_transactions(Offset(0), log.log_end_offset());
  EXPECT_TRUE(aborted.has_value()) << (aborted ? "" : aborted.error().context);
  answers.aborted = aborted.value_or(std::vector<AbortedTransaction>{});
  for (const SegmentInfo& segment : log.segments())
    answers.largest.push_back(segment.largest_timestamp.value());
  co_return answers;
}

/// Opens the log with every third bit of each file with this suffix flipped, one after another, and asks it.
Task<void> flip_bits(Shard& shard, std::string directory, std::string_view suffix, OpenHints hints,
                     Answers expected) {
  std::vector<std::string> paths;
  const auto entries = shard.files().list(directory);
  for (const auto& entry : *entries) {
    const auto base = parse_offset_file(entry.name, suffix);
    const bool read_again = !hints.clean_shutdown && base >= hints.recovery_point;
    if (base && entry.size > 0 && !read_again) paths.push_back(directory + "/" + entry.name);
  }
  EXPECT_GT(paths.size(), 1U);
  for (const std::string& path : paths) {
    const std::string whole = shard.files().read_whole(path).value();
    for (std::size_t bit = 0; bit < 8 * whole.size(); bit += 3) {
      EXPECT_TRUE(shard.files().replace_whole_unsynced(path, with_flipped(whole, bit)).has_value());
      const auto log = co_await open_log(shard, directory, hints);
      const Answers answers = co_await ask(*log);
      EXPECT_TRUE(answers == expected) << path << ", bit " << bit;
      EXPECT_TRUE((co_await log->close(CloseMode::kDiscard)).has_value());
    }
    EXPECT_TRUE(shard.files().replace_whole_unsynced(path, whole).has_value());
  }
}

class DamagedIndexes : public ::testing::TestWithParam<std::string_view> {};

TEST_P(DamagedIndexes, AnswerAsBeforeAfterACleanStop) {
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    co_await fill(*log, 2 * kBatches);
    EXPECT_GT(log->segments().size(), 2U);
    const Answers expected = co_await ask(*log);
    EXPECT_GT(expected.aborted.size(), 4U);
    EXPECT_TRUE((co_await log->close()).has_value());
    co_await flip_bits(shard, base / "t-0", GetParam(), {.clean_shutdown = true}, expected);
  });
}

TEST_P(DamagedIndexes, AnswerAsBeforeAfterAKill) {
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    co_await fill(*log, 2 * kBatches);
    EXPECT_TRUE((co_await log->flush_sealed()).has_value());
    const Answers expected = co_await ask(*log);
    const Offset recovery_point = log->recovery_point();
    EXPECT_GT(recovery_point, Offset(0));
    EXPECT_TRUE((co_await log->close(CloseMode::kDiscard)).has_value());
    co_await flip_bits(shard, base / "t-0", GetParam(), {.recovery_point = recovery_point}, expected);
  });
}

TEST_P(DamagedIndexes, AnswerAsBeforeWhereTheLogHasGrownSince) {
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    co_await fill(*log, 5);
    EXPECT_TRUE((co_await log->close()).has_value());
    const std::string path = offset_file_path(base / "t-0", log->segments().back().base_offset, GetParam());
    const std::string whole = shard.files().read_whole(path).value();
    EXPECT_FALSE(whole.empty());
    for (std::size_t bit = 0; bit < 8 * whole.size(); bit += 7) {
      // The same records in the same log, with a flipped bit and without.
      Answers answers[2];
      for (const bool flipped : {false, true}) {
        const TemporaryDirectory copy;
        for (const auto& entry : *shard.files().list(base / "t-0")) {
          const std::string content = shard.files().read_whole(base / ("t-0/" + entry.name)).value();
          const bool hurt = flipped && path.ends_with(entry.name);
          EXPECT_TRUE(
              shard.files()
                  .replace_whole_unsynced(copy / entry.name, hurt ? with_flipped(content, bit) : content)
                  .has_value());
        }
        log = co_await open_log(shard, copy.path());
        const std::int64_t end = log->log_end_offset().value();
        const auto more = testing::make_batch({.base_offset = end, .timestamps = {103, 120}});
        EXPECT_TRUE(log->append_as_leader(more, AppendOrigin::kClient).has_value());
        answers[flipped ? 1 : 0] = co_await ask(*log);
        EXPECT_TRUE((co_await log->close()).has_value());
      }
      EXPECT_TRUE(answers[0] == answers[1]) << "bit " << bit;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, DamagedIndexes, ::testing::Values(kTimeIndexSuffix, kTransactionIndexSuffix),
                         [](const auto& info) { return std::string(info.param.substr(1)); });

TEST(IndexChecksums, NoFlippedBitIsTakenForAnother) {
  const IndexChecksums checksums{{Offset(0), {100, Timestamp(17), {24, 0xdeadbeef}, {0, 0}}},
                                 {Offset(50), {1'000'000, Timestamp(-1), {0, 0}, {34, 7}}}};
  const std::string text = index_checksums_text(checksums);
  EXPECT_EQ(*parse_index_checksums(text, "f"), checksums);
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    const auto parsed = parse_index_checksums(with_flipped(text, bit), "f");
    EXPECT_TRUE(!parsed || *parsed == checksums) << with_flipped(text, bit);
  }
  EXPECT_FALSE(parse_index_checksums("", "f").has_value());
  EXPECT_FALSE(parse_index_checksums(text.substr(0, text.rfind("checksum")), "f").has_value());
}

}  // namespace
}  // namespace brook::storage

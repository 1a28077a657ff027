// What a start makes of a log's files: of damaged and missing ones, torn ends, and what was written down.
#include "storage/log.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "runtime/testing/run.h"
#include "storage/testing/batches.h"
#include "storage/testing/logs.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using testing::crash_and_reopen;
using testing::fill;
using testing::make_batch;
using testing::names_in;
using testing::open_log;
using testing::small_config;

TEST(LogRecovery, RebuildsIndexesThatAreMissingOrGarbage) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 40);
    std::vector<std::string> indexes;
    std::vector<std::string> contents;
    co_await crash_and_reopen(shard, log, true);
    for (const std::string& name : names_in(shard.files(), base / "t-0")) {
      if (name.ends_with(".index") || name.ends_with(".timeindex")) {
        indexes.push_back(base / ("t-0/" + name));
        contents.push_back(*shard.files().read_whole(indexes.back()));
      }
    }
    for (const int damage : {0, 1, 2, 3}) {
      for (const bool clean : {true, false}) {
        EXPECT_TRUE((co_await log->close()).has_value());
        for (const std::string& path : indexes) {
          EXPECT_TRUE(shard.files().remove(path).has_value());
          if (damage == 1) EXPECT_TRUE(shard.files().replace_whole(path, "garbage").has_value());
          if (damage == 2)
            EXPECT_TRUE(shard.files().replace_whole(path, std::string(240, '\xff')).has_value());
          if (damage == 3)
            EXPECT_TRUE(shard.files()
                            .replace_whole(path, std::string(240, '\0'))
                            .has_value());  // as Kafka preallocates
        }
        log = co_await open_log(shard, base / "t-0", {Offset(0), Offset(0), clean});
        for (std::int64_t offset = 0; offset < 80; offset += 7) {
          const auto slice = co_await log->read(Offset(offset), 100, Offset(80), true);
          EXPECT_TRUE(slice.has_value());
          const auto bytes = co_await testing::bytes_of(*slice);
          EXPECT_EQ(load_be<std::int64_t>(bytes.data()), offset / 2 * 2);
          EXPECT_EQ((*co_await log->offset_for_timestamp(Timestamp(offset)))->offset, Offset(offset));
        }
        EXPECT_TRUE((co_await log->close()).has_value());
        for (std::size_t i = 0; i < indexes.size(); ++i) {
          EXPECT_EQ(*shard.files().read_whole(indexes[i]), contents[i])
              << indexes[i] << " damage " << damage << " clean " << clean;
        }
      }
    }
  });
}

/// The checksum of formats 0 and 1, of gzip and Ethernet.
std::uint32_t crc32(ByteView bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

/// A message of format 0 or 1 without a key, as a Kafka before 0.11 wrote it.
std::vector<std::byte> make_old_message(std::int8_t magic, std::int64_t offset) {
  const std::size_t timestamp = magic == 1 ? 8 : 0;
  std::vector<std::byte> message(12 + 14 + timestamp + 3, std::byte{'v'});
  std::byte* const at = message.data();
  store_be(at, offset);
  store_be(at + 8, static_cast<std::int32_t>(message.size() - 12));
  store_be(at + 16, magic);
  store_be(at + 17, std::int8_t{0});
  store_be(at + 18 + timestamp, std::int32_t{-1});
  store_be(at + 22 + timestamp, std::int32_t{3});
  store_be(at + 12, crc32(ByteView(message).subspan(16)));
  return message;
}

TEST(LogRecovery, RefusesMessagesOfOldFormatsAndLeavesThemAlone) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
      const std::string directory = base / fmt::format("t-{}", magic);
      auto log = co_await open_log(shard, directory);
      fill(*log, 1);
      log.reset();
      const std::string path = directory + "/00000000000000000000.log";
      const auto old = make_old_message(magic, 2);
      const std::string content = *shard.files().read_whole(path) + std::string(as_chars(old));
      EXPECT_TRUE(shard.files().replace_whole(path, content).has_value());

      const auto opened = co_await Log::open(shard.files(), shard.clock(), directory,
                                             testing::test_partition(), small_config(), {});

      EXPECT_EQ(opened.error().code, ErrorCode::kKafkaStorageError);
      EXPECT_NE(opened.error().context.find("a message of format 0 or 1"), std::string::npos)
          << opened.error().context;
      EXPECT_EQ(*shard.files().read_whole(path), content);
    }
  });
}

TEST(LogRecovery, CutsABatchThatWasTornBeforeItsMagicAsNoMessageOfAnOldFormat) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 2);
    log.reset();
    const std::string path = base / "t-0/00000000000000000000.log";
    const std::string content = *shard.files().read_whole(path);
    const std::size_t second = content.size() / 2;
    // Of the second batch the disk has the beginning, and zeros in the place of the rest.
    const std::string torn = content.substr(0, second + 14) + std::string(content.size() - second - 14, '\0');
    EXPECT_TRUE(shard.files().replace_whole(path, torn).has_value());

    log = co_await open_log(shard, base / "t-0");

    EXPECT_EQ(log->size_in_bytes(), second);
    EXPECT_EQ(*shard.files().read_whole(path), content.substr(0, second));
  });
}

TEST(LogRecovery, CutsATornOrCorruptTailAtEveryByte) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 5);
    EXPECT_TRUE((co_await log->flush()).has_value());
    const OpenHints hints{log->recovery_point(), Offset(0), false};
    fill(*log, 2);
    log.reset();
    const std::string path = base / "t-0/00000000000000000000.log";
    const std::string whole = *shard.files().read_whole(path);
    const std::size_t batch = whole.size() / 7;
    for (std::size_t size = batch * 5; size <= whole.size(); ++size) {
      EXPECT_TRUE(shard.files().replace_whole(path, whole.substr(0, size)).has_value());
      log = co_await open_log(shard, base / "t-0", hints);
      EXPECT_EQ(log->log_end_offset(), Offset(static_cast<std::int64_t>(size / batch) * 2)) << size;
      fill(*log, 1);
      log.reset();
    }
    for (std::size_t at = batch * 5; at < whole.size(); ++at) {
      if (at % batch >= 12 && at % batch < 16) continue;  // the leader epoch is outside of the CRC
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
      EXPECT_TRUE(shard.files().replace_whole(path, damaged).has_value());
      log = co_await open_log(shard, base / "t-0", hints);
      const auto end = static_cast<std::int64_t>(at / batch) * 2;
      // A larger base offset is not told from a hole.
      if (at % batch >= 8) EXPECT_EQ(log->log_end_offset(), Offset(end)) << at;
      log.reset();
    }
  });
}

/// Flips a bit in the middle of the file.
void damage(runtime::FileSystem& files, const std::string& path, std::size_t at) {
  std::string content = *files.read_whole(path);
  content[at] = static_cast<char>(content[at] ^ 0x10);
  EXPECT_TRUE(files.replace_whole(path, content).has_value());
}

TEST(LogRecovery, ReadsWhatWasWrittenDownAgainOnlyAfterTheMachinesEnd) {
  TemporaryDirectory base;
  LogConfig config;
  config.index_interval_bytes = 150;
  config.segment_ms = std::chrono::years(100);
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0", {}, config);
    fill(*log, 40);
    EXPECT_TRUE(log->append_as_leader(make_batch({.base_offset = 80,
                                                  .timestamps = {shard.clock().wall_now().value()},
                                                  .producer_id = 7}),
                                      AppendOrigin::kClient)
                    .has_value());
    const Offset written_down = log->log_end_offset();
    EXPECT_TRUE(log->write_down().has_value());
    fill(*log, 3);
    const Offset end = log->log_end_offset();
    const std::uint64_t size = log->size_in_bytes();
    EXPECT_EQ(log->recovery_point(), Offset(0));
    log.reset();
    const std::string path = base / "t-0/00000000000000000000.log";
    damage(shard.files(), path, size / 2);

    log = co_await open_log(shard, base / "t-0", {.cache_survived = true}, config);
    EXPECT_EQ(log->log_end_offset(), end);
    EXPECT_EQ(log->size_in_bytes(), size);
    EXPECT_EQ(log->recovery_point(), Offset(0)) << "nothing of it was synced";
    EXPECT_NE(log->producer(ProducerId(7)), nullptr);
    log.reset();
    damage(shard.files(), path, size - 5);
    log = co_await open_log(shard, base / "t-0", {.cache_survived = true}, config);
    EXPECT_GE(log->log_end_offset(), written_down);
    EXPECT_LT(log->log_end_offset(), end) << "the write in the middle of which the process ended";
    log.reset();

    log = co_await open_log(shard, base / "t-0", {}, config);
    EXPECT_LT(log->size_in_bytes(), size / 2 + 200);
  });
}

TEST(LogRecovery, WritesItselfDownEveryFewMegabytes) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0", {}, LogConfig{});
    for (std::int64_t i = 0; i < 9; ++i) {
      EXPECT_TRUE(
          log->append_as_leader(make_batch({.base_offset = i, .value_size = 1 << 20}), AppendOrigin::kClient)
              .has_value());
    }
    std::vector<std::string> snapshots = names_in(shard.files(), base / "t-0");
    std::erase_if(snapshots, [](const std::string& name) { return !name.ends_with(".snapshot"); });
    EXPECT_EQ(snapshots, std::vector<std::string>{"00000000000000000008.snapshot"});
  });
}

TEST(LogRecovery, ASyncOfTheFileSystemMovesTheRecoveryPoint) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    EXPECT_FALSE(log->sync_mark().has_value());
    fill(*log, 5);
    const auto mark = log->sync_mark();
    fill(*log, 5);
    log->file_system_synced(*mark, {});
    EXPECT_EQ(log->recovery_point(), Offset(10));

    const auto cut = log->sync_mark();
    EXPECT_TRUE((co_await log->truncate_to(Offset(14))).has_value());
    fill(*log, 5);
    log->file_system_synced(*cut, {});
    EXPECT_EQ(log->recovery_point(), Offset(10)) << "what was synced is not what is there now";

    log->file_system_synced(*log->sync_mark(), fail(ErrorCode::kKafkaStorageError, "cannot sync"));
    EXPECT_FALSE(log->append_as_leader(make_batch({.base_offset = 24}), AppendOrigin::kClient).has_value());
    EXPECT_FALSE((co_await log->flush()).has_value());
  });
}

TEST(LogRecovery, FinishesAnInterruptedSwapAndClearsLeftovers) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await open_log(shard, base / "t-0");
    fill(*log, 30);
    const Offset second = log->segments()[1].base_offset;
    EXPECT_TRUE((co_await log->close()).has_value());
    log.reset();
    const std::string first = base / "t-0/00000000000000000000.log";
    const auto kept = make_batch({.base_offset = second.value() - 1});
    EXPECT_TRUE(shard.files().replace_whole(first + ".swap", as_chars(kept)).has_value());
    EXPECT_TRUE(shard.files().replace_whole(base / "t-0/00000000000000000009.log.cleaned", "x").has_value());
    EXPECT_TRUE(
        shard.files().replace_whole(base / "t-0/00000000000000000009.index.deleted", "x").has_value());
    log = co_await open_log(shard, base / "t-0", {Offset(60), Offset(0), true});
    const auto slice = co_await log->read(Offset(0), 10, Offset(60), true);
    EXPECT_EQ(slice->size, kept.size());
    EXPECT_EQ(log->log_end_offset(), Offset(60));
    EXPECT_FALSE(shard.files().exists(base / "t-0/00000000000000000009.log.cleaned"));
    EXPECT_FALSE(shard.files().exists(base / "t-0/00000000000000000009.index.deleted"));
  });
}

}  // namespace
}  // namespace brook::storage

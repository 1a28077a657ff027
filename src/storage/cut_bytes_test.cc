// What recovery cuts off is not lost.
#include "storage/cut_bytes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "runtime/testing/simulated_machine.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::SimulatedMachine;

const std::string kDirectory = "/data/orders-3";
const std::string kFirst = kDirectory + "/00000000000000000000.log";
constexpr std::size_t kBatches = 9;

/// A machine with a log of nine batches in segments of three, none of it known to be on the disk.
struct CutMachine : SimulatedMachine {
  CutMachine() : SimulatedMachine(1) {
    run([this](Shard& shard) -> Task<void> {
      const auto log = co_await open(shard);
      for (std::size_t i = 0; i < kBatches; ++i) {
        const auto next = testing::make_batch({.base_offset = static_cast<std::int64_t>(i)});
        EXPECT_TRUE(log->append_as_leader(next, AppendOrigin::kClient).has_value());
      }
    });
  }
  Task<std::unique_ptr<Log>> open(Shard& shard) {
    LogConfig config;
    config.segment_bytes = static_cast<std::uint32_t>(3 * batch);
    auto log =
        co_await Log::open(shard.files(), shard.clock(), kDirectory, testing::test_partition(), config, {});
    EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().context);
    co_return *std::move(log);
  }
  /// Writes the file anew, as `change` leaves it, and lets recovery look at it; returns where the log ends.
  Offset recover_changed(const std::string& path, std::function<void(std::string&)> change) {
    Offset end;
    run([&](Shard& shard) -> Task<void> {
      std::string text = *shard.files().read_whole(path);
      change(text);
      EXPECT_TRUE(shard.files().replace_whole_unsynced(path, text).has_value());
      const auto log = co_await open(shard);
      end = log->log_end_offset();
    });
    return end;
  }
  [[nodiscard]] std::size_t cut_files() const {
    std::size_t found = 0;
    for (const auto& [name, node] : disk.find(kDirectory)->entries) found += name.ends_with(".cut") ? 1 : 0;
    return found;
  }

  std::size_t batch = testing::make_batch({}).size();
};

void flip(std::string& text, std::size_t at) { text.at(at) = static_cast<char>(text.at(at) ^ 1); }

TEST(CutBytes, AreKeptFromTheFirstBadBatchOnWithTheSegmentsBehindIt) {
  CutMachine machine;
  const std::string second = machine.content(kDirectory + "/00000000000000000003.log");
  const std::string third = machine.content(kDirectory + "/00000000000000000006.log");
  std::string cut;
  const Offset end = machine.recover_changed(kFirst, [&](std::string& text) {
    flip(text, 2 * machine.batch - 1);
    cut = text.substr(machine.batch);
  });
  EXPECT_EQ(end, Offset(1));
  EXPECT_EQ(
      machine.content(kDirectory + "/00000000000000000000." + std::to_string(machine.batch) + ".log.cut"),
      cut);
  EXPECT_EQ(machine.content(kDirectory + "/00000000000000000003.0.log.cut"), second);
  EXPECT_EQ(machine.content(kDirectory + "/00000000000000000006.0.log.cut"), third);
  EXPECT_EQ(machine.cut_files(), 3U);
}

TEST(CutBytes, ThatACrashCutOffWithinABatchAreOfNoUse) {
  CutMachine machine;
  const std::string last = kDirectory + "/00000000000000000006.log";
  const Offset end = machine.recover_changed(last, [](std::string& text) { text.resize(text.size() - 7); });
  EXPECT_EQ(end, Offset(8));
  EXPECT_EQ(machine.cut_files(), 0U);
}

TEST(CutBytes, AreKeptBehindALengthThatIsWrong) {
  CutMachine machine;
  const std::string last = kDirectory + "/00000000000000000006.log";
  std::string cut;
  const Offset end = machine.recover_changed(last, [&](std::string& text) {
    flip(text, machine.batch + 10);  // 256 bytes more, which are not there
    cut = text.substr(machine.batch);
  });
  EXPECT_EQ(end, Offset(7));
  EXPECT_EQ(
      machine.content(kDirectory + "/00000000000000000006." + std::to_string(machine.batch) + ".log.cut"),
      cut);
}

TEST(CutBytes, AreKeptWithoutTheZerosBehindThem) {
  CutMachine machine;
  const std::string last = kDirectory + "/00000000000000000006.log";
  EXPECT_EQ(machine.recover_changed(last, [](std::string& text) { text.append(100000, '\0'); }), Offset(9));
  EXPECT_EQ(machine.cut_files(), 0U);

  std::string cut;
  const Offset end = machine.recover_changed(last, [&](std::string& text) {
    flip(text, 3 * machine.batch - 1);
    cut = text.substr(2 * machine.batch);
    text.append(1000000, '\0');
  });
  EXPECT_EQ(end, Offset(8));
  const std::string kept =
      machine.content(kDirectory + "/00000000000000000006." + std::to_string(2 * machine.batch) + ".log.cut");
  EXPECT_EQ(kept.substr(0, cut.size()), cut);
  EXPECT_LE(kept.size(), 4096U);
}

TEST(CutBytes, AreKeptSoOftenAndThenNoMore) {
  CutMachine machine;
  for (std::size_t i = 0; i < kCutFilesMax + 3; ++i) {
    machine.run([&](Shard& shard) -> Task<void> {
      const auto log = co_await machine.open(shard);
      const auto batch = testing::make_batch({.base_offset = log->log_end_offset().value()});
      EXPECT_TRUE(log->append_as_leader(batch, AppendOrigin::kClient).has_value());
    });
    const Offset end = machine.recover_changed(kDirectory + "/00000000000000000009.log",
                                               [](std::string& text) { flip(text, text.size() - 1); });
    EXPECT_EQ(end, Offset(9));
    EXPECT_EQ(machine.cut_files(), std::min(i + 1, kCutFilesMax));
  }
}

TEST(CutBytes, GoWhereTheDiskIsFull) {
  CutMachine machine;
  machine.run([&](Shard& shard) -> Task<void> {
    const std::string path = kDirectory + "/00000000000000000006.log";
    std::string text = *shard.files().read_whole(path);
    flip(text, 2 * machine.batch - 1);
    EXPECT_TRUE(shard.files().replace_whole_unsynced(path, text).has_value());
    machine.disk.set_capacity(machine.disk.used());
    const auto log = co_await machine.open(shard);
    EXPECT_EQ(log->log_end_offset(), Offset(7));
  });
  EXPECT_EQ(machine.cut_files(), 0U);
}

}  // namespace
}  // namespace brook::storage

// What the simulation of tests/sim has found, each as small as it goes.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "record/batch.h"
#include "runtime/testing/simulated_machine.h"
#include "storage/log.h"
#include "storage/log_directory.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::SimulatedMachine;

constexpr std::uint64_t kSeeds = 30;  // Of what a power cut may leave each leaves another part.

Task<std::unique_ptr<Log>> open_log(Shard& shard) {
  auto directory = LogDirectory::open(shard.files(), "/data");
  EXPECT_TRUE(directory.has_value());
  auto log =
      co_await Log::open(shard.files(), shard.clock(), "/data/orders-3", testing::test_partition(), {}, {});
  EXPECT_TRUE(log.has_value()) << (log ? "" : log.error().context);
  co_return *std::move(log);
}

Result<AppendInfo> append(Log& log, testing::BatchSpec spec) {
  spec.base_offset = log.log_end_offset().value();
  return log.append_as_leader(testing::make_batch(spec), AppendOrigin::kClient);
}

Result<AppendInfo> append_abort(Log& log, std::int64_t producer) {
  return log.append_as_leader(testing::make_marker(log.log_end_offset().value(), producer, 0, false),
                              AppendOrigin::kCoordinator);
}

TEST(PowerCut, LeavesWhatWasFlushedAlsoWhereAKilledProcessMadeTheDirectory) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      EXPECT_TRUE(append(*log, {}).has_value());
    });
    machine.run([](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      EXPECT_TRUE((co_await log->flush()).has_value());
      EXPECT_EQ(log->recovery_point(), Offset(1));
    });

    machine.disk.cut_power();

    machine.run([&](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      EXPECT_EQ(log->log_end_offset(), Offset(1)) << "seed " << seed;
    });
  }
}

TEST(PowerCut, LeavesTheIndexOfAbortedTransactions) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      EXPECT_TRUE(append(*log, {.producer_id = 7, .transactional = true}).has_value());
      EXPECT_TRUE((co_await log->flush()).has_value());
      EXPECT_TRUE(append_abort(*log, 7).has_value());
      EXPECT_TRUE((co_await log->flush()).has_value());
    });

    machine.disk.cut_power();

    // The recovery point is above the marker: recovery does not read it again.
    machine.run([&](Shard& shard) -> Task<void> {
      auto log = co_await Log::open(shard.files(), shard.clock(), "/data/orders-3", testing::test_partition(),
                                    {}, {.recovery_point = Offset(2)});
      const auto aborted = co_await (*log)->aborted_transactions(Offset(0), Offset(2));
      EXPECT_EQ(aborted->size(), 1U) << "seed " << seed;
    });
  }
}

TEST(FailedSync, IsTheLastOfALogUntilItIsOpenedAgain) {
  SimulatedMachine machine(1);
  machine.run([&](Shard& shard) -> Task<void> {
    const auto log = co_await open_log(shard);
    EXPECT_TRUE(append(*log, {}).has_value());
    machine.disk.faults.sync_error = 1;
    EXPECT_FALSE((co_await log->flush()).has_value());
    machine.disk.faults.sync_error = 0;

    EXPECT_FALSE((co_await log->flush()).has_value());
    EXPECT_FALSE(append(*log, {}).has_value());
    EXPECT_EQ(log->recovery_point(), Offset(0));
    EXPECT_FALSE((co_await log->close()).has_value());
  });
}

TEST(PowerCut, LeavesNoHoleWhateverItTookOfWhichSegment) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      LogConfig config;
      config.segment_bytes = 200;  // Two batches each.
      log->set_config(config);
      for (int i = 0; i < 9; ++i) EXPECT_TRUE(append(*log, {}).has_value());
      EXPECT_TRUE(shard.files().sync_directory("/data/orders-3").has_value());
    });

    machine.disk.cut_power();

    machine.run([&](Shard& shard) -> Task<void> {
      const auto log = co_await open_log(shard);
      const Offset end = log->log_end_offset();
      const auto slice = co_await log->read(Offset(0), 10000, end, true);
      EXPECT_TRUE(slice.has_value()) << "seed " << seed << ", end " << end.value();
      const std::vector<std::byte> bytes = co_await testing::bytes_of(*slice);
      record::BatchIterator walk(bytes);
      for (Offset next(0); next < end; next = next.next()) {
        const auto batch = walk.next();
        const bool there = batch && *batch && (*batch)->base_offset() == next;
        EXPECT_TRUE(there) << "seed " << seed << ": no record " << next.value() << " of " << end.value();
        if (!there) co_return;
      }
      EXPECT_TRUE(append(*log, {}).has_value());
    });
  }
}

TEST(PowerCut, BringsBackNoFailedAppendBetweenTwoSegments) {
  SimulatedMachine machine(1);
  machine.run([](Shard& shard) -> Task<void> {
    const auto log = co_await open_log(shard);
    EXPECT_TRUE(append(*log, {}).has_value());
    EXPECT_TRUE((co_await log->flush()).has_value());
    LogConfig config;
    config.segment_bytes = 100;  // One batch each.
    log->set_config(config);
    EXPECT_TRUE(append(*log, {}).has_value());
    // The disk had taken all of it and said that it had not; the cut that followed is lost.
    const std::string path = "/data/orders-3/00000000000000000000.log";
    const std::vector<std::byte> failed = testing::make_batch({.base_offset = 1, .producer_id = 9});
    const std::string content = *shard.files().read_whole(path) + std::string(as_chars(failed));
    EXPECT_TRUE(shard.files().replace_whole_unsynced(path, content).has_value());
  });

  machine.run([](Shard& shard) -> Task<void> {
    auto log = co_await Log::open(shard.files(), shard.clock(), "/data/orders-3", testing::test_partition(),
                                  {}, {.recovery_point = Offset(1)});
    EXPECT_EQ((*log)->log_end_offset(), Offset(2));
    EXPECT_EQ((*log)->producer(ProducerId(9)), nullptr);
    const auto slice = co_await (*log)->read(Offset(0), 10000, Offset(2), true);
    EXPECT_EQ(slice->size, 2 * testing::make_batch({}).size());
  });
}

TEST(FullDisk, TakesNoAbortMarkerWithoutItsEntryInTheIndex) {
  SimulatedMachine machine(1);
  machine.run([&](Shard& shard) -> Task<void> {
    const auto log = co_await open_log(shard);
    EXPECT_TRUE(append(*log, {.producer_id = 7, .transactional = true}).has_value());
    for (const std::uint64_t room : {std::uint64_t{20}, std::uint64_t{80}}) {
      machine.disk.set_capacity(machine.disk.used() + room);
      EXPECT_FALSE(append_abort(*log, 7).has_value());
      EXPECT_EQ(log->log_end_offset(), Offset(1));
      EXPECT_EQ(log->last_stable_offset(Offset(1)), Offset(0));
      EXPECT_TRUE((co_await log->aborted_transactions(Offset(0), Offset(1)))->empty());
    }

    machine.disk.set_capacity(SimulatedMachine::kDiskBytes);
    EXPECT_TRUE(append_abort(*log, 7).has_value());
    EXPECT_EQ((co_await log->aborted_transactions(Offset(0), Offset(2)))->size(), 1U);
  });
}

TEST(LastStableOffset, IsNotBelowTheStartOfTheLog) {
  SimulatedMachine machine(1);
  machine.run([&](Shard& shard) -> Task<void> {
    const auto log = co_await open_log(shard);
    EXPECT_TRUE(append(*log, {.producer_id = 7, .transactional = true}).has_value());
    EXPECT_TRUE(append(*log, {}).has_value());
    EXPECT_TRUE(log->advance_log_start_offset(Offset(1)).has_value());
    EXPECT_EQ(log->last_stable_offset(Offset(2)), Offset(1));
  });
}

}  // namespace
}  // namespace brook::storage

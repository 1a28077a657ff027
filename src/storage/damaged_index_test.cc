// An offset index in which bits have flipped, which nothing in its format tells.
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

constexpr std::int64_t kBatches = 24;

Task<std::unique_ptr<Log>> open_log(Shard& shard, std::string directory) {
  LogConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 150;
  auto opened = co_await Log::open(shard.files(), shard.clock(), std::move(directory),
                                   testing::test_partition(), config, {.clean_shutdown = true});
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

}  // namespace
}  // namespace brook::storage

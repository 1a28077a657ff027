// Random operations on a log against a list of batches in memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

struct ModelBatch {
  std::int64_t base;
  std::int64_t last;
  std::int64_t max_timestamp;
  std::vector<std::byte> bytes;
};

class World {
 public:
  World(Shard& shard, std::string directory, std::uint64_t seed)
      : shard_(shard), directory_(std::move(directory)), random_(seed) {
    config_.segment_bytes = 1500;
    config_.index_interval_bytes = 200;
    config_.retention_ms.reset();
    config_.file_delete_delay_ms = std::chrono::milliseconds(0);
  }

  Task<void> run(int steps) {
    co_await open({Offset(0), Offset(0), false});
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      co_await step();
      check_ends();
      co_await check_read();
    }
    EXPECT_TRUE((co_await log_->close()).has_value());
  }

 private:
  std::int64_t draw(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  Task<void> open(OpenHints hints) {
    auto opened = co_await Log::open(shard_.files(), shard_.clock(), directory_, testing::test_partition(),
                                     config_, hints);
    EXPECT_TRUE(opened.has_value());
    log_ = std::move(opened).value();
  }

  Task<void> step() {
    const std::int64_t kind = draw(100);
    if (kind < 70) {
      append();
    } else if (kind < 74) {
      co_await truncate();
    } else if (kind < 78) {
      advance_start();
    } else if (kind < 82) {
      EXPECT_TRUE((co_await log_->apply_retention(Timestamp(0), log_->log_end_offset())).has_value());
      static_cast<void>(co_await log_->remove_deleted_files());
    } else if (kind < 84) {
      const Offset before = log_->recovery_point();
      EXPECT_TRUE((co_await log_->flush_sealed()).has_value());
      EXPECT_EQ(log_->recovery_point(), std::max(before, log_->segments().back().base_offset));
      EXPECT_FALSE(log_->sealed_unflushed());
    } else if (kind < 87) {
      EXPECT_TRUE((co_await log_->flush()).has_value());
      EXPECT_EQ(log_->recovery_point(), log_->log_end_offset());
      if (draw(2) == 0) EXPECT_TRUE(log_->write_down().has_value());
    } else if (kind < 91) {
      log_->release_idle_files();
    } else if (kind < 94) {
      EXPECT_TRUE((co_await log_->close()).has_value());
      const Offset base = log_->segments().back().base_offset;
      co_await open({log_->recovery_point(), log_->log_start_offset(), true});
      end_after_restart(base.value());
    } else if (kind < 99) {
      co_await crash();
    } else {
      end_ = start_ = end_ + draw(1000);
      batches_.clear();
      EXPECT_TRUE((co_await log_->truncate_fully_and_start_at(Offset(end_))).has_value());
    }
  }

  void append() {
    testing::BatchSpec spec;
    const bool follows = draw(4) == 0;
    spec.base_offset = end_ + (follows ? draw(5) : 0);
    spec.timestamps.assign(static_cast<std::size_t>(1 + draw(4)), 0);
    for (auto& timestamp : spec.timestamps) timestamp = end_ + draw(50);
    spec.value_size = static_cast<std::size_t>(draw(200));
    ModelBatch batch{spec.base_offset,
                     spec.base_offset + static_cast<std::int64_t>(spec.timestamps.size()) - 1,
                     std::ranges::max(spec.timestamps), testing::make_batch(spec)};
    const auto done = follows ? log_->append_as_follower(batch.bytes)
                              : log_->append_as_leader(batch.bytes, AppendOrigin::kClient);
    EXPECT_TRUE(done.has_value());
    end_ = batch.last + 1;
    batches_.push_back(std::move(batch));
  }

  Task<void> truncate() {
    const std::int64_t to = start_ + draw(end_ - start_ + 1);
    EXPECT_TRUE((co_await log_->truncate_to(Offset(to))).has_value());
    std::erase_if(batches_, [&](const ModelBatch& b) { return b.last >= to; });
    end_ = std::min(end_, to);
  }

  void advance_start() {
    start_ += draw(end_ - start_ + 1) / 4;
    EXPECT_TRUE(log_->advance_log_start_offset(Offset(start_)).has_value());
  }

  /// The process dies, and of the last segment only a part of what was not flushed reaches the disk.
  Task<void> crash() {
    const OpenHints hints{log_->recovery_point(), log_->log_start_offset(), false};
    const SegmentInfo last = log_->segments().back();
    log_.reset();
    std::int64_t flushed_bytes = 0;
    std::int64_t size = 0;
    for (const ModelBatch& b : batches_) {
      if (b.base < last.base_offset.value()) continue;
      size += static_cast<std::int64_t>(b.bytes.size());
      if (b.last < hints.recovery_point.value()) flushed_bytes = size;
    }
    EXPECT_EQ(static_cast<std::uint64_t>(size), last.size);
    const std::int64_t survives = flushed_bytes + draw(size - flushed_bytes + 1);
    const auto file = shard_.files().open(offset_file_path(directory_, last.base_offset, kLogSuffix),
                                          runtime::OpenMode::kReadWrite);
    EXPECT_TRUE((*file)->truncate(static_cast<std::uint64_t>(survives)).has_value());

    co_await open(hints);
    std::int64_t position = 0;
    std::erase_if(batches_, [&](const ModelBatch& b) {
      if (b.base < last.base_offset.value()) return false;
      position += static_cast<std::int64_t>(b.bytes.size());
      return position > survives;
    });
    end_after_restart(last.base_offset.value());
  }

  /// As in Kafka, what was truncated to within a hole or a batch is forgotten: the log ends behind its last
  /// batch.
  void end_after_restart(std::int64_t last_segment_base) {
    const std::int64_t end =
        batches_.empty() ? last_segment_base : std::max(batches_.back().last + 1, last_segment_base);
    if (end < start_) batches_.clear();
    end_ = std::max(end, start_);
  }

  void check_ends() {
    EXPECT_EQ(log_->log_start_offset().value(),
              std::max(start_, log_->segments().front().base_offset.value()));
    start_ = log_->log_start_offset().value();
    EXPECT_EQ(log_->log_end_offset().value(), end_);
  }

  Task<void> check_read() {
    const std::int64_t from = start_ + draw(end_ - start_ + 1);
    const std::int64_t bound = from + draw(end_ - from + 2);
    const auto max_bytes = static_cast<std::size_t>(draw(3000));
    const bool one = draw(2) == 0;
    std::vector<std::byte> expected;
    std::size_t budget = max_bytes;
    bool first = true;
    for (const ModelBatch& b : batches_) {
      if (b.last < from) continue;
      if (b.last >= bound) break;
      if (std::exchange(first, false) && one) budget = std::max(budget, b.bytes.size());
      const std::size_t take = std::min(budget - expected.size(), b.bytes.size());
      expected.insert(expected.end(), b.bytes.begin(), b.bytes.begin() + static_cast<std::ptrdiff_t>(take));
    }
    const auto slice = co_await log_->read(Offset(from), max_bytes, Offset(bound), one);
    EXPECT_TRUE(slice.has_value());
    if (!slice) co_return;
    EXPECT_EQ(slice->size, expected.size());
    const auto bytes = co_await testing::bytes_of(*slice);
    EXPECT_TRUE(equal_bytes(bytes, expected)) << "from " << from << " bound " << bound;

    const std::int64_t target = from + draw(60);
    const auto found = co_await log_->offset_for_timestamp(Timestamp(target));
    const auto holder = std::ranges::find_if(
        batches_, [&](const ModelBatch& b) { return b.max_timestamp >= target && b.last >= start_; });
    // Records below the log start don't count: only a batch that is wholly above tells without a look into
    // it.
    if (holder == batches_.end()) {
      EXPECT_FALSE(found->has_value());
    } else if (holder->base >= start_) {
      EXPECT_TRUE(found->has_value());
      if (found->has_value()) {
        EXPECT_GE((*found)->offset.value(), holder->base);
        EXPECT_LE((*found)->offset.value(), holder->last);
      }
    }
  }

  Shard& shard_;
  std::string directory_;
  std::mt19937_64 random_;
  LogConfig config_;
  std::unique_ptr<Log> log_;
  std::vector<ModelBatch> batches_;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
};

TEST(LogModel, BehavesAsAListOfBatches) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    TemporaryDirectory base;
    runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
      World world(shard, base / "t-0", seed);
      co_await world.run(300);
    });
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace brook::storage

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "broker/share/live_share_partition.h"
#include "broker/share/log_records.h"
#include "broker/testing/held_disk.h"
#include "broker/testing/memory_dead_letters.h"
#include "broker/testing/memory_share_state.h"
#include "record/builder.h"
#include "runtime/gate.h"
#include "runtime/testing/simulated_machine.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

/// A LiveSharePartition with all that it needs, and short words for what it gives and takes.
namespace brook::broker::testing {

using Ranges = std::vector<AcquiredRange>;
using Values = std::vector<std::string>;

/// Delivery states as they are durable.
inline constexpr std::int8_t kAvailable = 0;
inline constexpr std::int8_t kAcknowledged = 2;
inline constexpr std::int8_t kArchiving = 3;
inline constexpr std::int8_t kArchived = 4;

/// A member's.
inline constexpr std::uint64_t kConnection = 1;

inline AcquiredRange range(std::int64_t first, std::int64_t last, std::int16_t count = 1) {
  return {Offset(first), Offset(last), count};
}
inline coordinator::ShareStateBatch durable(std::int64_t first, std::int64_t last, std::int8_t state,
                                            std::int16_t count) {
  return {Offset(first), Offset(last), state, count};
}
inline Acknowledgement say(std::int64_t first, std::int64_t last, AcknowledgeType type) {
  return {Offset(first), Offset(last), {type}};
}

inline Values values_in(ByteView batches, Offset first = Offset(0), Offset last = Offset(10'000)) {
  Values values;
  for (const LogRecord& record : log_records(batches, first, last).records)
    values.push_back(record.value.value_or("(none)"));
  return values;
}
/// The values of what was handed out, as the bytes that came along have them.
inline Values values_of(const ShareFetched& fetched) {
  Values values;
  for (const AcquiredRange& each : fetched.acquired) {
    for (std::string& value : values_in(fetched.records, each.first, each.last))
      values.push_back(std::move(value));
  }
  return values;
}

/// One partition of "orders", its log on a simulated disk, as the group "workers" reads it.
struct ShareWorld {
  explicit ShareWorld(runtime::Shard& own)
      : shard(own), disk(own), state(own), metrics(registry), budget(std::uint64_t{1} << 20U) {
    settings.reset.from = ShareOffsetReset::From::kEarliest;
  }

  Task<void> open() {
    EXPECT_TRUE(disk.create_directories("/data").has_value());
    co_await open_log({});
  }
  /// As a broker that was stopped: of sealed segments nothing is in memory.
  Task<void> reopen() {
    EXPECT_TRUE((co_await partition->close(storage::CloseMode::kDurable)).has_value());
    co_await open_log({.recovery_point = partition->log().log_end_offset(), .clean_shutdown = true});
  }
  Task<void> open_log(storage::OpenHints hints) {
    auto log = co_await storage::Log::open(disk, shard.clock(), "/data/orders-3",
                                           storage::testing::test_partition(), {}, hints);
    partition = std::make_shared<replica::Partition>(TopicIdPartition{key.topic_id, key.partition}, "/data",
                                                     std::move(log).value(), LeaderEpoch(3));
    live = fresh();
  }
  [[nodiscard]] std::shared_ptr<LiveSharePartition> fresh() {
    return std::make_shared<LiveSharePartition>(shard, state, dead_letters, metrics, key, partition);
  }
  /// A state as the last owner left it.
  Task<void> leave(std::int64_t start, std::vector<coordinator::ShareStateBatch> batches = {}) {
    coordinator::ShareStateUpdate update{.state_epoch = 1, .start_offset = Offset(start)};
    update.batches = std::move(batches);
    const Result<void> left = co_await state.write(key, std::move(update));
    EXPECT_TRUE(left.has_value());
    state.written.clear();
  }
  Task<void> load() {
    const Result<void> loaded = co_await live->load(settings);
    EXPECT_TRUE(loaded.has_value());
    state.written.clear();
  }
  /// As SharePartitions does where it is obsolete or was dropped.
  Task<void> load_anew() {
    live = fresh();
    co_await load();
  }

  void append_batch(std::vector<std::byte> batch,
                    storage::AppendOrigin origin = storage::AppendOrigin::kClient) {
    EXPECT_TRUE(partition->append(batch, shard.clock().wall_now(), origin).has_value());
  }
  /// One batch.
  void append(const Values& values) {
    record::BatchBuilder builder({});
    for (const std::string& value : values)
      builder.append(shard.clock().wall_now(), std::nullopt, as_bytes(value));
    append_batch(builder.finish());
  }

  /// The one batch [first, last] is known to be damaged from here on.
  Task<void> damage(std::int64_t first, std::int64_t last) {
    const auto read = co_await partition->read(Offset(first), 1, true, {}, -1);
    const std::uint64_t position = read->slice.start.position;
    partition->log().mark_corrupt({.segment_base_offset = read->slice.start.segment_base_offset,
                                   .position = position,
                                   .end = position + read->slice.first_batch_size,
                                   .first_offset = Offset(first),
                                   .last_offset = Offset(last),
                                   .reason = "a test says so"});
  }
  /// Every bit of a byte of the batch that holds `offset`, in its file.
  Task<void> flip(std::int64_t offset, std::uint64_t byte_of_batch) {
    const auto read = co_await partition->read(Offset(offset), 1, true, {}, -1);
    const storage::LogPosition& batch = read->slice.start;
    const std::uint64_t position = batch.position + byte_of_batch;
    const std::string path =
        storage::offset_file_path("/data/orders-3", batch.segment_base_offset, storage::kLogSuffix);
    const auto file = disk.open(path, runtime::OpenMode::kReadWrite);
    std::byte byte{};
    const Result<std::size_t> got = co_await (*file)->read_at(position, {&byte, 1});
    EXPECT_EQ(got.value_or(0), 1U);
    byte = ~byte;
    const ByteView flipped(&byte, 1);
    EXPECT_TRUE((*file)->write_at(position, {&flipped, 1}).has_value());
  }

  Task<Result<ShareFetched>> try_fetch(std::string member, std::int64_t records_max = 500) {
    Result<ShareFetched> fetched = co_await live->fetch(
        {.member = std::move(member), .records_max = records_max}, bytes_max, settings, budget);
    co_return fetched;
  }
  Task<ShareFetched> fetch(std::string member, std::int64_t records_max = 500) {
    Result<ShareFetched> fetched = co_await try_fetch(std::move(member), records_max);
    EXPECT_TRUE(fetched.has_value());
    co_return fetched ? *std::move(fetched) : ShareFetched{};
  }
  Task<ErrorCode> acknowledge(std::string member, std::vector<Acknowledgement> what) {
    const Result<void> done = co_await live->acknowledge(std::move(member), std::move(what), settings);
    co_return done ? ErrorCode::kNone : done.error().code;
  }
  Task<Values> take(std::string member) {
    const ShareFetched fetched = co_await fetch(std::move(member));
    co_return values_of(fetched);
  }
  /// All that can happen by itself within a second has happened then.
  Task<void> pass(runtime::Duration time = std::chrono::seconds(1)) {
    co_await shard.clock().sleep_until(shard.clock().now() + time);
  }
  Task<std::vector<coordinator::ShareStateBatch>> durable_batches() {
    const Result<coordinator::ShareState> read = co_await state.read(key, 0);
    co_return read->batches;
  }
  [[nodiscard]] std::optional<Offset> durable_start() { return state.start_of(key); }
  [[nodiscard]] runtime::Instant now() { return shard.clock().now(); }

  runtime::Shard& shard;
  HeldDisk disk;
  coordinator::ShareKey key{"workers", Uuid{{std::byte{1}}}, PartitionIndex(3)};
  std::shared_ptr<replica::Partition> partition;
  MemoryShareState state;
  MemoryDeadLetters dead_letters;
  MetricRegistry registry;
  ShareMetrics metrics;
  ShareGroupSettings settings;
  runtime::MemoryBudget budget;
  std::size_t bytes_max = std::size_t{1} << 20U;
  std::shared_ptr<LiveSharePartition> live;
  runtime::Gate gate;
};

/// Runs `body` on a world whose partition is open and not loaded, in virtual time.
inline void with_share_partition(const std::function<Task<void>(ShareWorld&)>& body) {
  bool ended = false;
  runtime::testing::SimulatedMachine(1).run([&](runtime::Shard& shard) -> Task<void> {
    ShareWorld world(shard);
    co_await world.open();
    co_await body(world);
    world.live->stop();
    co_await world.gate.close();
    co_await shard.gate().close();
    world.live.reset();
    static_cast<void>(co_await world.partition->close(storage::CloseMode::kDiscard));
    EXPECT_EQ(world.metrics.held.value(), 0) << "what is gone holds nothing";
    EXPECT_EQ(world.metrics.partitions.value(), 0);
    ended = true;
  });
  EXPECT_TRUE(ended) << "something waits for ever";
}

}  // namespace brook::broker::testing

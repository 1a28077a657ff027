#include "replica/first_unread.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/testing/run.h"
#include "storage/testing/logs.h"

namespace brook::replica {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using storage::AppendOrigin;
using storage::testing::make_batch;
using storage::testing::make_marker;

constexpr std::int64_t kProducer = 7;
using Time = std::optional<Timestamp>;

Time at(std::int64_t ms) { return Timestamp(ms); }

struct World {
  Shard& shard;
  std::shared_ptr<Partition> partition;
  std::int32_t sequence = 0;

  [[nodiscard]] std::int64_t end() const { return partition->high_watermark().value(); }
  void append(std::vector<std::byte> batch, AppendOrigin origin) {
    const auto appended = partition->append(batch, shard.clock().wall_now(), origin);
    EXPECT_TRUE(appended.has_value());
  }
  void write(std::vector<std::int64_t> times) {
    append(make_batch({.timestamps = std::move(times)}), AppendOrigin::kClient);
  }
  void write_in_transaction(std::vector<std::int64_t> times) {
    const auto records = static_cast<std::int32_t>(times.size());
    append(make_batch({.timestamps = std::move(times),
                       .producer_id = kProducer,
                       .sequence = std::exchange(sequence, sequence + records),
                       .transactional = true}),
           AppendOrigin::kClient);
  }
  void end_transaction(bool commit) {
    append(make_marker(end(), kProducer, 0, commit), AppendOrigin::kCoordinator);
  }
  Task<Time> first_unread(std::int64_t from) const {
    const Result<Time> found = co_await first_unread_time(partition, Offset(from));
    EXPECT_TRUE(found.has_value());
    co_return found.value_or(std::nullopt);
  }
};

void with_partition(std::function<Task<void>(World&)> body) {
  const TemporaryDirectory directory;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto log = co_await storage::testing::open_log(shard, directory.path() + "/orders-3");
    World world{shard, std::make_shared<Partition>(TopicIdPartition{TopicId(), PartitionIndex(3)},
                                                   directory.path(), std::move(log), LeaderEpoch(0))};
    co_await body(world);
    static_cast<void>(co_await world.partition->close(storage::CloseMode::kDiscard));
  });
}

TEST(FirstUnread, IsTheFirstTimeOfTheBatchThatHasTheRecord) {
  with_partition([](World& world) -> Task<void> {
    world.write({100, 200});
    world.write({300});

    EXPECT_EQ(co_await world.first_unread(0), at(100));
    EXPECT_EQ(co_await world.first_unread(1), at(100)) << "a little too early: only headers are read";
    EXPECT_EQ(co_await world.first_unread(2), at(300));
    EXPECT_EQ(co_await world.first_unread(3), std::nullopt);
    EXPECT_EQ(co_await world.first_unread(99), std::nullopt);
  });
}

TEST(FirstUnread, PassesOverMarkersAndWhatWasAborted) {
  with_partition([](World& world) -> Task<void> {
    world.write_in_transaction({100});
    world.write({200});
    world.end_transaction(false);
    world.write_in_transaction({300});
    world.end_transaction(true);

    EXPECT_EQ(co_await world.first_unread(0), at(200));
    EXPECT_EQ(co_await world.first_unread(2), at(300)) << "a marker";
    EXPECT_EQ(co_await world.first_unread(4), std::nullopt) << "only a marker follows";
  });
}

TEST(FirstUnread, EndsBelowTheLastStableOffset) {
  with_partition([](World& world) -> Task<void> {
    world.write({100});
    world.write_in_transaction({200});
    world.write({300});

    EXPECT_EQ(co_await world.first_unread(0), at(100));
    EXPECT_EQ(co_await world.first_unread(1), std::nullopt) << "nobody can read it yet";

    world.end_transaction(true);
    EXPECT_EQ(co_await world.first_unread(1), at(200));
  });
}

TEST(FirstUnread, BelowTheLogsStartMeansItsFirstRecord) {
  with_partition([](World& world) -> Task<void> {
    world.write({100});
    world.write({200});
    EXPECT_TRUE(world.partition->delete_records(Offset(1)).has_value());

    EXPECT_EQ(co_await world.first_unread(0), at(200));
  });
}

TEST(FirstUnread, LooksAtSixteenHeadersAtMost) {
  with_partition([](World& world) -> Task<void> {
    for (std::int64_t i = 0; i < 20; ++i) world.write_in_transaction({100 + i});
    world.end_transaction(false);
    world.write({500});

    EXPECT_EQ(co_await world.first_unread(0), at(115)) << "of the last that it looked at";
    EXPECT_EQ(co_await world.first_unread(10), at(500));
  });
}

}  // namespace
}  // namespace brook::replica

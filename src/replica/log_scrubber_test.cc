#include "replica/log_scrubber.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/metrics.h"
#include "cluster/metadata_image.h"
#include "runtime/gate.h"
#include "runtime/testing/run.h"
#include "storage/file_names.h"
#include "storage/testing/batches.h"

namespace brook::replica {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using storage::testing::make_batch;

constexpr std::int64_t kBatches = 30;
constexpr std::int64_t kSegmentBatches = 10;

/// One partition with two sealed segments of ten batches, and a scrubber with this rate.
struct World {
  World(Shard& own, std::int64_t bytes_per_second)
      : shard(own),
        config(cluster::BrokerConfig::load(fmt::format("log.dirs={}\nbrook.log.scrub.bytes.per.second={}",
                                                       directory.path(), bytes_per_second),
                                           "test")
                   .value()),
        directories(LogDirectories::open(own.files(), {directory.path()}).value()),
        replicas(own, *directories, config, {.self = BrokerId(0)}),
        metrics(registry),
        scrubber(own, replicas, 1, metrics) {}

  Task<void> open() {
    auto topic = std::make_shared<cluster::TopicInfo>();
    topic->name = "orders";
    topic->id = Uuid::from_random(shard.random().uuid_bytes());
    topic->partitions.resize(1);
    topic->partitions[0].replicas = topic->partitions[0].isr = {BrokerId(0)};
    topic->partitions[0].leader = BrokerId(0);
    auto image = std::make_shared<cluster::MetadataImage>();
    image->brokers[BrokerId(0)] = {BrokerId(0), {}, {}, {}};
    image->configs = std::make_shared<const std::map<cluster::ConfigResource, cluster::ConfigMap>>();
    image->topics.put(topic);
    auto delta = std::make_shared<cluster::MetadataDelta>();
    delta->topics.push_back({nullptr, topic});
    co_await replicas.apply(image, delta);
    partition = replicas.find({topic->id, PartitionIndex(0)}).value();

    batch_size = make_batch({}).size();
    storage::LogConfig small = partition->log().config();
    small.segment_bytes = static_cast<std::uint32_t>(kSegmentBatches * batch_size);
    partition->log().set_config(small);
    for (std::int64_t i = 0; i < kBatches; ++i) {
      EXPECT_TRUE(partition->log()
                      .append_as_leader(make_batch({.base_offset = i}), storage::AppendOrigin::kClient)
                      .has_value());
    }
    EXPECT_EQ(partition->log().segments().size(), 3U);
  }
  void damage(std::int64_t segment, std::size_t position) {
    const std::string path =
        storage::offset_file_path(partition->log().directory(), Offset(segment), storage::kLogSuffix);
    const auto file = shard.files().open(path, runtime::OpenMode::kReadWrite).value();
    const std::byte wrong{0xff};
    const ByteView part(&wrong, 1);
    EXPECT_TRUE(file->write_at(position, {&part, 1}).has_value());
  }
  [[nodiscard]] std::uint64_t sealed_bytes() const { return 2 * kSegmentBatches * batch_size; }
  Task<void> read_all_sealed() {
    const runtime::Instant deadline = shard.clock().now() + std::chrono::seconds(30);
    while (metrics.read_bytes.value() < sealed_bytes() && shard.clock().now() < deadline)
      co_await shard.clock().sleep_until(shard.clock().now() + std::chrono::milliseconds(1));
    EXPECT_EQ(metrics.read_bytes.value(), sealed_bytes());
  }
  Task<void> close() {
    scrubber.stop();
    co_await gate.close();
    replicas.stop();
    static_cast<void>(co_await replicas.close());
  }

  Shard& shard;
  TemporaryDirectory directory;
  cluster::BrokerConfig config;
  std::unique_ptr<LogDirectories> directories;
  ReplicaSet replicas;
  MetricRegistry registry;
  LogScrubberMetrics metrics;
  LogScrubber scrubber;
  runtime::Gate gate;
  std::shared_ptr<Partition> partition;
  std::size_t batch_size = 0;
};

void with_world(std::int64_t bytes_per_second, std::function<Task<void>(World&)> body) {
  std::unique_ptr<World> world;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    world = std::make_unique<World>(shard, bytes_per_second);
    co_await world->open();
    co_await body(*world);
    co_await world->close();
    world.reset();  // while its shard is still there
  });
}

TEST(LogScrubber, ReadsTheSealedSegmentsOnce) {
  with_world(1'000'000'000, [](World& world) -> Task<void> {
    world.gate.spawn(world.scrubber.run());

    co_await world.read_all_sealed();

    EXPECT_EQ(world.metrics.flaws.value(), 0U);
  });
}

TEST(LogScrubber, CountsAndMarksWhatIsDamaged) {
  with_world(1'000'000'000, [](World& world) -> Task<void> {
    world.damage(10, 3 * world.batch_size - 1);
    world.gate.spawn(world.scrubber.run());

    co_await world.read_all_sealed();

    EXPECT_EQ(world.metrics.flaws.value(), 1U);
    const auto slice = co_await world.partition->log().read(Offset(12), 1, Offset(kBatches), true);
    EXPECT_FALSE(slice.has_value());
    if (!slice) EXPECT_EQ(slice.error().code, ErrorCode::kCorruptMessage);
  });
}

TEST(LogScrubber, ReadsNothingWhereItIsOff) {
  with_world(0, [](World& world) -> Task<void> {
    world.gate.spawn(world.scrubber.run());
    co_await world.shard.clock().sleep_until(world.shard.clock().now() + std::chrono::milliseconds(20));

    EXPECT_EQ(world.metrics.read_bytes.value(), 0U);
  });
}

TEST(LogScrubber, IsStoppedAtOnceWhileItWaitsForItsRate) {
  with_world(1, [](World& world) -> Task<void> {
    const runtime::Instant began = world.shard.clock().now();
    world.gate.spawn(world.scrubber.run());
    while (world.metrics.read_bytes.value() == 0)
      co_await world.shard.clock().sleep_until(world.shard.clock().now());

    world.scrubber.stop();
    co_await world.gate.close();

    EXPECT_LT(world.shard.clock().now() - began, std::chrono::seconds(5));
  });
}

}  // namespace
}  // namespace brook::replica

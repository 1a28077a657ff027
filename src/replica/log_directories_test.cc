#include "replica/log_directories.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/forwarding_file_system.h"
#include "runtime/testing/simulated_machine.h"

namespace brook::replica {
namespace {

using runtime::Shard;
using runtime::testing::SimulatedMachine;

/// Two disks, of which each can be emptier than it is, or fail.
class TwoDisks final : public runtime::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;

  std::map<std::string, std::uint64_t> free{{"/a", 1000}, {"/b", 1000}};
  std::set<std::string> failing;

  Result<std::unique_ptr<runtime::File>> open(const std::string& path, runtime::OpenMode mode) override {
    BROOK_CHECK(check(path));
    return real().open(path, mode);
  }
  Result<std::unique_ptr<runtime::FileLock>> lock(const std::string& path) override {
    BROOK_CHECK(check(path));
    return real().lock(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return free.at(path.substr(0, 2)); }
  void observe_disk_errors(runtime::DiskErrorObserver observer) override { observer_ = std::move(observer); }

 private:
  Result<void> check(const std::string& path) {
    if (!failing.contains(path.substr(0, 2))) return {};
    const std::string why = "cannot open " + path + ": Input/output error";
    if (observer_) observer_(path, why);
    return fail(ErrorCode::kKafkaStorageError, why);
  }

  runtime::DiskErrorObserver observer_;
};

TopicPartition partition(std::int32_t index) { return {"orders", PartitionIndex(index)}; }

/// The directory that the partition is placed in, and counted and made there.
std::string place(Shard& shard, LogDirectories& directories, std::int32_t index, bool is_new = true) {
  const auto placed = directories.place(partition(index), is_new);
  if (!placed) return placed.error().context;
  (*placed)->partition_count.fetch_add(1);
  EXPECT_TRUE(shard.files().create_directories((*placed)->directory->path_of(partition(index))).has_value());
  return (*placed)->directory->path();
}

void with_disks(std::function<Task<void>(Shard&, TwoDisks&)> body) {
  SimulatedMachine machine(1);
  machine.run([&](Shard& shard) -> Task<void> {
    TwoDisks disks(shard.files());
    co_await body(shard, disks);
  });
}

TEST(LogDirectories, PlaceByFreeSpaceForEachPartition) {
  with_disks([](Shard& shard, TwoDisks& disks) -> Task<void> {
    const auto directories = *LogDirectories::open(disks, {"/a", "/b"});
    disks.free = {{"/a", 1000}, {"/b", 3000}};
    std::map<std::string, int> placed;
    for (int i = 0; i < 8; ++i) ++placed[place(shard, *directories, i)];
    EXPECT_EQ(placed, (std::map<std::string, int>{{"/a", 2}, {"/b", 6}}));
    const std::string before = place(shard, *directories, 0);
    disks.free = {{"/a", 3000}, {"/b", 0}};
    EXPECT_EQ(place(shard, *directories, 0), before) << "where it is already";
    co_return;
  });
}

TEST(LogDirectories, GoOnWithoutOneWhoseDiskFails) {
  with_disks([](Shard& shard, TwoDisks& disks) -> Task<void> {
    const auto directories = *LogDirectories::open(disks, {"/a", "/b"});
    disks.free["/a"] = 10;
    EXPECT_EQ(place(shard, *directories, 0), "/b");
    disks.failing = {"/b"};
    EXPECT_FALSE(disks.open("/b/orders-0/00000000000000000000.log", runtime::OpenMode::kRead).has_value());

    EXPECT_TRUE(directories->any_offline());
    EXPECT_EQ(directories->healths()[1]->why(),
              "cannot open /b/orders-0/00000000000000000000.log: Input/output error");
    EXPECT_EQ(place(shard, *directories, 1), "/a") << "a new one has another place";
    EXPECT_EQ(place(shard, *directories, 0, false), "orders-0 is in no log directory that works; offline: /b")
        << "one that may be on the failed disk is not made anew";
    co_return;
  });
}

TEST(LogDirectories, StartWithoutOneWhoseDiskFails) {
  with_disks([](Shard& shard, TwoDisks& disks) -> Task<void> {
    disks.failing = {"/b"};
    const auto opened = LogDirectories::open(disks, {"/a", "/b"});
    EXPECT_TRUE(opened.has_value());
    const auto& directories = *opened;
    EXPECT_EQ(directories->all().size(), 1U);
    EXPECT_TRUE(directories->claim("cluster", BrokerId(1), {Uuid{}, Uuid{}}).has_value());
    EXPECT_EQ(place(shard, *directories, 0), "/a");
    co_return;
  });
}

TEST(LogDirectories, DoNotStartWithoutTheFirstWhichHoldsTheMetadata) {
  with_disks([](Shard& /*shard*/, TwoDisks& disks) -> Task<void> {
    disks.failing = {"/a"};
    const auto opened = LogDirectories::open(disks, {"/a", "/b"});
    EXPECT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().context, "cannot open /a/.lock: Input/output error");
    co_return;
  });
}

TEST(LogDirectories, TakeAnEmptyMountPointForNoNewDirectory) {
  with_disks([](Shard& shard, TwoDisks& disks) -> Task<void> {
    const std::vector<Uuid> ids{Uuid::from_random(shard.random().uuid_bytes()),
                                Uuid::from_random(shard.random().uuid_bytes())};
    const auto start = [&]() -> Result<std::size_t> {
      BROOK_TRY(const auto directories, LogDirectories::open(disks, {"/a", "/b"}));
      BROOK_TRY(const auto cluster, directories->cluster_id());
      BROOK_CHECK(directories->claim(cluster.value_or("cluster"), BrokerId(1), ids));
      return directories->all().size();
    };
    EXPECT_EQ(start(), 2U);
    EXPECT_EQ(start(), 2U);
    EXPECT_TRUE(disks.remove("/b/meta.properties").has_value());
    EXPECT_EQ(start(), 1U);

    EXPECT_TRUE(disks.remove("/a/brook.directories").has_value());
    EXPECT_EQ(start(), 2U) << "the operator says that it is new";

    EXPECT_TRUE(disks.remove("/a/meta.properties").has_value());
    const auto refused = start();
    EXPECT_FALSE(refused.has_value());
    if (!refused)
      EXPECT_EQ(
          refused.error().context,
          "/a is empty, and /b holds data of cluster cluster: is its disk mounted? The first of log.dirs "
          "holds the cluster's metadata");
    co_return;
  });
}

TEST(LogDirectories, OneThatLiesInAnotherFailsAlone) {
  with_disks([](Shard& /*shard*/, TwoDisks& disks) -> Task<void> {
    for (const std::vector<std::string>& paths :
         {std::vector<std::string>{"/a", "/a/inner"}, {"/a/inner", "/a"}}) {
      const auto directories = *LogDirectories::open(disks, paths);
      disks.failing = {"/a"};
      EXPECT_FALSE(
          disks.open("/a/inner/orders-0/00000000000000000000.log", runtime::OpenMode::kRead).has_value());
      disks.failing.clear();
      for (const auto& health : directories->healths())
        EXPECT_EQ(health->offline(), health->path() == "/a/inner") << health->path();
    }
    co_return;
  });
}

TEST(DirectoryHealth, CoversWhatLiesInTheDirectory) {
  const DirectoryHealth health("/data/1");
  EXPECT_TRUE(health.covers("/data/1"));
  EXPECT_TRUE(health.covers("/data/1/orders-0/x.log"));
  EXPECT_FALSE(health.covers("/data/10/orders-0/x.log"));
  EXPECT_FALSE(health.covers("/data"));
}

}  // namespace
}  // namespace brook::replica

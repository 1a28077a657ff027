#include "app/group_lag.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/testing/handler_world.h"
#include "coordinator/testing/fake_facts.h"
#include "coordinator/testing/fake_share_states.h"
#include "coordinator/testing/memory_log.h"
#include "runtime/testing/simulated_machine.h"
#include "storage/testing/batches.h"

namespace brook::app {
namespace {

using coordinator::GroupPartition;
using runtime::Shard;
using std::chrono::seconds;
using storage::AppendOrigin;
using storage::testing::make_batch;
using storage::testing::make_marker;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kProducer = 7;

/// (partition, offset) of one group and topic.
using Offsets = std::vector<std::pair<std::int32_t, std::int64_t>>;

/// What is on one shard: partitions of topics, and two of __consumer_offsets.
struct World : broker::testing::HandlerWorld {
  explicit World(Shard& own, std::size_t shard_count = 1)
      : HandlerWorld(own, shard_count),
        group_metrics(registry),
        groups(own, {}, facts, share_states, group_metrics) {
    for (std::size_t i = 0; i < logs.size(); ++i)
      groups.lead(PartitionIndex(static_cast<std::int32_t>(i)), logs[i].port());
  }

  [[nodiscard]] GroupLag::Source source() { return {&shard, &groups, &replicas}; }
  [[nodiscard]] std::int64_t wall() { return shard.clock().wall_now().value(); }
  [[nodiscard]] std::shared_ptr<replica::Partition> partition(const std::string& topic, std::int32_t index) {
    return replicas.find({view.image()->topics.find(topic)->id, PartitionIndex(index)}).value();
  }

  Task<void> commit(std::string group, std::string topic, Offsets offsets, std::int32_t in = 0) {
    protocol::OffsetCommitRequest request;
    request.group_id = std::move(group);
    auto& entry = request.topics.emplace_back();
    entry.name = std::move(topic);
    for (const auto& [index, offset] : offsets) entry.partitions.push_back({index, offset, -1, std::nullopt});
    const std::shared_ptr<GroupPartition> to = groups.find(PartitionIndex(in));
    const auto response = co_await to->commit_offsets(std::move(request), 9);
    for (const auto& answer : response.topics.at(0).partitions) EXPECT_EQ(answer.error_code, 0);
  }
  void append(const std::string& topic, std::vector<std::byte> batch,
              AppendOrigin origin = AppendOrigin::kClient, std::int32_t index = 0) {
    EXPECT_TRUE(partition(topic, index)->append(batch, shard.clock().wall_now(), origin).has_value());
  }
  /// Records that are written at these times, a batch.
  void write(const std::string& topic, std::vector<std::int64_t> times, std::int32_t index = 0) {
    append(topic, make_batch({.timestamps = std::move(times)}), AppendOrigin::kClient, index);
  }
  void write_in_transaction(const std::string& topic, std::size_t records) {
    append(topic, make_batch({.timestamps = std::vector(records, wall()),
                              .producer_id = kProducer,
                              .transactional = true}));
  }
  void end_transaction(const std::string& topic) {
    const std::int64_t end = partition(topic, 0)->high_watermark().value();
    append(topic, make_marker(end, kProducer, 0, true), AppendOrigin::kCoordinator);
  }
  /// As the metadata have it from now on.
  Task<void> change(cluster::TopicPtr before, cluster::TopicPtr after) {
    auto image = std::make_shared<cluster::MetadataImage>(*view.image());
    if (before) image->topics.erase(before->name);
    if (after) image->topics.put(after);
    auto delta = std::make_shared<cluster::MetadataDelta>();
    delta->topics.push_back({std::move(before), std::move(after)});
    view.swap(image);
    co_await replicas.apply(image, delta);
  }
  Task<void> remove(std::string topic) { co_await change(view.image()->topics.find(topic), nullptr); }

  Task<void> end() {
    groups.stop();
    co_await groups.close();
    co_await close();
  }

  std::array<coordinator::testing::MemoryLog, 2> logs;
  MetricRegistry registry;
  coordinator::GroupMetrics group_metrics;
  coordinator::testing::FakeFacts facts;
  coordinator::testing::FakeShareStates share_states;
  coordinator::GroupCoordinator groups;
};

/// The lines of one metric, without its name.
std::vector<std::string> lines_of(const MetricRegistry& registry, const std::string& name) {
  std::vector<std::string> lines;
  const std::string text = registry.render();
  const std::string begin = "\n" + name;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    lines.push_back(text.substr(from, text.find('\n', from) - from));
  }
  return lines;
}

/// A GroupLag over one shard, in virtual time.
struct LagWorld : World {
  explicit LagWorld(Shard& own) : World(own), lag(lags, view, {source()}) {}

  /// What is told now.
  Task<std::vector<std::string>> records() {
    co_await lag.gather();
    co_return lines_of(lags, "brook_group_lag_records");
  }
  [[nodiscard]] std::vector<std::string> told_records() const {
    return lines_of(lags, "brook_group_lag_records");
  }
  [[nodiscard]] std::vector<std::string> told_seconds() const {
    return lines_of(lags, "brook_group_lag_seconds");
  }
  /// Of the one series that there is now.
  Task<double> seconds_behind() {
    co_await lag.gather();
    const std::vector<std::string> lines = told_seconds();
    EXPECT_THAT(lines, SizeIs(1));
    if (lines.size() != 1) co_return -1;
    co_return std::strtod(lines.front().substr(lines.front().rfind(' ')).c_str(), nullptr);
  }
  [[nodiscard]] bool incomplete() const {
    return lines_of(lags, "brook_group_lag_incomplete") == std::vector<std::string>{" 1"};
  }

  MetricRegistry lags;
  GroupLag lag;
};

void with_lag(const std::function<Task<void>(LagWorld&)>& body) {
  bool ended = false;
  runtime::testing::SimulatedMachine(1).run([&](Shard& shard) -> Task<void> {
    LagWorld world(shard);
    co_await body(world);
    co_await world.end();
    co_await shard.gate().close();  // What removes the files of deleted topics refers to the world.
    ended = true;
  });
  EXPECT_TRUE(ended) << "something waits for ever";
}

std::string line(std::string_view group, std::string_view topic, std::string_view partition,
                 std::string_view value) {
  return fmt::format("{{group=\"{}\",partition=\"{}\",topic=\"{}\"}} {}", group, partition, topic, value);
}
std::string series(std::string_view group, std::string_view topic, int partition, std::string_view value) {
  return line(group, topic, std::to_string(partition), value);
}
std::string others(std::string_view value) { return line("(others)", "(others)", "(others)", value); }

TEST(GroupLag, CountsRecordsBehindWhatIsCommitted) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 2));
    world.write("orders", {0, 0, 0});
    world.write("orders", {0, 0}, 1);
    co_await world.commit("readers", "orders", {{0, 1}, {1, 2}});
    co_await world.commit("others", "orders", {{1, 0}});

    EXPECT_THAT(co_await world.records(),
                ElementsAre(series("others", "orders", 1, "2"), series("readers", "orders", 0, "2"),
                            series("readers", "orders", 1, "0")));
    EXPECT_FALSE(world.incomplete());
  });
}

TEST(GroupLag, IsNotToldWhereNothingWasRead) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 2));
    world.write("orders", {0, 0, 0});
    co_await world.commit("readers", "orders", {{0, -1}, {1, 0}});

    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "orders", 1, "0")));
  });
}

TEST(GroupLag, CountsToTheLastStableOffset) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {0, 0, 0});
    world.write_in_transaction("orders", 2);
    world.write("orders", {0});
    co_await world.commit("committed", "orders", {{0, 1}});
    co_await world.commit("uncommitted", "orders", {{0, 5}});

    EXPECT_THAT(co_await world.records(),
                ElementsAre(series("committed", "orders", 0, "2"), series("uncommitted", "orders", 0, "0")));
    world.end_transaction("orders");
    EXPECT_THAT(co_await world.records(),
                ElementsAre(series("committed", "orders", 0, "6"), series("uncommitted", "orders", 0, "2")));
  });
}

TEST(GroupLag, IsNothingBeyondTheEnd) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {0, 0, 0});
    co_await world.commit("readers", "orders", {{0, 100}});

    EXPECT_EQ(co_await world.seconds_behind(), 0);
    EXPECT_THAT(world.told_records(), ElementsAre(series("readers", "orders", 0, "0")));
  });
}

TEST(GroupLag, TellsTheAgeOfTheFirstUnreadRecord) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 90'000});
    world.write("orders", {world.wall() - 30'000});
    world.write("orders", {world.wall() + 60'000});

    co_await world.commit("readers", "orders", {{0, 0}});
    EXPECT_NEAR(co_await world.seconds_behind(), 90, 0.1);
    co_await world.commit("readers", "orders", {{0, 1}});
    EXPECT_NEAR(co_await world.seconds_behind(), 30, 0.1);
    co_await world.commit("readers", "orders", {{0, 2}});
    EXPECT_EQ(co_await world.seconds_behind(), 0) << "its producer's clock is wrong";
    co_await world.commit("readers", "orders", {{0, 3}});
    EXPECT_EQ(co_await world.seconds_behind(), 0) << "it has read all";
  });
}

TEST(GroupLag, LooksATimeUpAgainOnlyWhereTheOffsetHasChanged) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 90'000});
    co_await world.commit("readers", "orders", {{0, 0}});
    EXPECT_NEAR(co_await world.seconds_behind(), 90, 0.1);
    // Other records where it has looked already: who looks again sees these.
    const Result<void> cut = co_await world.partition("orders", 0)->log().truncate_to(Offset(0));
    EXPECT_TRUE(cut.has_value());
    world.write("orders", {world.wall() - 30'000});
    world.write("orders", {world.wall() - 20'000});
    co_await world.shard.clock().sleep_until(world.shard.clock().now() + seconds(10));

    EXPECT_NEAR(co_await world.seconds_behind(), 100, 0.1);
    co_await world.commit("readers", "orders", {{0, 1}});
    EXPECT_NEAR(co_await world.seconds_behind(), 30, 0.1);
    co_await world.commit("readers", "orders", {{0, 0}});
    EXPECT_NEAR(co_await world.seconds_behind(), 40, 0.1);
  });
}

TEST(GroupLag, LooksATimeUpWhenARecordComes) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 90'000});
    co_await world.commit("readers", "orders", {{0, 1}});
    EXPECT_EQ(co_await world.seconds_behind(), 0);
    world.write("orders", {world.wall() - 30'000});

    EXPECT_NEAR(co_await world.seconds_behind(), 30, 0.1);
  });
}

TEST(GroupLag, LooksATimeUpAgainWhereTheRecordIsGone) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 90'000});
    world.write("orders", {world.wall() - 30'000});
    co_await world.commit("readers", "orders", {{0, 0}});
    EXPECT_NEAR(co_await world.seconds_behind(), 90, 0.1);
    EXPECT_TRUE(world.partition("orders", 0)->delete_records(Offset(1)).has_value());

    EXPECT_NEAR(co_await world.seconds_behind(), 30, 0.1);
  });
}

TEST(GroupLag, LooksATimeUpAgainWhereTheTopicIsAnother) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 90'000});
    co_await world.commit("readers", "orders", {{0, 0}});
    EXPECT_NEAR(co_await world.seconds_behind(), 90, 0.1);
    co_await world.remove("orders");
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {world.wall() - 30'000});

    EXPECT_NEAR(co_await world.seconds_behind(), 30, 0.1);
  });
}

TEST(GroupLag, TellsNothingOfPartitionsThatAreNotHere) {
  with_lag([](LagWorld& world) -> Task<void> {
    auto topic = std::make_shared<cluster::TopicInfo>();
    topic->name = "orders";
    topic->id = Uuid{{std::byte{9}}};
    topic->partitions.resize(2);
    for (const std::int32_t index : {0, 1}) {
      cluster::PartitionInfo& partition = topic->partitions.at(static_cast<std::size_t>(index));
      partition.replicas = partition.isr = {BrokerId(index)};
      partition.leader = BrokerId(index);
    }
    co_await world.change(nullptr, topic);
    world.write("orders", {0, 0});
    co_await world.commit("readers", "orders", {{0, 0}, {1, 0}, {2, 0}});

    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "orders", 0, "2")));
    EXPECT_THAT(world.told_seconds(), SizeIs(1));
  });
}

TEST(GroupLag, TellsNothingOfTopicsThatAreGone) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("gone", 1));
    static_cast<void>(co_await world.create("orders", 1));
    world.write("gone", {0, 0});
    world.write("orders", {0});
    co_await world.commit("readers", "gone", {{0, 0}});
    co_await world.commit("readers", "orders", {{0, 0}});
    co_await world.commit("readers", "never", {{0, 0}});
    EXPECT_THAT(co_await world.records(),
                ElementsAre(series("readers", "gone", 0, "2"), series("readers", "orders", 0, "1")));

    co_await world.remove("gone");

    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "orders", 0, "1")));
    EXPECT_THAT(world.told_seconds(), SizeIs(1));
  });
}

TEST(GroupLag, LooksAtAllPartitionsOfAllGroups) {
  with_lag([](LagWorld& world) -> Task<void> {
    // More than a shard is asked for at a time, twice.
    constexpr std::int32_t kPartitions = 2 * GroupLag::kChunk + 1;
    static_cast<void>(co_await world.create("orders", kPartitions));
    Offsets offsets;
    std::vector<std::string> expected;
    for (std::int32_t index = 0; index < kPartitions; ++index) {
      world.write("orders", {0, 0, 0}, index);
      offsets.emplace_back(index, index % 4);
      expected.push_back(series("readers", "orders", index, std::to_string(3 - index % 4)));
    }
    co_await world.commit("readers", "orders", offsets, 1);
    co_await world.commit("others", "orders", {{0, 1}}, 0);
    expected.push_back(series("others", "orders", 0, "2"));

    EXPECT_THAT(co_await world.records(), ::testing::UnorderedElementsAreArray(expected));
  });
}

TEST(GroupLag, TellsWhatIsThereWhileAPartitionOfOffsetsIsLoading) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {0, 0, 0});
    co_await world.commit("early", "orders", {{0, 1}}, 0);
    co_await world.commit("late", "orders", {{0, 2}}, 1);
    world.groups.resign();
    world.logs[0].hold_reads();
    for (const std::int32_t index : {0, 1})
      world.groups.lead(PartitionIndex(index), world.logs.at(static_cast<std::size_t>(index)).port());

    EXPECT_THAT(co_await world.records(), ElementsAre(series("late", "orders", 0, "1")));
    world.logs[0].release_reads();
    co_await world.shard.clock().sleep_until(world.shard.clock().now() + seconds(1));

    EXPECT_THAT(co_await world.records(),
                ElementsAre(series("early", "orders", 0, "2"), series("late", "orders", 0, "1")));
  });
}

Offsets many(std::size_t count) {
  Offsets offsets;
  for (std::size_t index = 0; index < count; ++index)
    offsets.emplace_back(static_cast<std::int32_t>(index), 0);
  return offsets;
}

TEST(GroupLag, SumsWhatHasNoSeriesOfItsOwn) {
  with_lag([](LagWorld& world) -> Task<void> {
    // All but one of its partitions are not here, and count all the same.
    static_cast<void>(co_await world.create("fill", 1));
    static_cast<void>(co_await world.create("orders", 3));
    for (const std::int32_t index : {0, 1, 2}) world.write("orders", {0, 0, 0, 0}, index);
    world.write("fill", {0});
    co_await world.commit("readers", "fill", many(GroupLag::kSeriesMax - 1));
    co_await world.commit("readers", "orders", {{0, 0}, {1, 1}, {2, 2}});

    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "fill", 0, "1"),
                                                      series("readers", "orders", 0, "4"), others("5")));
    EXPECT_THAT(world.told_seconds(), SizeIs(2)) << "the others have no time";

    co_await world.commit("readers", "fill", {{1'000'000, 0}});
    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "fill", 0, "1"), others("9")))
        << "the first have the series";
    EXPECT_FALSE(world.incomplete());
  });
}

TEST(GroupLag, SaysSoWhereItDoesNotLookAtAll) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("fill", 1));
    static_cast<void>(co_await world.create("orders", 2));
    for (const std::int32_t index : {0, 1}) world.write("orders", {0, 0, 0, 0}, index);
    co_await world.commit("readers", "fill", many(GroupLag::kOffsetsMax - 1));
    co_await world.commit("readers", "orders", {{0, 1}});
    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "fill", 0, "0"), others("3")));
    EXPECT_FALSE(world.incomplete()) << "so many it looks at";

    co_await world.commit("readers", "orders", {{1, 0}});
    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "fill", 0, "0"), others("3")));
    EXPECT_TRUE(world.incomplete());

    co_await world.remove("fill");
    EXPECT_THAT(co_await world.records(), ElementsAre(series("readers", "orders", 0, "3")))
        << "what is committed for a topic that is gone is looked at until it is forgotten";
    EXPECT_TRUE(world.incomplete());
  });
}

TEST(GroupLag, LooksAtTheFirstPartitionsOfOffsetsFirst) {
  with_lag([](LagWorld& world) -> Task<void> {
    static_cast<void>(co_await world.create("fill", 1));
    static_cast<void>(co_await world.create("orders", 1));
    world.write("orders", {0, 0, 0});
    co_await world.commit("z", "orders", {{0, 0}}, 0);
    co_await world.commit("a", "fill", many(GroupLag::kOffsetsMax - 1), 1);
    EXPECT_THAT(co_await world.records(),
                UnorderedElementsAre(series("z", "orders", 0, "3"), series("a", "fill", 0, "0")));
    EXPECT_FALSE(world.incomplete());

    co_await world.commit("b", "orders", {{0, 1}}, 1);
    EXPECT_THAT(co_await world.records(),
                UnorderedElementsAre(series("z", "orders", 0, "3"), series("a", "fill", 0, "0")));
    EXPECT_TRUE(world.incomplete());
  });
}

// On two shards.

/// With a topic whose partition is on this shard.
Task<bool> make_on(std::optional<World>& world, Shard& shard, TopicId& topic) {
  world.emplace(shard, 2);
  for (int tries = 0; tries < 100; ++tries) {
    topic = co_await world->create(fmt::format("topic-{}", tries), 1);
    if (replica::shard_of({topic, PartitionIndex(0)}, 2) == shard.index()) co_return true;
  }
  co_return false;
}
Task<bool> end_on(std::optional<World>& world) {
  co_await world->end();
  world.reset();
  co_return true;
}
Task<bool> fill_on(World& world, std::string topic) {
  world.write(topic, {world.wall(), world.wall(), world.wall()});
  co_return true;
}
Task<bool> commit_on(World& world, std::string group, std::string topic, std::int64_t offset) {
  co_await world.commit(std::move(group), std::move(topic), {{0, offset}});
  co_return true;
}

TEST(GroupLag, BringsTogetherWhatIsOnOtherShards) {
  runtime::testing::run_on_host(2, [](runtime::Host& host) -> Task<void> {
    std::optional<World> first;
    std::optional<World> second;
    TopicId id;
    EXPECT_TRUE(co_await make_on(first, host.shard(0), id));
    EXPECT_TRUE(co_await host.shard(1).run([&] { return make_on(second, host.shard(1), id); }));
    const cluster::TopicPtr topic = second->view.image()->topics.find(id);
    const std::string name = topic->name;
    // Groups' offsets are on one shard, the partition is on the other; the image is the same on both.
    auto image = std::make_shared<cluster::MetadataImage>(*first->view.image());
    image->topics.put(topic);
    first->view.swap(image);
    EXPECT_TRUE(co_await host.shard(1).run([&] { return fill_on(*second, name); }));
    EXPECT_TRUE(co_await commit_on(*first, "a", name, 1));
    EXPECT_TRUE(co_await host.shard(1).run([&] { return commit_on(*second, "b", name, 0); }));
    MetricRegistry lags;
    GroupLag lag(lags, first->view, {first->source(), second->source()});

    co_await lag.gather();

    EXPECT_THAT(lines_of(lags, "brook_group_lag_records"),
                ElementsAre(series("a", name, 0, "2"), series("b", name, 0, "3")));
    EXPECT_TRUE(co_await host.shard(1).run([&] { return end_on(second); }));
    EXPECT_TRUE(co_await end_on(first));
  });
}

}  // namespace
}  // namespace brook::app

#include "cluster/controller.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cluster/znode_codec.h"
#include "keeper/testing/in_process.h"
#include "runtime/gate.h"
#include "runtime/testing/run.h"

namespace brook::cluster {
namespace {

using runtime::Shard;
using runtime::testing::run;
using runtime::testing::TemporaryDirectory;

/// One broker's metadata, from the keeper up.
struct World {
  std::unique_ptr<keeper::testing::InProcessKeeper> server;
  std::unique_ptr<keeper::Client> client;
  std::unique_ptr<Mirror> mirror;
  std::unique_ptr<Controller> controller;
  std::string cluster_id;
  std::vector<MetadataDelta> deltas;

  [[nodiscard]] const MetadataImage& image() const { return *mirror->image(); }
};

Result<BrokerConfig> broker_config(std::string_view text = "node.id=1\nnum.partitions=3") {
  return BrokerConfig::load(text, "server.properties");
}

Task<void> open(Shard& shard, std::string directory, const BrokerConfig& config, World& world) {
  world.server = co_await keeper::testing::InProcessKeeper::open(shard, std::move(directory));
  world.client = world.server->connect();
  auto id = co_await Controller::open_cluster(shard, *world.client, std::nullopt);
  EXPECT_TRUE(id) << id.error().context;
  world.cluster_id = *id;
  world.mirror = std::make_unique<Mirror>(shard, *world.client);
  auto started = co_await world.mirror->start();
  EXPECT_TRUE(started);
  world.mirror->subscribe(
      [&world](const ImagePtr&, const MetadataDelta& delta) { world.deltas.push_back(delta); });
  world.controller = std::make_unique<Controller>(shard, *world.client, *world.mirror, config);
  const BrokerRegistration registration{
      config.node_id(), {{"PLAINTEXT", "127.0.0.1", 9092, "PLAINTEXT"}}, std::nullopt};
  auto epoch = co_await world.controller->register_broker(registration);
  EXPECT_TRUE(epoch);
  auto won = co_await world.controller->elect();
  EXPECT_TRUE(won && *won);
}

Task<void> close_client(World& world) {
  co_await world.mirror->close();
  world.controller.reset();
  world.mirror.reset();
  auto ended = co_await world.client->close();
  EXPECT_TRUE(ended);
  world.client.reset();
}

Task<void> close(World& world) {
  co_await close_client(world);
  co_await world.server->close();
  world.server.reset();
}

NewTopic named(std::string name) { return {std::move(name), {}, {}, {}, {}}; }

Task<Result<CreatedTopic>> create(World& world, NewTopic topic) {
  std::vector<NewTopic> topics;
  topics.push_back(std::move(topic));
  auto answers = co_await world.controller->create_topics(std::move(topics), false);
  co_return answers[0];
}

Task<Result<void>> remove(World& world, std::string name) {
  std::vector<TopicRef> topics;
  topics.push_back({std::move(name), {}});
  auto answers = co_await world.controller->delete_topics(std::move(topics));
  co_return answers[0];
}

Task<Result<void>> set_config(World& world, ConfigResource resource, std::string key, std::string value) {
  std::vector<ConfigChange> changes(1);
  changes[0].resource = std::move(resource);
  changes[0].alterations.push_back({std::move(key), AlterOperation::kSet, std::move(value)});
  auto answers = co_await world.controller->alter_configs(std::move(changes), false);
  co_return answers[0];
}

class ControllerTest : public testing::Test {
 protected:
  /// `body` in a world whose keeper lives in this test's directory.
  void in_world(std::function<Task<void>(World&)> body) {
    run<void>([&](Shard& shard) -> Task<void> {
      World world;
      co_await open(shard, directory_.path(), *config_, world);
      co_await body(world);
      co_await close(world);
    });
  }

  TemporaryDirectory directory_;
  Result<BrokerConfig> config_ = broker_config();
};

TEST_F(ControllerTest, CreatedTopicIsInTheImageWhenTheCallReturns) {
  in_world([](World& world) -> Task<void> {
    NewTopic topic = named("orders");
    topic.configs["retention.ms"] = "1000";
    auto created = co_await create(world, topic);

    EXPECT_TRUE(created);
    const TopicPtr found = world.image().topics.find("orders");
    EXPECT_EQ(found->id, created->id);
    EXPECT_EQ(world.image().topics.find(created->id), found);
    EXPECT_EQ(found->configs, (ConfigMap{{"retention.ms", "1000"}}));
    EXPECT_EQ(found->partitions.size(), 3U);
    for (const PartitionInfo& partition : found->partitions) {
      EXPECT_EQ(partition.leader, BrokerId(1));
      EXPECT_EQ(partition.isr, std::vector{BrokerId(1)});
      EXPECT_EQ(partition.partition_epoch, PartitionEpoch(0));
    }
    EXPECT_EQ(world.image().controller, BrokerId(1));
    EXPECT_EQ(world.image().cluster_id, world.cluster_id);
    EXPECT_EQ(world.deltas.back().topics.size(), 1U);
    EXPECT_EQ(world.deltas.back().topics[0].after, found);
    auto again = co_await create(world, named("orders"));
    EXPECT_EQ(again.error().code, ErrorCode::kTopicAlreadyExists);
  });
}

TEST_F(ControllerTest, KeepsEverythingOverARestart) {
  TopicId id;
  std::string cluster_id;
  BrokerEpoch first_epoch;
  in_world([&](World& world) -> Task<void> {
    auto kept = co_await create(world, named("kept"));
    id = kept->id;
    auto gone = co_await create(world, named("gone"));
    auto removed = co_await remove(world, "gone");
    EXPECT_TRUE(removed);
    auto changed = co_await set_config(world, {ConfigEntity::kBroker, ""}, "log.retention.ms", "5000");
    EXPECT_TRUE(changed);
    auto metrics =
        co_await set_config(world, {ConfigEntity::kClientMetrics, "all clients/x"}, "interval.ms", "1000");
    EXPECT_TRUE(metrics);
    cluster_id = world.cluster_id;
    first_epoch = world.image().broker(BrokerId(1))->epoch;
  });

  in_world([&](World& world) -> Task<void> {
    EXPECT_EQ(world.image().topics.size(), 1U);
    EXPECT_EQ(world.image().topics.find("kept")->id, id);
    EXPECT_EQ(world.image().config_of({ConfigEntity::kBroker, ""}),
              (ConfigMap{{"log.retention.ms", "5000"}}));
    EXPECT_EQ(world.image().config_of({ConfigEntity::kClientMetrics, "all clients/x"}),
              (ConfigMap{{"interval.ms", "1000"}}));
    EXPECT_EQ(world.cluster_id, cluster_id);
    EXPECT_EQ(world.image().controller_epoch, ControllerEpoch(2));
    EXPECT_GT(world.image().broker(BrokerId(1))->epoch, first_epoch);
    auto gone = co_await world.client->exists("/config/topics/gone");
    EXPECT_FALSE(gone->has_value());
  });
}

TEST_F(ControllerTest, DeletedTopicIsGoneAndItsNameIsFree) {
  in_world([](World& world) -> Task<void> {
    auto first = co_await create(world, named("t"));
    auto removed = co_await remove(world, "t");
    EXPECT_TRUE(removed);
    EXPECT_EQ(world.image().topics.find("t"), nullptr);
    EXPECT_EQ(world.image().topics.find(first->id), nullptr);
    EXPECT_EQ(world.deltas.back().topics[0].before->id, first->id);

    auto second = co_await create(world, named("t"));
    EXPECT_NE(second->id, first->id);
    std::vector<TopicRef> by_id = {{"", first->id}, {"", second->id}};
    auto answers = co_await world.controller->delete_topics(by_id);
    EXPECT_EQ(answers[0].error().code, ErrorCode::kUnknownTopicId);
    EXPECT_TRUE(answers[1]);
    auto unknown = co_await remove(world, "t");
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnknownTopicOrPartition);
  });
}

TEST_F(ControllerTest, LargeTopicsAreMadeAndRemovedInChunks) {
  in_world([](World& world) -> Task<void> {
    NewTopic topic = named(std::string(200, 'x'));
    topic.partitions = 3000;
    auto created = co_await create(world, topic);
    EXPECT_TRUE(created);
    const TopicPtr found = world.image().topics.find(topic.name);
    EXPECT_EQ(found->partitions.size(), 3000U);
    EXPECT_TRUE(std::ranges::all_of(found->partitions,
                                    [](const auto& partition) { return partition.leader.has_value(); }));

    auto removed = co_await remove(world, topic.name);
    EXPECT_TRUE(removed);
    EXPECT_EQ(world.image().topics.size(), 0U);
    EXPECT_TRUE(world.image().deleting.empty());
    auto left = co_await world.client->children("/brokers/topics");
    EXPECT_TRUE(left->names.empty());
  });
}

TEST_F(ControllerTest, FinishesDeletionsAndCreationsOfAPredecessor) {
  in_world([](World& world) -> Task<void> {
    auto doomed = co_await create(world, named("doomed"));
    auto half = co_await create(world, named("half"));
    auto mark =
        co_await world.client->create("/admin/delete_topics/doomed", "", keeper::CreateMode::kPersistent);
    EXPECT_TRUE(mark);
    const bool seen = co_await world.mirror->catch_up();
    EXPECT_TRUE(seen);
    EXPECT_EQ(world.image().topics.find("doomed"), nullptr);
    EXPECT_TRUE(world.image().deleting.contains("doomed"));
    auto cut = co_await world.client->remove("/brokers/topics/half/partitions/2/state", {});
    EXPECT_TRUE(cut);
    const bool seen_too = co_await world.mirror->catch_up();
    EXPECT_TRUE(seen_too);
    EXPECT_EQ(world.image().partition("half", PartitionIndex(2))->partition_epoch, std::nullopt);
  });

  in_world([](World& world) -> Task<void> {
    EXPECT_TRUE(world.image().deleting.empty());
    EXPECT_EQ(world.image().partition("half", PartitionIndex(2))->leader, BrokerId(1));
    auto left = co_await world.client->exists("/brokers/topics/doomed");
    EXPECT_FALSE(left->has_value());
  });
}

TEST_F(ControllerTest, AddsPartitions) {
  in_world([](World& world) -> Task<void> {
    auto created = co_await create(world, named("t"));
    std::vector<NewPartitions> more = {{"t", 5, {}}, {"none", 5, {}}};
    auto checked = co_await world.controller->create_partitions(more, true);
    EXPECT_TRUE(checked[0]);
    EXPECT_EQ(world.image().topics.find("t")->partitions.size(), 3U);
    auto answers = co_await world.controller->create_partitions(more, false);
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code, ErrorCode::kUnknownTopicOrPartition);
    const TopicPtr topic = world.image().topics.find("t");
    EXPECT_EQ(topic->partitions.size(), 5U);
    EXPECT_EQ(topic->partitions[4].leader, BrokerId(1));
    EXPECT_EQ(topic->id, created->id);
  });
}

TEST_F(ControllerTest, ChangesConfigurations) {
  in_world([](World& world) -> Task<void> {
    auto created = co_await create(world, named("t"));
    auto changed = co_await set_config(world, {ConfigEntity::kTopic, "t"}, "retention.ms", "7");
    EXPECT_TRUE(changed);
    EXPECT_EQ(world.image().topics.find("t")->configs, (ConfigMap{{"retention.ms", "7"}}));
    EXPECT_EQ(world.deltas.back().configs, (std::vector<ConfigResource>{{ConfigEntity::kTopic, "t"}}));
    auto unknown = co_await set_config(world, {ConfigEntity::kTopic, "none"}, "retention.ms", "7");
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnknownTopicOrPartition);
    auto invalid = co_await set_config(world, {ConfigEntity::kTopic, "t"}, "retention.ms", "x");
    EXPECT_EQ(invalid.error().code, ErrorCode::kInvalidConfig);

    std::vector<ConfigReplacement> whole = {{{ConfigEntity::kTopic, "t"}, {{"segment.bytes", "1048576"}}}};
    auto replaced = co_await world.controller->replace_configs(whole, false);
    EXPECT_TRUE(replaced[0]);
    EXPECT_EQ(world.image().topics.find("t")->configs, (ConfigMap{{"segment.bytes", "1048576"}}));
  });
}

TEST_F(ControllerTest, GivesProducerIdsOnce) {
  std::set<std::int64_t> firsts;
  for (int life = 0; life < 2; ++life) {
    in_world([&](World& world) -> Task<void> {
      for (int i = 0; i < 3; ++i) {
        auto block = co_await world.controller->allocate_producer_ids();
        EXPECT_EQ(block->count, 1000);
        firsts.insert(block->first.value());
      }
    });
  }
  EXPECT_EQ(firsts, (std::set<std::int64_t>{0, 1000, 2000, 3000, 4000, 5000}));
}

TEST_F(ControllerTest, ValidatingOnlyChangesNothing) {
  in_world([](World& world) -> Task<void> {
    std::vector<NewTopic> topics = {named("t"), named("u"), named("u")};
    auto answers = co_await world.controller->create_topics(topics, true);
    EXPECT_EQ(answers[0]->partitions, 3);
    EXPECT_TRUE(answers[0]->id.is_zero());
    EXPECT_EQ(answers[1].error().code, ErrorCode::kInvalidRequest);
    EXPECT_EQ(world.image().topics.size(), 0U);
  });
}

TEST_F(ControllerTest, ManyTopicsShareFewCommits) {
  in_world([](World& world) -> Task<void> {
    std::vector<NewTopic> topics;
    for (int i = 0; i < 1000; ++i) topics.push_back(named(fmt::format("topic{}", i)));
    const std::uint64_t before = world.server->group_commits();
    auto answers = co_await world.controller->create_topics(topics, false);
    EXPECT_TRUE(std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); }));
    EXPECT_LE(world.server->group_commits() - before, 3U);
    EXPECT_EQ(world.image().topics.size(), 1000U);
  });
}

TEST_F(ControllerTest, IsFencedByAnotherController) {
  in_world([](World& world) -> Task<void> {
    auto usurped = co_await world.client->set("/controller_epoch", "9", {});
    EXPECT_TRUE(usurped);
    std::vector<NewTopic> topics = {named("a"), named("b")};
    auto answers = co_await world.controller->create_topics(topics, false);
    EXPECT_EQ(answers[0].error().code, ErrorCode::kNotController);
    EXPECT_EQ(answers[1].error().code, ErrorCode::kNotController);
    EXPECT_FALSE(world.controller->is_controller());
    EXPECT_EQ(world.image().topics.size(), 0U);
  });
}

TEST_F(ControllerTest, SecondBrokerWaitsForTheOfficeAndForItsId) {
  run<void>([&](Shard& shard) -> Task<void> {
    World world;
    co_await open(shard, directory_.path(), *config_, world);
    auto client = world.server->connect();
    Mirror mirror(shard, *client);
    auto started = co_await mirror.start();
    EXPECT_TRUE(started);
    const Result<BrokerConfig> config = broker_config("node.id=2");
    Controller second(shard, *client, mirror, *config);
    const BrokerRegistration taken{BrokerId(1), {{"PLAINTEXT", "h", 1, "PLAINTEXT"}}, {}};
    auto refused = co_await second.register_broker(taken);
    EXPECT_EQ(refused.error().code, ErrorCode::kDuplicateBrokerRegistration);
    auto won = co_await second.elect();
    EXPECT_EQ(*won, false);
    std::vector<NewTopic> topics = {named("t")};
    auto answers = co_await second.create_topics(topics, false);
    EXPECT_EQ(answers[0].error().code, ErrorCode::kNotController);

    auto made = co_await create(world, named("t"));
    const bool seen = co_await mirror.catch_up();
    EXPECT_TRUE(seen);
    EXPECT_NE(mirror.image()->topics.find("t"), nullptr);

    co_await close_client(world);
    auto now = co_await second.elect();
    EXPECT_EQ(*now, true);
    EXPECT_EQ(mirror.image()->controller, BrokerId(2));
    EXPECT_EQ(mirror.image()->controller_epoch, ControllerEpoch(2));
    EXPECT_EQ(mirror.image()->partition("t", PartitionIndex(0))->leader, std::nullopt);
    co_await mirror.close();
    auto ended = co_await client->close();
    co_await world.server->close();
  });
}

TEST_F(ControllerTest, RefusesAnotherClustersData) {
  in_world([](World& world) -> Task<void> {
    auto other = co_await Controller::open_cluster(*Shard::current(), *world.client, "another");
    EXPECT_EQ(other.error().code, ErrorCode::kInconsistentClusterId);
    auto same = co_await Controller::open_cluster(*Shard::current(), *world.client, world.cluster_id);
    EXPECT_EQ(*same, world.cluster_id);
  });
}

}  // namespace
}  // namespace brook::cluster

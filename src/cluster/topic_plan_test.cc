#include "cluster/topic_plan.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>

#include "cluster/placement.h"

namespace brook::cluster {
namespace {

class TopicPlan : public testing::Test {
 protected:
  TopicPlan() {
    for (const int id : {1, 2, 3}) image_.brokers[BrokerId(id)] = BrokerInfo{BrokerId(id), {}, {}, {}};
    auto topic = std::make_shared<TopicInfo>();
    topic->name = "a.b";
    topic->partitions.resize(2);
    for (auto& partition : topic->partitions) partition.replicas = {BrokerId(1)};
    image_.topics.put(std::move(topic));
    image_.deleting.insert("going");
  }
  std::string refusal(const NewTopic& request) {
    const auto planned =
        plan_topic(image_, config_layers(*config_, image_, BrokerId(1)), request, TopicId{}, 5);
    return planned ? "" : fmt::format("{}: {}", error_name(planned.error().code), planned.error().context);
  }

  MetadataImage image_;
  Result<BrokerConfig> config_ = BrokerConfig::load("", "server.properties");
};

TEST_F(TopicPlan, RefusesNamesInKafkasWords) {
  EXPECT_EQ(refusal({"", {}, {}, {}, {}}),
            "INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed");
  EXPECT_EQ(refusal({"..", {}, {}, {}, {}}),
            "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '..' is not allowed");
  EXPECT_EQ(refusal({"a b", {}, {}, {}, {}}),
            "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'a b' contains one or more characters other "
            "than ASCII alphanumerics, '.', '_' "
            "and '-'");
  EXPECT_EQ(refusal({"a_b", {}, {}, {}, {}}),
            "INVALID_TOPIC_EXCEPTION: Topic 'a_b' collides with existing topic: a.b");
  EXPECT_EQ(refusal({"a.b", {}, {}, {}, {}}), "TOPIC_ALREADY_EXISTS: Topic 'a.b' already exists.");
  EXPECT_EQ(refusal({"going", {}, {}, {}, {}}),
            "TOPIC_ALREADY_EXISTS: Topic 'going' is marked for deletion.");
  EXPECT_EQ(refusal({std::string(249, 'x'), {}, {}, {}, {}}), "");
  EXPECT_TRUE(refusal({std::string(250, 'x'), {}, {}, {}, {}})
                  .ends_with("is longer than the max allowed length 249"));
}

TEST_F(TopicPlan, RefusesCountsAndAssignments) {
  EXPECT_EQ(refusal({"t", 0, {}, {}, {}}),
            "INVALID_PARTITIONS: Number of partitions was set to an invalid non-positive value.");
  EXPECT_EQ(refusal({"t", 1, 0, {}, {}}),
            "INVALID_REPLICATION_FACTOR: Replication factor was set to an invalid non-positive value.");
  EXPECT_TRUE(refusal({"t", 1, 4, {}, {}})
                  .starts_with("INVALID_REPLICATION_FACTOR: Unable to replicate the partition 4 time(s)"));
  EXPECT_EQ(refusal({"t", {}, {}, {{1, {BrokerId(1)}}}, {}}),
            "INVALID_REPLICA_ASSIGNMENT: partitions should be a consecutive 0-based integer sequence");
  EXPECT_EQ(refusal({"t", {}, {}, {{0, {BrokerId(9)}}}, {}}),
            "INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes broker 9, but no such "
            "broker is registered.");
  EXPECT_EQ(
      refusal({"t", {}, {}, {{0, {BrokerId(1), BrokerId(1)}}}, {}}),
      "INVALID_REPLICA_ASSIGNMENT: The manual partition assignment includes the broker 1 more than once.");
  EXPECT_TRUE(refusal({"t", {}, {}, {{0, {BrokerId(1)}}, {1, {BrokerId(1), BrokerId(2)}}}, {}})
                  .starts_with("INVALID_REPLICA_ASSIGNMENT"));
  EXPECT_TRUE(refusal({"t", 1, {}, {{0, {BrokerId(1)}}}, {}}).starts_with("INVALID_REQUEST"));
  EXPECT_EQ(refusal({"t", 1, {}, {}, {{"x", "1"}}}), "INVALID_CONFIG: Unknown topic config name: x");
}

TEST_F(TopicPlan, RefusesPartitionsThatAreNoIncrease) {
  const auto refused = [&](const NewPartitions& request) {
    return plan_partitions(image_, request, 0).error().context;
  };
  EXPECT_EQ(refused({"a.b", 2, {}}), "Topic already has 2 partition(s).");
  EXPECT_EQ(refused({"a.b", 1, {}}),
            "The topic a.b currently has 2 partition(s); 1 would not be an increase.");
  EXPECT_EQ(refused({"none", 1, {}}), "The topic 'none' does not exist.");
  EXPECT_EQ(refused({"a.b", 4, {{BrokerId(1)}}}),
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
}

TEST_F(TopicPlan, SpreadsLeadersAndReplicasEvenly) {
  for (const std::uint64_t seed : {0ULL, 7ULL, 0x500000001ULL}) {
    const auto placed = place_replicas(image_.brokers, 0, 30, 2, seed);
    std::map<BrokerId, int> leads;
    std::map<BrokerId, int> holds;
    for (const auto& replicas : *placed) {
      ASSERT_TRUE(check_replicas(image_.brokers, replicas, 2));
      leads[replicas[0]] += 1;
      for (const BrokerId id : replicas) holds[id] += 1;
    }
    for (const int id : {1, 2, 3}) {
      EXPECT_EQ(leads[BrokerId(id)], 10);
      EXPECT_EQ(holds[BrokerId(id)], 20);
    }
  }
}

TEST_F(TopicPlan, CutsLargeTopicsIntoChunksThatFit) {
  TopicInfo topic;
  topic.name = std::string(249, 'n');
  topic.partitions.resize(10000);
  for (auto& partition : topic.partitions) partition.replicas = {BrokerId(1), BrokerId(2), BrokerId(3)};

  std::size_t total = 0;
  for (const auto& chunk : into_chunks(creation_operations(image_, topic, ControllerEpoch(1))))
    total += chunk.size();

  EXPECT_EQ(total, 20003U);
}

TEST(TopicTable, SharesAndFinds) {
  TopicTable table;
  for (int i = 0; i < 3000; ++i) {
    auto topic = std::make_shared<TopicInfo>();
    topic->name = fmt::format("t{}", i);
    topic->id.bytes[0] = static_cast<std::byte>(i % 251);
    topic->id.bytes[1] = static_cast<std::byte>(i / 251 + 1);
    table.put(std::move(topic));
  }
  TopicTable copy = table;
  copy.erase("t7");

  EXPECT_EQ(table.size(), 3000U);
  EXPECT_EQ(copy.size(), 2999U);
  EXPECT_EQ(copy.find("t7"), nullptr);
  EXPECT_EQ(copy.find(table.find("t7")->id), nullptr);
  EXPECT_EQ(copy.find("t8"), table.find("t8"));
  EXPECT_EQ(copy.find(table.find("t8")->id)->name, "t8");
  EXPECT_EQ(copy.sorted().front()->name, "t0");
}

}  // namespace
}  // namespace brook::cluster

#include "coordinator/streams_topology.h"

#include <gtest/gtest.h>

#include "coordinator/testing/streams_thread.h"

namespace brook::coordinator {
namespace {

using testing::counting_topology;
using testing::FakeFacts;

TEST(StreamsTopology, MissesItsSources) {
  const FakeFacts facts;

  const auto configured = configure(topology_from(counting_topology()), facts);

  ASSERT_TRUE(configured && configured->problem);
  EXPECT_EQ(configured->problem->status, StreamsStatus::kMissingSourceTopics);
  EXPECT_EQ(configured->problem->detail, "Source topics lines are missing.");
  EXPECT_TRUE(configured->missing.empty());
}

TEST(StreamsTopology, AsksForInternalTopicsOfTheSizeOfWhatFlowsIn) {
  FakeFacts facts;
  facts.set("lines", 3);

  const auto configured = configure(topology_from(counting_topology()), facts);

  ASSERT_TRUE(configured && configured->problem);
  EXPECT_EQ(configured->problem->status, StreamsStatus::kMissingInternalTopics);
  ASSERT_EQ(configured->missing.size(), 2U);
  EXPECT_EQ(configured->missing[0], (StreamsInternalTopic{"words", 3, {}, {{"cleanup.policy", "delete"}}}));
  EXPECT_EQ(configured->missing[1], (StreamsInternalTopic{"counts", 3, {}, {{"cleanup.policy", "compact"}}}));
}

TEST(StreamsTopology, IsReadyWhenAllIsThere) {
  FakeFacts facts;
  facts.set("lines", 3);
  facts.set("words", 3);
  facts.set("counts", 3);

  const auto configured = configure(topology_from(counting_topology()), facts);

  ASSERT_TRUE(configured && configured->ready());
  EXPECT_EQ(configured->subtopologies.at("0").tasks, 3);
  EXPECT_FALSE(configured->subtopologies.at("0").stateful);
  EXPECT_EQ(configured->subtopologies.at("1").tasks, 3);
  EXPECT_TRUE(configured->subtopologies.at("1").stateful);
}

TEST(StreamsTopology, SaysThatAnInternalTopicHasTheWrongSize) {
  FakeFacts facts;
  facts.set("lines", 3);
  facts.set("words", 3);
  facts.set("counts", 2);

  const auto configured = configure(topology_from(counting_topology()), facts);

  ASSERT_TRUE(configured && configured->problem);
  EXPECT_EQ(configured->problem->status, StreamsStatus::kIncorrectlyPartitionedTopics);
  EXPECT_EQ(configured->problem->detail,
            "Existing topic counts has different number of partitions: expected 3, found 2");
}

TEST(StreamsTopology, GivesARepartitionTopicTheSizeOfWhatItIsJoinedWith) {
  FakeFacts facts;
  facts.set("lines", 3);
  facts.set("pages", 5);
  auto asked = counting_topology();
  asked.subtopologies[1].source_topics = {"pages"};
  asked.subtopologies[1].copartition_groups.push_back({{0}, {}, {0}});

  const auto configured = configure(topology_from(asked), facts);

  ASSERT_TRUE(configured);
  EXPECT_EQ(configured->internal_partitions.at("words"), 5);
  EXPECT_EQ(configured->internal_partitions.at("counts"), 5);
}

TEST(StreamsTopology, RefusesToJoinSourcesOfDifferentSizes) {
  FakeFacts facts;
  facts.set("lines", 3);
  facts.set("pages", 5);
  auto asked = counting_topology();
  asked.subtopologies[0].source_topics = {"lines", "pages"};
  asked.subtopologies[0].copartition_groups.push_back({{0, 1}, {}, {}});

  const auto configured = configure(topology_from(asked), facts);

  ASSERT_TRUE(configured && configured->problem);
  EXPECT_EQ(configured->problem->status, StreamsStatus::kIncorrectlyPartitionedTopics);
  EXPECT_EQ(configured->problem->detail,
            "Following topics do not have the same number of partitions: [lines, pages]");
}

TEST(StreamsTopology, RefusesLoopsWhoseSizeNothingTells) {
  FakeFacts facts;
  facts.set("lines", 3);
  auto asked = counting_topology();
  asked.subtopologies[0].source_topics.clear();
  asked.subtopologies[0].repartition_source_topics.push_back({"back", 0, 0, {}});
  asked.subtopologies[1].repartition_sink_topics = {"back"};

  const auto configured = configure(topology_from(asked), facts);

  ASSERT_FALSE(configured);
  EXPECT_EQ(configured.error().code, ErrorCode::kStreamsInvalidTopology);
}

TEST(StreamsTopology, IsRefusedWithAJoinOfTopicsThatItDoesNotRead) {
  auto asked = counting_topology();
  asked.subtopologies[0].copartition_groups.push_back({{1}, {}, {}});

  EXPECT_EQ(check_topology(asked).error().code, ErrorCode::kStreamsInvalidTopology);
}

}  // namespace
}  // namespace brook::coordinator

#include "client/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/client.h"
#include "client/testing/scripted_broker.h"
#include "protocol/create_topics.h"
#include "protocol/delete_topics.h"
#include "protocol/describe_configs.h"
#include "protocol/incremental_alter_configs.h"
#include "protocol/list_offsets.h"
#include "runtime/testing/run.h"

namespace brook::client {
namespace {

using namespace protocol;
using runtime::Shard;
using runtime::testing::run;
using testing::ScriptedBroker;

std::int16_t wire(ErrorCode code) { return static_cast<std::int16_t>(code); }

TEST(Admin, CreatesTopicsAndTellsEachOutcome) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.answer<CreateTopicsRequest, CreateTopicsResponse>([](const CreateTopicsRequest& request) {
      EXPECT_EQ(request.topics[0].num_partitions, 3);
      EXPECT_EQ(request.topics[0].replication_factor, -1);
      EXPECT_EQ(request.topics[0].configs[0].value, "compact");
      EXPECT_EQ(request.topics[1].assignments[1].broker_ids, (std::vector<std::int32_t>{2, 1}));
      CreateTopicsResponse response;
      // In another order than they were asked for.
      auto& taken = response.topics.emplace_back();
      taken.name = "taken";
      taken.error_code = wire(ErrorCode::kTopicAlreadyExists);
      taken.error_message = "Topic 'taken' already exists.";
      auto& made = response.topics.emplace_back();
      made.name = "made";
      made.num_partitions = 3;
      made.replication_factor = 1;
      return response;
    });
    Client client(shard, broker.client_options());
    std::vector<NewTopic> topics(2);
    topics[0].name = "made";
    topics[0].partitions = 3;
    topics[0].configs["cleanup.policy"] = "compact";
    topics[1].name = "taken";
    topics[1].assignment = {{BrokerId(1), BrokerId(2)}, {BrokerId(2), BrokerId(1)}};

    const auto outcomes = co_await Admin(client).create_topics(std::move(topics));

    EXPECT_TRUE(outcomes);
    if (outcomes) {
      EXPECT_EQ((*outcomes)[0].outcome->partitions, 3);
      EXPECT_EQ((*outcomes)[1].outcome.error(),
                (Error{ErrorCode::kTopicAlreadyExists, "Topic 'taken' already exists."}));
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Admin, AsksTheNewControllerWhereOneWasReplaced) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ScriptedBroker other(shard);
    broker.add_broker(2, other.address());
    broker.answer<DeleteTopicsRequest, DeleteTopicsResponse>([&broker](const DeleteTopicsRequest& request) {
      broker.controller = 2;
      DeleteTopicsResponse response;
      auto& item = response.responses.emplace_back();
      item.name = request.topics[0].name;
      item.error_code = wire(ErrorCode::kNotController);
      return response;
    });
    other.answer<DeleteTopicsRequest, DeleteTopicsResponse>([](const DeleteTopicsRequest& request) {
      DeleteTopicsResponse response;
      response.responses.emplace_back().name = request.topics[0].name;
      return response;
    });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await Admin(client).delete_topics({"orders"});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    EXPECT_EQ(other.count(ApiKey::kDeleteTopics), 1U);
    co_await client.stop();
    co_await broker.stop();
    co_await other.stop();
  });
}

TEST(Admin, DeletesByNameAtABrokerThatKnowsNoIds) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.speak(ApiKey::kDeleteTopics, 0, 3);
    broker.answer<DeleteTopicsRequest, DeleteTopicsResponse>([](const DeleteTopicsRequest& request) {
      EXPECT_EQ(request.topic_names, (std::vector<std::string>{"orders"}));
      DeleteTopicsResponse response;
      response.responses.emplace_back().name = "orders";
      return response;
    });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await Admin(client).delete_topics({"orders"});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    co_await client.stop();
    co_await broker.stop();
  });
}

/// Answers offset 10 for earliest and 20 for latest.
ListOffsetsResponse offsets_of(const ListOffsetsRequest& request) {
  ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& entry = response.topics.emplace_back();
    entry.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& answer = entry.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.offset = partition.timestamp == -2 ? 10 : 20;
    }
  }
  return response;
}

TEST(Admin, AsksTwiceWhereAPartitionIsAskedForTwice) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.add_topic("orders", 1);
    broker.answer<ListOffsetsRequest, ListOffsetsResponse>(offsets_of);
    Client client(shard, broker.client_options());
    const TopicPartition partition{"orders", PartitionIndex(0)};

    const auto outcomes = co_await Admin(client).list_offsets(
        {{partition, OffsetSpec::latest()}, {partition, OffsetSpec::earliest()}});

    EXPECT_TRUE(outcomes);
    if (outcomes) {
      EXPECT_EQ((*outcomes)[0].outcome->offset, Offset(20));
      EXPECT_EQ((*outcomes)[1].outcome->offset, Offset(10));
    }
    EXPECT_EQ(broker.count(ApiKey::kListOffsets), 2U);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Admin, FollowsAPartitionToItsNewLeader) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ScriptedBroker other(shard);
    broker.add_broker(2, other.address());
    broker.add_topic("orders", 1);
    broker.answer<ListOffsetsRequest, ListOffsetsResponse>([&broker](const ListOffsetsRequest& request) {
      broker.lead("orders", 2);
      ListOffsetsResponse response = offsets_of(request);
      response.topics[0].partitions[0].error_code = wire(ErrorCode::kNotLeaderOrFollower);
      return response;
    });
    other.answer<ListOffsetsRequest, ListOffsetsResponse>(offsets_of);
    // Whichever of the two is asked for metadata knows the same.
    other.answer<MetadataRequest, MetadataResponse>([](const MetadataRequest& /*request*/) {
      MetadataResponse response;
      response.error_code = wire(ErrorCode::kRequestTimedOut);
      return response;
    });
    Client client(shard, broker.client_options());

    const auto outcomes =
        co_await Admin(client).list_offsets({{{"orders", PartitionIndex(0)}, OffsetSpec::latest()}});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    EXPECT_EQ(other.count(ApiKey::kListOffsets), 1U);
    co_await client.stop();
    co_await broker.stop();
    co_await other.stop();
  });
}

TEST(Admin, SaysOfAnUnknownPartitionThatItIsUnknown) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.add_topic("orders", 1);
    broker.answer<ListOffsetsRequest, ListOffsetsResponse>(offsets_of);
    Client client(shard, broker.client_options());

    const auto outcomes =
        co_await Admin(client).list_offsets({{{"orders", PartitionIndex(0)}, OffsetSpec::latest()},
                                             {{"orders", PartitionIndex(1)}, OffsetSpec::latest()}});

    EXPECT_TRUE(outcomes);
    if (outcomes) {
      EXPECT_TRUE((*outcomes)[0].outcome);
      EXPECT_EQ((*outcomes)[1].outcome.error().code, ErrorCode::kUnknownTopicOrPartition);
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Admin, AsksABrokerForItsOwnSettingsAndTellsWhichDoesNotExist) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.answer<DescribeConfigsRequest, DescribeConfigsResponse>([](const DescribeConfigsRequest& request) {
      EXPECT_FALSE(request.resources[0].configuration_keys);
      DescribeConfigsResponse response;
      auto& result = response.results.emplace_back();
      result.resource_type = request.resources[0].resource_type;
      result.resource_name = request.resources[0].resource_name;
      auto& config = result.configs.emplace_back();
      config.name = "log.retention.ms";
      config.value = "1000";
      config.config_source = 4;
      config.config_type = 5;
      config.synonyms.push_back({"log.retention.ms", "1000", 4});
      return response;
    });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await Admin(client).describe_configs(
        {{ConfigResourceType::kBroker, "1"}, {ConfigResourceType::kBroker, "7"}});

    EXPECT_TRUE(outcomes);
    if (outcomes) {
      const ConfigEntry& entry = (*outcomes)[0].outcome->at(0);
      EXPECT_EQ(entry.name, "log.retention.ms");
      EXPECT_EQ(entry.source, ConfigSource::kStaticBroker);
      EXPECT_EQ(entry.type, ConfigType::kLong);
      EXPECT_EQ(entry.synonyms.size(), 1U);
      EXPECT_EQ((*outcomes)[1].outcome.error().code, ErrorCode::kBrokerNotAvailable);
    }
    EXPECT_EQ(broker.count(ApiKey::kDescribeConfigs), 1U);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Admin, SendsEveryOperationOfAnAlteration) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.answer<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
        [](const IncrementalAlterConfigsRequest& request) {
          EXPECT_TRUE(request.validate_only);
          EXPECT_EQ(request.resources[0].configs[0].config_operation, 2);
          EXPECT_EQ(request.resources[0].configs[0].value, "compact");
          EXPECT_EQ(request.resources[0].configs[1].config_operation, 1);
          EXPECT_FALSE(request.resources[0].configs[1].value);
          IncrementalAlterConfigsResponse response;
          auto& item = response.responses.emplace_back();
          item.resource_type = 2;
          item.resource_name = "orders";
          item.error_code = wire(ErrorCode::kInvalidConfig);
          return response;
        });
    Client client(shard, broker.client_options());
    AlterConfigs alter{{ConfigResourceType::kTopic, "orders"}, {}};
    alter.changes.push_back({"cleanup.policy", AlterConfigOperation::kAppend, "compact"});
    alter.changes.push_back({"retention.ms", AlterConfigOperation::kDelete, std::nullopt});

    const auto outcomes = co_await Admin(client).alter_configs({alter}, true);

    EXPECT_TRUE(outcomes);
    if (outcomes) {
      EXPECT_EQ((*outcomes)[0].outcome.error(), (Error{ErrorCode::kInvalidConfig, "orders: INVALID_CONFIG"}));
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

}  // namespace
}  // namespace brook::client

#include "cluster/znode_codec.h"

#include <gtest/gtest.h>

namespace brook::cluster {
namespace {

// Payloads as Apache Kafka 3.9.2 wrote them.
constexpr std::string_view kBroker =
    R"({"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT","SASL_PLAINTEXT":"SASL_PLAINTEXT"},"endpoints":["PLAINTEXT://127.0.0.1:39092","SASL_PLAINTEXT://127.0.0.1:39192"],"rack":"rack0","jmx_port":-1,"port":39092,"host":"127.0.0.1","version":5,"timestamp":"1795395318228"})";
constexpr std::string_view kTopic =
    R"({"partitions":{"0":[1,0],"1":[1,0],"2":[0,1]},"topic_id":"Nt_k5FMhSqWkQqAFN6x9fw","adding_replicas":{},"removing_replicas":{"0":[0]},"version":3})";

TEST(ZnodeCodec, ReadsWhatKafkaWrote) {
  const auto broker = decode_broker(BrokerId(0), kBroker);
  EXPECT_EQ(broker->rack, "rack0");
  EXPECT_EQ(broker->endpoints,
            (std::vector<Endpoint>{{"PLAINTEXT", "127.0.0.1", 39092, "PLAINTEXT"},
                                   {"SASL_PLAINTEXT", "127.0.0.1", 39192, "SASL_PLAINTEXT"}}));

  const auto topic = decode_topic(kTopic);
  EXPECT_EQ(topic->id.text(), "Nt_k5FMhSqWkQqAFN6x9fw");
  ASSERT_EQ(topic->partitions.size(), 3U);
  EXPECT_EQ(topic->partitions[2].replicas, (std::vector{BrokerId(0), BrokerId(1)}));
  EXPECT_EQ(topic->partitions[0].removing, std::vector{BrokerId(0)});

  const auto state =
      decode_partition_state(R"({"controller_epoch":2,"leader":-1,"version":1,"leader_epoch":5,"isr":[1]})");
  EXPECT_EQ(state->leader, std::nullopt);
  EXPECT_EQ(state->leader_epoch, LeaderEpoch(5));

  EXPECT_EQ(
      decode_controller(R"({"version":2,"brokerid":3,"timestamp":"1795395345819","kraftControllerEpoch":-1})")
          ->broker,
      BrokerId(3));
  EXPECT_EQ(*decode_controller_epoch("2"), ControllerEpoch(2));
  EXPECT_EQ(*decode_cluster_id(R"({"version":"1","id":"zbaRzrwtTS2u521kCqoxxQ"})"), "zbaRzrwtTS2u521kCqoxxQ");
  EXPECT_EQ(decode_producer_id_block(R"({"version":1,"broker":0,"block_start":"0","block_end":"999"})")->last,
            999);
  EXPECT_EQ(*decode_config(R"({"version":1,"config":{"min.insync.replicas":"1"}})"),
            (ConfigMap{{"min.insync.replicas", "1"}}));
}

TEST(ZnodeCodec, WritesWhatItReads) {
  const auto broker = decode_broker(BrokerId(0), kBroker);
  EXPECT_EQ(*decode_broker(BrokerId(0), encode_broker(*broker, Timestamp(1))), *broker);
  const auto topic = decode_topic(kTopic);
  const auto again = decode_topic(encode_topic(*topic));
  EXPECT_EQ(again->id, topic->id);
  EXPECT_EQ(again->partitions, topic->partitions);
  EXPECT_EQ(encode_controller({BrokerId(1), Timestamp(5)}),
            R"({"version":2,"brokerid":1,"timestamp":"5","kraftControllerEpoch":-1})");
}

TEST(ZnodeCodec, RefusesWhatItCannotRead) {
  for (const std::string_view bad :
       {"", "x", "[]", "{}", R"({"partitions":{"1":[0]}})", R"({"partitions":{"0":["a"]}})"}) {
    EXPECT_EQ(decode_topic(bad).error().code, ErrorCode::kKafkaStorageError) << bad;
  }
  EXPECT_FALSE(decode_controller_epoch("x"));
  EXPECT_FALSE(
      decode_partition_state(R"({"leader":99999999999,"leader_epoch":0,"controller_epoch":0,"isr":[]})"));
}

TEST(ZnodeCodec, KnowsWhoseConfigurationAPathHolds) {
  const auto is = [](ConfigEntity entity, std::string name) {
    return std::optional(ConfigResource{entity, std::move(name)});
  };
  EXPECT_EQ(config_resource_at("/config/brokers/<default>"), is(ConfigEntity::kBroker, ""));
  EXPECT_EQ(config_resource_at("/config/users/alice/clients/app1"),
            is(ConfigEntity::kUser, "alice/clients/app1"));
  EXPECT_EQ(config_resource_at("/config/users/alice/clients"), std::nullopt);
  EXPECT_EQ(config_resource_at("/config/topics"), std::nullopt);
  EXPECT_EQ(config_resource_at("/config/changes/config_change_0000000000"), std::nullopt);
  const ConfigResource group{ConfigEntity::kGroup, "a/b c%.."};
  EXPECT_EQ(config_path(group), "/config/groups/a%2Fb%20c%25..");
  EXPECT_EQ(config_resource_at(config_path(group)), group);
  EXPECT_EQ(config_resource_at(config_path({ConfigEntity::kGroup, ".."})), is(ConfigEntity::kGroup, ".."));
}

}  // namespace
}  // namespace brook::cluster

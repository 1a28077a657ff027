#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/admin.h"
#include "client/testing/scripted_broker.h"
#include "protocol/describe_cluster.h"
#include "runtime/gate.h"
#include "runtime/testing/run.h"

namespace brook::client {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;
using runtime::Shard;
using runtime::testing::run;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ScriptedBroker;

/// A port of loopback that nobody listens on.
runtime::Address dead_address(Shard& shard) {
  const auto listener = shard.listen({"127.0.0.1", 0});
  return (*listener)->local();
}

TEST(Client, DescribesBrokersTopicsAndPartitions) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.add_topic("orders", 2);
    Client client(shard, broker.client_options());

    const auto metadata = co_await client.topics({"orders", "unknown"});

    EXPECT_TRUE(metadata);
    if (metadata) {
      EXPECT_EQ(metadata->cluster_id, "scripted");
      EXPECT_EQ(metadata->controller, BrokerId(1));
      EXPECT_EQ(metadata->brokers,
                (std::vector<Broker>{{BrokerId(1), "127.0.0.1", broker.address().port, "rack-a"}}));
      EXPECT_EQ(metadata->find("orders")->partitions.size(), 2U);
      EXPECT_EQ(metadata->find("orders")->find(PartitionIndex(1))->leader, BrokerId(1));
      EXPECT_EQ(metadata->find("orders")->find(PartitionIndex(1))->leader_epoch, LeaderEpoch(3));
      EXPECT_EQ(metadata->find("orders")->find(PartitionIndex(2)), nullptr);
      EXPECT_EQ(metadata->find("unknown")->error, ErrorCode::kUnknownTopicOrPartition);
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, UsesTheHighestVersionThatAnOlderBrokerHas) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.add_topic("orders", 1);
    // As Apache Kafka 2.1 says of itself.
    broker.speak(ApiKey::kApiVersions, 0, 2);
    broker.speak(ApiKey::kMetadata, 0, 7);
    Client client(shard, broker.client_options());

    const auto metadata = co_await client.topics({"orders"});

    EXPECT_TRUE(metadata);
    EXPECT_EQ(broker.last_version(ApiKey::kMetadata), 7);
    EXPECT_TRUE(!metadata || metadata->find("orders")->id.is_zero());
    EXPECT_EQ(broker.connections_accepted(), 1U);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, AsksForApiVersionsInVersion0WhereTheRefusalNamesNone) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.speak(ApiKey::kApiVersions, 0, 0);
    broker.names_versions_in_refusal = false;
    Client client(shard, broker.client_options());

    const auto metadata = co_await client.cluster();

    EXPECT_TRUE(metadata);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, SaysWhichVersionsABrokerLacks) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.speak(ApiKey::kMetadata, 0, 3);
    broker.unlearn(ApiKey::kDescribeCluster);
    Client client(shard, broker.client_options());

    const auto metadata = co_await Admin(client).describe_cluster();

    EXPECT_FALSE(metadata);
    if (!metadata) {
      EXPECT_EQ(metadata.error().code, ErrorCode::kUnsupportedVersion);
      EXPECT_THAT(metadata.error().context,
                  AllOf(HasSubstr("Metadata in versions 0 to 3"), HasSubstr("4 to 13")));
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, ConnectsAnewAndAsksAgainWhenAConnectionIsLost) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.hang_up(ApiKey::kMetadata, 2);
    Client client(shard, broker.client_options());

    const auto metadata = co_await client.cluster();

    EXPECT_TRUE(metadata);
    EXPECT_EQ(broker.count(ApiKey::kMetadata), 3U);
    EXPECT_EQ(broker.connections_accepted(), 3U);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, GivesUpARequestThatIsNotAnswered) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.keep_silent(ApiKey::kMetadata);
    ClientOptions options = broker.client_options();
    options.request_timeout = 200ms;
    options.operation_timeout = 1s;
    Client client(shard, options);

    const auto metadata = co_await client.cluster();

    EXPECT_FALSE(metadata);
    if (!metadata) {
      EXPECT_EQ(metadata.error().code, ErrorCode::kRequestTimedOut);
    }
    EXPECT_GE(broker.count(ApiKey::kMetadata), 2U);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, GoesToTheNextBootstrapServerWhereOneIsDead) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ClientOptions options = broker.client_options();
    options.bootstrap.insert(options.bootstrap.begin(), dead_address(shard));
    Client client(shard, options);

    const auto connected = co_await client.connect(0ms);

    EXPECT_TRUE(connected);
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(Client, SaysWhatEveryServerDidWhereNoneAnswers) {
  run<void>([](Shard& shard) -> Task<void> {
    ClientOptions options;
    options.bootstrap = {dead_address(shard), dead_address(shard)};
    Client client(shard, options);

    const auto connected = co_await client.connect(0ms);

    EXPECT_FALSE(connected);
    if (!connected) {
      EXPECT_EQ(connected.error().code, ErrorCode::kNetworkException);
      EXPECT_THAT(connected.error().context, HasSubstr(std::to_string(options.bootstrap[0].port)));
      EXPECT_THAT(connected.error().context, HasSubstr(std::to_string(options.bootstrap[1].port)));
    }
    co_await client.stop();
  });
}

Task<void> ask_for(Client& client, std::string topic, int& matched) {
  const auto metadata = co_await client.topics({topic});
  EXPECT_TRUE(metadata);
  if (metadata && metadata->topics.size() == 1 && metadata->topics[0].name == topic) ++matched;
}

TEST(Client, CarriesManyRequestsAtATimeOverOneConnection) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ClientOptions options = broker.client_options();
    options.requests_in_flight_max = 8;
    Client client(shard, options);
    runtime::Gate gate;
    int matched = 0;

    for (int number = 0; number < 100; ++number) {
      gate.spawn(ask_for(client, "topic-" + std::to_string(number), matched));
    }
    co_await gate.close();

    EXPECT_EQ(matched, 100);
    EXPECT_EQ(broker.connections_accepted(), 1U);
    co_await client.stop();
    co_await broker.stop();
  });
}

Task<void> stop_soon(Client& client, Shard& shard, const ScriptedBroker& broker) {
  while (broker.count(ApiKey::kMetadata) == 0) co_await shard.clock().sleep_until(shard.clock().now() + 1ms);
  co_await client.stop();
}

TEST(Client, EndsWhatWaitsWhenItIsStopped) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    broker.keep_silent(ApiKey::kMetadata);
    Client client(shard, broker.client_options());
    runtime::Gate gate;
    gate.spawn(stop_soon(client, shard, broker));

    const auto metadata = co_await client.cluster();

    EXPECT_FALSE(metadata);
    if (!metadata) {
      EXPECT_EQ(metadata.error().context, "the client was stopped");
    }
    co_await gate.close();
    co_await broker.stop();
  });
}

/// Answers whatever connects like a web server, and hangs up.
Task<void> answer_as_web_server(runtime::Listener& listener, Shard& shard) {
  auto pending = co_await listener.accept();
  if (!pending) co_return;
  const auto stream = shard.adopt(*std::move(pending));
  const ByteView text = as_bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
  (void)co_await stream->write({&text, 1});
}

TEST(Client, SaysSoWhereTheServerSpeaksAnotherProtocol) {
  run<void>([](Shard& shard) -> Task<void> {
    auto listener = shard.listen({"127.0.0.1", 0});
    runtime::Gate gate;
    gate.spawn(answer_as_web_server(**listener, shard));
    ClientOptions options;
    options.bootstrap = {(*listener)->local()};
    Client client(shard, options);

    const auto connected = co_await client.connect(0ms);

    EXPECT_FALSE(connected);
    if (!connected) {
      EXPECT_THAT(connected.error().context, HasSubstr("Does it speak Kafka's protocol"));
    }
    co_await client.stop();
    co_await gate.close();
  });
}

}  // namespace
}  // namespace brook::client

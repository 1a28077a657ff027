#include "cluster/config.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "cluster/config_table.h"
#include "cluster/properties.h"

namespace brook::cluster {
namespace {

BrokerConfig load(std::string_view text) {
  auto config = BrokerConfig::load(text, "server.properties");
  EXPECT_TRUE(config) << config.error().context;
  return *std::move(config);
}

std::string load_error(std::string_view text) {
  auto config = BrokerConfig::load(text, "server.properties");
  return config ? "" : config.error().context;
}

const DescribedConfig& find(const std::vector<DescribedConfig>& all, std::string_view key) {
  return *std::ranges::find(all, key, &DescribedConfig::key);
}

struct Layers {
  BrokerConfig file = load("");
  ConfigMap broker;
  ConfigMap cluster_default;
  [[nodiscard]] ConfigLayers get() const { return {file, broker, cluster_default}; }
};

TEST(Properties, ReadsJavasSyntax) {
  const Properties properties = parse_properties(
      "# comment\n! comment\n\na=1\n  b : two words  \nc three\nlong=x,\\\n   y\\\n# no "
      "comment\npath=c:\\\\dir\\tz\numl=\\u00fc\\uD83D\\uDE00\nkey\\ with\\=signs=v\nempty\r\n");

  std::vector<std::pair<std::string, std::string>> got;
  for (const auto& entry : properties.entries) got.emplace_back(entry.key, entry.value);
  const std::vector<std::pair<std::string, std::string>> expected = {{"a", "1"},
                                                                     {"b", "two words  "},
                                                                     {"c", "three"},
                                                                     {"long", "x,y# no comment"},
                                                                     {"path", "c:\\dir\tz"},
                                                                     {"uml", "ü😀"},
                                                                     {"key with=signs", "v"},
                                                                     {"empty", ""}};
  EXPECT_EQ(got, expected);
  EXPECT_EQ(properties.entries[3].line, 7);
  EXPECT_EQ(properties.entries[4].line, 10);
}

TEST(Properties, RefusesHalfAnEscape) { EXPECT_EQ(parse_properties("a=1\nb=\\u12g4\n").problems[0].line, 2); }

TEST(ConfigTable, HoldsOnlyDefaultsThatItWouldAccept) {
  for (const ConfigScope scope :
       {ConfigScope::kBroker, ConfigScope::kTopic, ConfigScope::kGroup, ConfigScope::kClientMetrics}) {
    EXPECT_TRUE(std::ranges::is_sorted(config_table(scope), {}, &ConfigDef::key));
    for (const ConfigDef& def : config_table(scope)) {
      EXPECT_EQ(find_config(scope, def.key), &def);
      if (!def.default_value) continue;
      const auto parsed = parse_config_value(def, *def.default_value);
      EXPECT_TRUE(parsed) << parsed.error().context;
    }
  }
  EXPECT_EQ(config_table(ConfigScope::kTopic).size(), 34U);
}

TEST(BrokerConfig, ReadsTheConnectionsOfSingleAddresses) {
  const auto config =
      BrokerConfig::load("max.connections.per.ip.overrides=10.0.0.7:5,[::1]:0,fe80::1:9", "f");
  ASSERT_TRUE(config) << config.error().context;
  const std::map<std::string, std::size_t> expected{{"10.0.0.7", 5}, {"::1", 0}, {"fe80::1", 9}};
  EXPECT_EQ(config->connections_per_ip_overrides(), expected);

  for (const std::string text : {"10.0.0.7", "10.0.0.7:", ":5", "10.0.0.7:x", "somewhere:5"}) {
    EXPECT_EQ(load_error("max.connections.per.ip.overrides=" + text),
              fmt::format("server.properties:1: max.connections.per.ip.overrides={}: must be a list of "
                          "ADDRESS:COUNT with numeric addresses",
                          text));
  }
}

TEST(BrokerConfig, NamesFileLineAndRule) {
  EXPECT_EQ(load_error("\n# x\nnum.partitions=abc\n"),
            "server.properties:3: num.partitions=abc: must be an integer of at least 1");
  EXPECT_EQ(load_error("compression.gzip.level=10\ncompression.type=rar"),
            "server.properties:1: compression.gzip.level=10: must be an integer from 1 to 9, or -1\n"
            "server.properties:2: compression.type=rar: must be one of uncompressed, zstd, lz4, snappy, "
            "gzip, producer");
  EXPECT_EQ(load_error("auto.create.topics.enable=yes"),
            "server.properties:1: auto.create.topics.enable=yes: must be true or false");
  EXPECT_EQ(load_error("broker.id=2\nnode.id=1"),
            "server.properties:1: broker.id=2: must be the same as node.id=1");
  EXPECT_EQ(load_error("group.coordinator.rebalance.protocols=consumer"),
            "server.properties:1: group.coordinator.rebalance.protocols=consumer: must have classic");
}

TEST(BrokerConfig, WarnsOfUnknownKeysWithTheNearestOne) {
  const BrokerConfig config = load("num.partition=3\nfoo.bar=1\nnum.io.threads=4\n");

  EXPECT_EQ(config.warnings(),
            (std::vector<std::string>{
                "server.properties:2: foo.bar is no known key",
                "server.properties:3: num.io.threads is accepted but has no effect in Brook",
                "server.properties:1: num.partition is no known key; did you mean num.partitions?"}));
}

TEST(BrokerConfig, ComposesListeners) {
  const BrokerConfig config = load(
      "listeners=INTERNAL://:9092,EXTERNAL://0.0.0.0:9093,CONTROLLER://"
      ":9094\ncontroller.listener.names=CONTROLLER\n"
      "listener.security.protocol.map=INTERNAL:PLAINTEXT,EXTERNAL:SASL_SSL,CONTROLLER:PLAINTEXT\n"
      "advertised.listeners=EXTERNAL://broker.example:19093,INTERNAL://"
      "10.0.0.1:9092\ninter.broker.listener.name=INTERNAL\n"
      "log.dirs=/a, /b\nbroker.id=7\n");

  EXPECT_EQ(config.listeners(), (std::vector<Endpoint>{{"INTERNAL", "", 9092, "PLAINTEXT"},
                                                       {"EXTERNAL", "0.0.0.0", 9093, "SASL_SSL"}}));
  EXPECT_EQ(config.advertised_listeners(),
            (std::vector<Endpoint>{{"INTERNAL", "10.0.0.1", 9092, "PLAINTEXT"},
                                   {"EXTERNAL", "broker.example", 19093, "SASL_SSL"}}));
  EXPECT_EQ(config.inter_broker_listener(), "INTERNAL");
  EXPECT_EQ(config.log_dirs(), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(config.node_id(), BrokerId(7));
}

TEST(BrokerConfig, RefusesListenersThatNobodyCanUse) {
  EXPECT_EQ(load_error("listeners=PLAINTEXT:9092"),
            "server.properties:1: listeners=PLAINTEXT:9092: \"PLAINTEXT:9092\" is no listener: "
            "NAME://host:port is expected");
  EXPECT_EQ(load_error("listeners=FOO://:9092"),
            "server.properties:1: listeners=FOO://:9092: the listener FOO has no entry in "
            "listener.security.protocol.map");
  EXPECT_EQ(load_error("advertised.listeners=PLAINTEXT://0.0.0.0:9092"),
            "server.properties:1: advertised.listeners=PLAINTEXT://0.0.0.0:9092: clients can't connect to "
            "PLAINTEXT://0.0.0.0:9092");
}

TEST(BrokerConfig, CommandLineWinsOverTheFile) {
  const auto config = BrokerConfig::load("num.partitions=2", "server.properties", {{"num.partitions", "5"}});

  EXPECT_EQ(config->number("num.partitions"), 5);
  EXPECT_EQ(config->admin_listener()->port, 9644);
  EXPECT_FALSE(load("brook.admin.listener=").admin_listener());
}

TEST(TopicConfig, TakesItsDefaultsFromTheBrokersKeys) {
  Layers layers;
  EXPECT_EQ(topic_config(layers.get(), {}).retention_ms, std::chrono::hours(168));

  layers.file =
      load("log.retention.hours=1\nlog.segment.bytes=2097152\nlog.roll.hours=2\nlog.retention.bytes=5");
  EXPECT_EQ(topic_config(layers.get(), {}).retention_ms, std::chrono::hours(1));
  EXPECT_EQ(topic_config(layers.get(), {}).segment_bytes, 2097152);
  EXPECT_EQ(topic_config(layers.get(), {}).segment_ms, std::chrono::hours(2));
  EXPECT_EQ(topic_config(layers.get(), {}).retention_bytes, 5);

  layers.file = load("log.retention.hours=1\nlog.retention.minutes=3");
  EXPECT_EQ(topic_config(layers.get(), {}).retention_ms, std::chrono::minutes(3));
  layers.cluster_default["log.retention.ms"] = "44";
  EXPECT_EQ(topic_config(layers.get(), {}).retention_ms, std::chrono::milliseconds(44));
  layers.broker["log.retention.ms"] = "55";
  EXPECT_EQ(topic_config(layers.get(), {}).retention_ms, std::chrono::milliseconds(55));
  EXPECT_EQ(topic_config(layers.get(), {{"retention.ms", "66"}}).retention_ms, std::chrono::milliseconds(66));
  EXPECT_EQ(topic_config(layers.get(), {{"retention.ms", "-1"}}).retention_ms, std::nullopt);
  EXPECT_TRUE(topic_config(layers.get(), {{"cleanup.policy", "compact,delete"}}).cleanup_compact);
}

TEST(TopicConfig, IsTheDefaultOfItsStructWhereNothingIsSet) {
  TopicConfig expected;
  expected.retention_ms = std::chrono::hours(168);

  EXPECT_EQ(topic_config(Layers().get(), {}), expected);
}

TEST(DescribeConfigs, ListsWhereAValueComesFrom) {
  Layers layers;
  layers.file = load("log.retention.hours=1");
  layers.broker["log.retention.ms"] = "55";
  const auto all = describe_topic_config(layers.get(), {{"retention.ms", "66"}});

  const DescribedConfig& config = find(all, "retention.ms");
  EXPECT_EQ(config.value, "66");
  EXPECT_EQ(config.source, ConfigSource::kTopic);
  // Kafka lists the default of log.retention.ms only, which has none (seen in its answers), though 168 hours
  // are in force.
  ASSERT_EQ(config.synonyms.size(), 3U);
  EXPECT_EQ(config.synonyms[1].key, "log.retention.ms");
  EXPECT_EQ(config.synonyms[1].source, ConfigSource::kDynamicBroker);
  EXPECT_EQ(config.synonyms[2].key, "log.retention.hours");
  EXPECT_EQ(config.synonyms[2].value, "1");
  EXPECT_EQ(config.synonyms[2].source, ConfigSource::kStaticBroker);
  EXPECT_EQ(find(all, "segment.bytes").synonyms.back().key, "log.segment.bytes");
  EXPECT_EQ(find(all, "segment.bytes").synonyms.back().source, ConfigSource::kDefault);
  EXPECT_EQ(find(describe_topic_config(layers.get(), {}), "segment.ms").value, "604800000");
}

TEST(DescribeConfigs, HidesPasswords) {
  Layers layers;
  layers.file = load("ssl.key.password=secret");

  const auto all = describe_broker_config(layers.get());

  EXPECT_TRUE(find(all, "ssl.key.password").sensitive);
  EXPECT_EQ(find(all, "ssl.key.password").value, std::nullopt);
  EXPECT_EQ(find(all, "ssl.key.password").synonyms[0].value, std::nullopt);
  EXPECT_TRUE(find(all, "node.id").read_only);
  EXPECT_FALSE(find(all, "log.segment.bytes").read_only);
}

std::string alter_error(const ConfigResource& resource, std::vector<ConfigAlteration> alterations) {
  const Layers layers;
  const auto altered = alter_config(layers.get(), resource, {}, alterations);
  return altered ? "" : altered.error().context;
}

TEST(AlterConfigs, RefusesInKafkasWords) {
  const ConfigResource topic{ConfigEntity::kTopic, "t"};
  EXPECT_EQ(alter_error(topic, {{"foo", AlterOperation::kSet, "1"}}), "Unknown topic config name: foo");
  EXPECT_EQ(alter_error(topic, {{"retention.ms", AlterOperation::kSet, "abc"}}),
            "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(alter_error(topic, {{"segment.bytes", AlterOperation::kSet, "10"}}),
            "Invalid value 10 for configuration segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(alter_error(topic, {{"cleanup.policy", AlterOperation::kSet, "x"}}),
            "Invalid value x for configuration cleanup.policy: String must be one of: compact, delete");
  EXPECT_EQ(alter_error(topic, {{"retention.ms", AlterOperation::kAppend, "1"}}),
            "Can't APPEND to key retention.ms because its type is not LIST.");
  EXPECT_EQ(alter_error(topic, {{"max.compaction.lag.ms", AlterOperation::kSet, "1"},
                                {"min.compaction.lag.ms", AlterOperation::kSet, "2"}}),
            "conflict topic config setting min.compaction.lag.ms (2) > max.compaction.lag.ms (1)");
  EXPECT_EQ(alter_error({ConfigEntity::kBroker, "1"}, {{"node.id", AlterOperation::kSet, "1"}}),
            "Cannot update these configs dynamically: [node.id]");
  EXPECT_EQ(alter_error({ConfigEntity::kBroker, ""}, {{"listeners", AlterOperation::kSet, "A://:1"}}),
            "Cannot update these configs at default cluster level, broker id must be specified: [listeners]");
  EXPECT_EQ(alter_error({ConfigEntity::kBroker, ""}, {{"ssl.keystore.location", AlterOperation::kSet, "x"}}),
            "These security configs can be dynamically updated only per-listener using the listener prefix: "
            "[ssl.keystore.location]");
}

TEST(AlterConfigs, AppendsToAndSubtractsFromWhatIsInForce) {
  const Layers layers;
  const ConfigResource topic{ConfigEntity::kTopic, "t"};

  const auto both =
      alter_config(layers.get(), topic, {}, {{"cleanup.policy", AlterOperation::kAppend, "compact"}});
  EXPECT_EQ(*both, (ConfigMap{{"cleanup.policy", "delete,compact"}}));
  const auto one =
      alter_config(layers.get(), topic, *both, {{"cleanup.policy", AlterOperation::kSubtract, "delete"}});
  EXPECT_EQ(*one, (ConfigMap{{"cleanup.policy", "compact"}}));
  const auto none =
      alter_config(layers.get(), topic, *one, {{"cleanup.policy", AlterOperation::kDelete, std::nullopt}});
  EXPECT_TRUE(none->empty());
}

}  // namespace
}  // namespace brook::cluster

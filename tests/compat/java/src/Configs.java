import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigType;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Settings of topics and brokers: described with where they come from, altered, refused. */
final class Configs {
    /** Of Apache Kafka after 4.3: KIP-1191. */
    private static final Set<String> LATER_TOPIC_SETTINGS = Set.of("errors.deadletterqueue.group.enable");
    private static final Set<String> TOPIC_SETTINGS = Set.of("cleanup.policy", "compression.gzip.level", "compression.lz4.level",
            "compression.type", "compression.zstd.level", "delete.retention.ms", "file.delete.delay.ms", "flush.messages", "flush.ms",
            "follower.replication.throttled.replicas", "index.interval.bytes", "leader.replication.throttled.replicas",
            "local.retention.bytes", "local.retention.ms", "max.compaction.lag.ms", "max.message.bytes", "message.timestamp.after.max.ms",
            "message.timestamp.before.max.ms", "message.timestamp.type", "min.cleanable.dirty.ratio", "min.compaction.lag.ms",
            "min.insync.replicas", "preallocate", "remote.log.copy.disable", "remote.log.delete.on.disable", "remote.storage.enable",
            "retention.bytes", "retention.ms", "segment.bytes", "segment.index.bytes", "segment.jitter.ms", "segment.ms",
            "unclean.leader.election.enable");

    private final Session session;
    private final Admin admin;
    private final ConfigResource broker;
    private final ConfigResource allBrokers = new ConfigResource(ConfigResource.Type.BROKER, "");

    private Configs(Session session) throws Exception {
        this.session = session;
        this.admin = session.admin;
        int id = Check.get(admin.describeCluster().nodes()).iterator().next().id();
        this.broker = new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id));
    }

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            Configs configs = new Configs(session);
            configs.topicDescribed();
            configs.topicAltered();
            configs.topicRefused();
            configs.brokerDescribed();
            configs.brokerAltered();
            configs.brokerRefused();
            configs.resourcesListed();
            return "topic and broker settings described, altered, refused";
        });
    }

    private static ConfigResource ofTopic(String name) {
        return new ConfigResource(ConfigResource.Type.TOPIC, name);
    }

    private Config describe(ConfigResource resource, boolean synonyms, boolean documentation) throws Exception {
        var options = new DescribeConfigsOptions().includeSynonyms(synonyms).includeDocumentation(documentation);
        return Check.get(admin.describeConfigs(List.of(resource), options).all()).get(resource);
    }

    private static void checkEntry(Config config, String name, String value, ConfigSource source, ConfigType type) {
        ConfigEntry entry = config.get(name);
        Check.require(entry != null, "%s is not described", name);
        Check.equal("value of " + name, entry.value(), value);
        Check.equal("source of " + name, entry.source(), source);
        Check.equal("type of " + name, entry.type(), type);
    }

    /** Synonyms as Kafka lists them: the setting in effect first, then what it would fall back to. */
    private static String synonyms(Config config, String name) {
        return config.get(name).synonyms().stream().map(each -> each.name() + "=" + each.value() + " " + each.source())
                .collect(Collectors.joining(", "));
    }

    private static AlterConfigOp op(OpType type, String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    private void alter(ConfigResource resource, AlterConfigOp... operations) throws Exception {
        Check.get(admin.incrementalAlterConfigs(Map.of(resource, List.of(operations))).all());
    }

    private void topicDescribed() throws Exception {
        ConfigResource topic = ofTopic(session.create("described", 1, Map.of("retention.ms", "-1", "segment.bytes", "2000000")));
        Config config = describe(topic, true, true);
        Set<String> names = config.entries().stream().map(ConfigEntry::name).collect(Collectors.toSet());
        Check.equal("settings of a topic that are missing", difference(TOPIC_SETTINGS, names), List.of());
        names.removeAll(LATER_TOPIC_SETTINGS);
        Check.equal("settings of a topic that Kafka does not have", difference(names, TOPIC_SETTINGS), List.of());
        for (ConfigEntry entry : config.entries()) {
            Check.require(entry.documentation() != null && !entry.documentation().isBlank(), "%s has no documentation", entry.name());
            Check.equal(entry.name() + ": read-only", entry.isReadOnly(), false);
            Check.equal(entry.name() + ": sensitive", entry.isSensitive(), false);
        }
        checkEntry(config, "retention.ms", "-1", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LONG);
        checkEntry(config, "segment.bytes", "2000000", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.INT);
        checkEntry(config, "cleanup.policy", "delete", ConfigSource.DEFAULT_CONFIG, ConfigType.LIST);
        checkEntry(config, "compression.type", "producer", ConfigSource.DEFAULT_CONFIG, ConfigType.STRING);
        checkEntry(config, "min.cleanable.dirty.ratio", "0.5", ConfigSource.DEFAULT_CONFIG, ConfigType.DOUBLE);
        checkEntry(config, "unclean.leader.election.enable", "false", ConfigSource.DEFAULT_CONFIG, ConfigType.BOOLEAN);
        checkEntry(config, "max.message.bytes", "1048588", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
        checkEntry(config, "flush.messages", "9223372036854775807", ConfigSource.DEFAULT_CONFIG, ConfigType.LONG);
        checkEntry(config, "message.timestamp.after.max.ms", "3600000", ConfigSource.DEFAULT_CONFIG, ConfigType.LONG);
        checkEntry(config, "leader.replication.throttled.replicas", "", ConfigSource.DEFAULT_CONFIG, ConfigType.LIST);
        Check.equal("synonyms of segment.bytes", synonyms(config, "segment.bytes"),
                "segment.bytes=2000000 DYNAMIC_TOPIC_CONFIG, log.segment.bytes=1073741824 DEFAULT_CONFIG");
        Check.equal("synonyms of max.message.bytes", synonyms(config, "max.message.bytes"), "message.max.bytes=1048588 DEFAULT_CONFIG");
        Check.equal("synonyms of retention.ms", synonyms(config, "retention.ms"), "retention.ms=-1 DYNAMIC_TOPIC_CONFIG");

        Config brief = describe(topic, false, false);
        Check.equal("synonyms unasked", brief.get("segment.bytes").synonyms(), List.of());
        Check.equal("documentation unasked", brief.get("segment.bytes").documentation(), null);
        Check.equal("isDefault of a setting of the topic", brief.get("segment.bytes").isDefault(), false);
        Check.equal("isDefault of another", brief.get("segment.ms").isDefault(), true);

        Check.fails("describing the settings of an unknown topic", UnknownTopicOrPartitionException.class,
                () -> describe(ofTopic(session.topic("unknown")), false, false));
    }

    private static List<String> difference(Set<String> from, Set<String> without) {
        return from.stream().filter(name -> !without.contains(name)).sorted().toList();
    }

    private void topicAltered() throws Exception {
        ConfigResource topic = ofTopic(session.create("altered", 1, Map.of("segment.bytes", "2000000")));
        alter(topic, op(OpType.SET, "retention.ms", "123456789"), op(OpType.APPEND, "cleanup.policy", "compact"),
                op(OpType.DELETE, "segment.bytes", null), op(OpType.SET, "compression.type", "lz4"));
        Check.eventually(() -> {
            Config config = describe(topic, false, false);
            checkEntry(config, "retention.ms", "123456789", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LONG);
            checkEntry(config, "cleanup.policy", "delete,compact", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LIST);
            checkEntry(config, "segment.bytes", "1073741824", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
            checkEntry(config, "compression.type", "lz4", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.STRING);
        });
        // other settings stay; appending what is there and subtracting what is not changes nothing
        alter(topic, op(OpType.SUBTRACT, "cleanup.policy", "delete"));
        Check.eventually(() -> checkEntry(describe(topic, false, false), "cleanup.policy", "compact",
                ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LIST));
        alter(topic, op(OpType.APPEND, "cleanup.policy", "compact"), op(OpType.DELETE, "flush.ms", null));
        checkEntry(describe(topic, false, false), "cleanup.policy", "compact", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LIST);
        checkEntry(describe(topic, false, false), "retention.ms", "123456789", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LONG);

        Map<ConfigResource, Collection<AlterConfigOp>> validated = Map.of(topic, List.of(op(OpType.SET, "retention.ms", "1")));
        Check.get(admin.incrementalAlterConfigs(validated, new AlterConfigsOptions().validateOnly(true)).all());
        checkEntry(describe(topic, false, false), "retention.ms", "123456789", ConfigSource.DYNAMIC_TOPIC_CONFIG, ConfigType.LONG);
    }

    private void topicRefused() throws Exception {
        ConfigResource topic = ofTopic(session.create("refused", 1, Map.of()));
        List<AlterConfigOp> invalid = List.of(op(OpType.SET, "retention.ms", "soon"), op(OpType.SET, "segment.bytes", "1"),
                op(OpType.SET, "no.such.setting", "1"), op(OpType.APPEND, "retention.ms", "1"), op(OpType.SET, "cleanup.policy", "keep"),
                op(OpType.SET, "preallocate", "perhaps"));
        for (AlterConfigOp operation : invalid) {
            Exception refusal = Check.fails("altering with " + operation, InvalidConfigurationException.class, () -> {
                alter(topic, operation);
                return "";
            });
            Check.require(refusal.getMessage().contains(operation.configEntry().name()), "the refusal does not name the setting: %s", refusal);
        }
        Check.fails("setting null", InvalidRequestException.class, () -> {
            alter(topic, op(OpType.SET, "retention.ms", null));
            return "";
        });
        Check.fails("setting the same twice", InvalidRequestException.class, () -> {
            alter(topic, op(OpType.SET, "retention.ms", "1"), op(OpType.SET, "retention.ms", "2"));
            return "";
        });
        // of several changes to one resource with a bad one, none is made
        Check.fails("a good and a bad change", InvalidConfigurationException.class, () -> {
            alter(topic, op(OpType.SET, "retention.ms", "77777777"), op(OpType.SET, "segment.bytes", "1"));
            return "";
        });
        checkEntry(describe(topic, false, false), "retention.ms", "604800000", ConfigSource.DEFAULT_CONFIG, ConfigType.LONG);
        // with two resources each has its own answer
        ConfigResource unknown = ofTopic(session.topic("unknown"));
        var result = admin.incrementalAlterConfigs(Map.of(topic, List.of(op(OpType.SET, "retention.ms", "88888888")),
                unknown, List.of(op(OpType.SET, "retention.ms", "1")))).values();
        Check.get(result.get(topic));
        Check.fails("altering an unknown topic", UnknownTopicOrPartitionException.class, result.get(unknown));
        Check.eventually(() -> checkEntry(describe(topic, false, false), "retention.ms", "88888888", ConfigSource.DYNAMIC_TOPIC_CONFIG,
                ConfigType.LONG));
    }

    private void brokerDescribed() throws Exception {
        Config config = describe(broker, true, true);
        for (ConfigEntry entry : config.entries()) {
            Check.require(entry.documentation() != null, "%s has no documentation", entry.name());
            Check.require(!entry.isSensitive() || entry.value() == null, "%s is sensitive and shown: %s", entry.name(), entry.value());
        }
        Check.equal("settings that differ", BrokerSettings.differences(config), List.of());
        Check.equal("synonyms of a setting that is null", synonyms(config, "log.retention.ms"), "");
        checkEntry(config, "num.partitions", "1", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
        checkEntry(config, "log.segment.bytes", "1073741824", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
        checkEntry(config, "message.max.bytes", "1048588", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
        checkEntry(config, "log.retention.hours", "168", ConfigSource.DEFAULT_CONFIG, ConfigType.INT);
        checkEntry(config, "log.retention.ms", null, ConfigSource.DEFAULT_CONFIG, ConfigType.LONG);
        checkEntry(config, "compression.type", "producer", ConfigSource.DEFAULT_CONFIG, ConfigType.STRING);
        Check.equal("source of log.dirs", config.get("log.dirs").source(), ConfigSource.STATIC_BROKER_CONFIG);
        Check.equal("source of listeners", config.get("listeners").source(), ConfigSource.STATIC_BROKER_CONFIG);
        Check.require(config.get("listeners").value().contains(session.bootstrap), "listeners is %s", config.get("listeners").value());
        Check.equal("synonyms of message.max.bytes", synonyms(config, "message.max.bytes"), "message.max.bytes=1048588 DEFAULT_CONFIG");
        for (String name : List.of("num.partitions", "log.dirs", "log.retention.hours", "broker.id")) {
            Check.equal(name + ": read-only", config.get(name).isReadOnly(), true);
        }
        for (String name : List.of("log.cleaner.threads", "message.max.bytes", "log.retention.ms", "num.io.threads")) {
            Check.equal(name + ": read-only", config.get(name).isReadOnly(), false);
        }
        // only some settings asked for
        Config one = Check.get(admin.describeConfigs(List.of(broker)).all()).get(broker);
        Check.require(one.entries().size() > 100, "only %d settings of the broker are described", one.entries().size());
    }

    /** The broker's own value wins over that for all brokers, and that over the default; a topic without its own follows. */
    private void brokerAltered() throws Exception {
        ConfigResource topic = ofTopic(session.create("follows", 1, Map.of()));
        String name = "log.cleaner.delete.retention.ms";
        try {
            alter(allBrokers, op(OpType.SET, name, "70000000"));
            Check.eventually(() -> {
                checkEntry(describe(broker, false, false), name, "70000000", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, ConfigType.LONG);
                checkEntry(describe(topic, false, false), "delete.retention.ms", "70000000",
                        ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG, ConfigType.LONG);
                checkEntry(describe(allBrokers, false, false), name, "70000000", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
                        ConfigType.LONG);
            });
            alter(broker, op(OpType.SET, name, "60000000"));
            Check.eventually(() -> {
                checkEntry(describe(broker, false, false), name, "60000000", ConfigSource.DYNAMIC_BROKER_CONFIG, ConfigType.LONG);
                Check.equal("synonyms of " + name, synonyms(describe(broker, true, false), name),
                        name + "=60000000 DYNAMIC_BROKER_CONFIG, " + name + "=70000000 DYNAMIC_DEFAULT_BROKER_CONFIG, "
                                + name + "=86400000 DEFAULT_CONFIG");
                checkEntry(describe(topic, false, false), "delete.retention.ms", "60000000", ConfigSource.DYNAMIC_BROKER_CONFIG,
                        ConfigType.LONG);
            });
        } finally {
            alter(broker, op(OpType.DELETE, name, null));
            alter(allBrokers, op(OpType.DELETE, name, null));
        }
        Check.eventually(() -> checkEntry(describe(topic, false, false), "delete.retention.ms", "86400000", ConfigSource.DEFAULT_CONFIG,
                ConfigType.LONG));
    }

    private void brokerRefused() throws Exception {
        for (AlterConfigOp operation : List.of(op(OpType.SET, "broker.id", "7"), op(OpType.SET, "log.dirs", "elsewhere"),
                op(OpType.SET, "message.max.bytes", "many"), op(OpType.SET, "num.partitions", "3"))) {
            Check.fails("altering the broker with " + operation, InvalidRequestException.class, () -> {
                alter(broker, operation);
                return "";
            });
        }
        refused(allBrokers, "listeners", "PLAINTEXT://127.0.0.1:1",
                "Cannot update these configs at default cluster level, broker id must be specified: [listeners]");
        refused(allBrokers, "listener.name.plaintext.ssl.keystore.location", "/x", "Cannot update these configs at default cluster level, "
                + "broker id must be specified: [listener.name.plaintext.ssl.keystore.location]");
        for (ConfigResource resource : List.of(allBrokers, broker)) {
            refused(resource, "num.partitions", "3", "Cannot update these configs dynamically: [num.partitions]");
            refused(resource, "advertised.listeners", "PLAINTEXT://localhost:1",
                    "Cannot update these configs dynamically: [advertised.listeners]");
            refused(resource, "log.retention.ms", "abc", "Invalid value abc for configuration log.retention.ms: Not a number of type LONG");
            refused(resource, "num.io.threads", "0", "Invalid value 0 for configuration num.io.threads: Value must be at least 1");
            refused(resource, "log.cleanup.policy", "shred",
                    "Invalid value shred for configuration log.cleanup.policy: String must be one of: compact, delete");
            refused(resource, "log.segment.bytes", "1", "Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576");
            refused(resource, "unclean.leader.election.enable", "maybe",
                    "Invalid value maybe for configuration unclean.leader.election.enable: Expected value to be either true or false");
            refused(resource, "ssl.keystore.location", "/x",
                    "These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]");
        }
    }

    private void refused(ConfigResource resource, String name, String value, String why) throws Exception {
        InvalidRequestException refusal = Check.fails("altering " + resource + " with " + name + "=" + value, InvalidRequestException.class, () -> {
            alter(resource, op(OpType.SET, name, value));
            return "";
        });
        Check.equal("why " + name + "=" + value + " is refused", refusal.getMessage(), why);
    }

    private void resourcesListed() throws Exception {
        ConfigResource topic = ofTopic(session.create("listed", 1, Map.of()));
        Check.eventually(() -> Check.require(Check.get(admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC),
                new ListConfigResourcesOptions()).all()).contains(topic), "%s is not listed", topic));
        Collection<ConfigResource> all = Check.get(admin.listConfigResources().all());
        Check.require(all.containsAll(List.of(topic, broker)), "the list of all resources lacks %s or %s: %s", topic, broker, all);
        Check.equal("settings of client metrics", listed(ConfigResource.Type.CLIENT_METRICS), List.of());
        // Other clients' groups may have settings as well.
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, session.topic("listed-group"));
        Check.equal("a group without settings is listed", listed(ConfigResource.Type.GROUP).contains(group), false);
        alter(group, op(OpType.SET, "share.auto.offset.reset", "earliest"));
        Check.eventually(() -> Check.equal("a group with settings is listed", listed(ConfigResource.Type.GROUP).contains(group), true));
        alter(group, op(OpType.DELETE, "share.auto.offset.reset", null));
        Check.eventually(() -> Check.equal("a group is listed that lost its settings", listed(ConfigResource.Type.GROUP).contains(group), false));
    }

    private List<ConfigResource> listed(ConfigResource.Type type) throws Exception {
        return List.copyOf(Check.get(admin.listConfigResources(Set.of(type), new ListConfigResourcesOptions()).all()));
    }
}

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.acl.AclOperation;

/** What the broker tells about itself: the cluster, its features, its folders, who produces. */
final class Cluster {
    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            cluster(session);
            features(session);
            logDirs(session);
            producers(session);
            return "cluster, features, log dirs, producers";
        });
    }

    private static void cluster(Session session) throws Exception {
        Admin admin = session.admin;
        DescribeClusterResult plain = admin.describeCluster();
        String id = Check.get(plain.clusterId());
        Check.require(id != null && id.length() == 22, "the cluster id is %s, not 22 characters of base64", id);
        List<Node> nodes = List.copyOf(Check.get(plain.nodes()));
        Check.equal("number of brokers", nodes.size(), 1);
        Node node = nodes.get(0);
        Check.equal("the broker's address", node.host() + ":" + node.port(), session.bootstrap);
        Check.equal("the broker's rack", node.rack(), null);
        Check.equal("fenced", node.isFenced(), false);
        Check.equal("controller", Check.get(plain.controller()).id(), node.id());
        Check.equal("authorized operations unasked", Check.get(plain.authorizedOperations()), null);
        var options = new DescribeClusterOptions().includeAuthorizedOperations(true).includeFencedBrokers(true);
        Set<AclOperation> operations = Check.get(admin.describeCluster(options).authorizedOperations());
        Check.equal("authorized operations", operations, Set.of(AclOperation.CREATE, AclOperation.CLUSTER_ACTION,
                AclOperation.DESCRIBE_CONFIGS, AclOperation.IDEMPOTENT_WRITE, AclOperation.ALTER, AclOperation.DESCRIBE,
                AclOperation.ALTER_CONFIGS));
        try (var consumer = session.consumer(Map.of())) {
            Check.require(consumer.listTopics() != null, "no list of topics");
        }
    }

    private static void features(Session session) throws Exception {
        var features = Check.get(session.admin.describeFeatures().featureMetadata());
        Check.require(features.finalizedFeaturesEpoch().isPresent(), "no epoch of the finalized features");
        var metadata = features.finalizedFeatures().get("metadata.version");
        Check.require(metadata != null && metadata.maxVersionLevel() == 30, "metadata.version is finalized at %s, not 30", metadata);
        Check.equal("supported metadata.version", features.supportedFeatures().get("metadata.version").toString(),
                "SupportedVersionRange[min_version:7, max_version:30]");
        features.finalizedFeatures().forEach((name, range) -> {
            var supported = features.supportedFeatures().get(name);
            Check.require(supported != null, "feature %s is finalized at %s and not supported", name, range);
            Check.require(supported.minVersion() <= range.minVersionLevel() && range.maxVersionLevel() <= supported.maxVersion(),
                    "feature %s is finalized at %s, supported %s", name, range, supported);
        });
    }

    private static void logDirs(Session session) throws Exception {
        String topic = session.create("log-dirs", Expected.PARTITIONS, Session.KEEP);
        session.produce(topic, session.records, Map.of());
        int broker = Check.get(session.admin.describeCluster().nodes()).iterator().next().id();
        Map<String, LogDirDescription> dirs = Check.get(session.admin.describeLogDirs(List.of(broker)).allDescriptions()).get(broker);
        Check.equal("number of log dirs", dirs.size(), 1);
        String path = dirs.keySet().iterator().next();
        LogDirDescription dir = dirs.get(path);
        Check.equal("error of the log dir", dir.error(), null);
        Check.require(path.startsWith("/"), "the log dir is no absolute path: %s", path);
        Check.require(dir.totalBytes().isPresent() && dir.usableBytes().isPresent()
                && dir.totalBytes().getAsLong() >= dir.usableBytes().getAsLong() && dir.usableBytes().getAsLong() > 0,
                "total bytes %s, usable bytes %s", dir.totalBytes(), dir.usableBytes());
        long values = 0;
        for (int i = 0; i < session.records; i += Expected.PARTITIONS) {
            values += Expected.value(i) == null ? 0 : Expected.value(i).length;
        }
        var replica = dir.replicaInfos().get(new TopicPartition(topic, 0));
        Check.require(replica != null && replica.size() > values, "the size of %s-0 is %s with %d bytes of values", topic, replica, values);
        Check.equal("lag", replica.offsetLag(), 0);
        Check.equal("future", replica.isFuture(), false);
        var ours = dir.replicaInfos().keySet().stream().filter(each -> each.topic().equals(topic)).collect(Collectors.toSet());
        Check.equal("partitions in the log dir", ours, new HashSet<>(Session.partitions(topic, Expected.PARTITIONS)));
        var where = Check.get(session.admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica(topic, 1, broker))).all())
                .values().iterator().next();
        Check.equal("folder of a replica", where.getCurrentReplicaLogDir(), path);
        Check.equal("future folder of a replica", where.getFutureReplicaLogDir(), null);
    }

    private static List<ProducerState> states(Session session, TopicPartition partition) throws Exception {
        return Check.get(session.admin.describeProducers(List.of(partition)).partitionResult(partition)).activeProducers();
    }

    private static void producers(Session session) throws Exception {
        String topic = session.create("producers", 1, Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        Check.equal("producers of an empty partition", states(session, partition), List.of());
        session.produceOne(Map.of("enable.idempotence", false), new ProducerRecord<>(topic, 0, null, new byte[] {1}));
        Check.equal("producers after one without idempotence", states(session, partition), List.of());
        long began = System.currentTimeMillis();
        Set<Long> ids = new HashSet<>();
        for (int producers = 1; producers <= 2; producers++) {
            try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("enable.idempotence", true))) {
                for (int i = 0; i < 5; i++) Check.get(producer.send(new ProducerRecord<>(topic, 0, began, null, new byte[] {1})));
            }
            List<ProducerState> states = states(session, partition);
            Check.equal("number of producers", states.size(), producers);
            for (ProducerState state : states) {
                ids.add(state.producerId());
                Check.require(state.producerId() >= 0, "producer id %d", state.producerId());
                Check.equal("producer epoch", state.producerEpoch(), 0);
                Check.equal("last sequence", state.lastSequence(), 4);
                Check.equal("last timestamp", state.lastTimestamp(), began);
                Check.equal("start of the transaction", state.currentTransactionStartOffset(), OptionalLong.empty());
            }
            Check.equal("different producer ids", ids.size(), producers);
        }
    }
}

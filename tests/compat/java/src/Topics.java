import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TopicListing;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The life of topics: created, refused, described, listed, extended, deleted, created again. */
final class Topics {
    private final Session session;
    private final Admin admin;
    private final int broker;

    private Topics(Session session) throws Exception {
        this.session = session;
        this.admin = session.admin;
        this.broker = Check.get(admin.describeCluster().nodes()).iterator().next().id();
    }

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            Topics topics = new Topics(session);
            topics.created();
            topics.refused();
            topics.validatedOnly();
            topics.described();
            topics.partitionsAdded();
            topics.deleted();
            topics.createdByUse();
            return "created, refused, described, extended, deleted";
        });
    }

    private NewTopic plain(String suffix) {
        return new NewTopic(session.topic(suffix), 1, (short) 1);
    }

    private void created() throws Exception {
        NewTopic wanted = new NewTopic(session.topic("created"), 3, (short) 1)
                .configs(Map.of("retention.ms", "-1", "cleanup.policy", "compact,delete"));
        session.deleteAtEnd(wanted.name());
        CreateTopicsResult result = admin.createTopics(List.of(wanted));
        Check.get(result.all());
        Check.equal("partitions in the answer", Check.get(result.numPartitions(wanted.name())), 3);
        Check.equal("replication factor in the answer", Check.get(result.replicationFactor(wanted.name())), 1);
        Uuid id = Check.get(result.topicId(wanted.name()));
        Check.require(!id.equals(Uuid.ZERO_UUID) && !id.equals(Uuid.ONE_UUID), "the new topic's id is reserved: %s", id);
        var config = Check.get(result.config(wanted.name()));
        Check.equal("retention.ms in the answer", config.get("retention.ms").value(), "-1");
        Check.equal("cleanup.policy in the answer", config.get("cleanup.policy").value(), "compact,delete");
        Check.equal("segment.bytes in the answer", config.get("segment.bytes").value(), "1073741824");
        Check.eventually(() -> Check.equal("id in the description", describe(wanted.name()).topicId(), id));

        // the broker's own defaults, which the client asks for with -1
        NewTopic defaults = new NewTopic(session.topic("defaults"), Optional.empty(), Optional.empty());
        session.deleteAtEnd(defaults.name());
        result = admin.createTopics(List.of(defaults));
        Check.equal("default partitions", Check.get(result.numPartitions(defaults.name())), 1);
        Check.equal("default replication factor", Check.get(result.replicationFactor(defaults.name())), 1);

        NewTopic assigned = new NewTopic(session.topic("assigned"), Map.of(0, List.of(broker), 1, List.of(broker)));
        session.deleteAtEnd(assigned.name());
        Check.equal("partitions assigned by hand", Check.get(admin.createTopics(List.of(assigned)).numPartitions(assigned.name())), 2);

        // one request with a good and a bad topic: each has its own answer
        NewTopic good = plain("mixed");
        session.deleteAtEnd(good.name());
        result = admin.createTopics(List.of(good, new NewTopic(session.topic("mixed/bad"), 1, (short) 1)));
        Check.get(result.values().get(good.name()));
        Check.fails("the bad one of two topics", InvalidTopicException.class, result.values().get(session.topic("mixed/bad")));
    }

    private void refuse(String what, Class<? extends Exception> expected, NewTopic topic) throws Exception {
        for (boolean validateOnly : new boolean[] {true, false}) {
            var result = admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(validateOnly));
            Exception refusal = Check.fails("creating a topic with " + what, expected, result.all());
            Check.require(refusal.getMessage() != null && !refusal.getMessage().isEmpty(), "no message: a topic with %s", what);
        }
    }

    private void refused() throws Exception {
        session.create("exists", 1, Map.of());
        refuse("a name that exists", TopicExistsException.class, plain("exists"));
        refuse("the name .", InvalidTopicException.class, new NewTopic(".", 1, (short) 1));
        refuse("the name ..", InvalidTopicException.class, new NewTopic("..", 1, (short) 1));
        refuse("a space in its name", InvalidTopicException.class, plain("a b"));
        refuse("a slash in its name", InvalidTopicException.class, plain("a/b"));
        refuse("a letter outside ASCII", InvalidTopicException.class, plain("\u00e9"));
        refuse("250 letters", InvalidTopicException.class, new NewTopic("a".repeat(250), 1, (short) 1));
        session.create("dot.dot", 1, Map.of());
        refuse("a name that differs in . and _ only", InvalidTopicException.class, plain("dot_dot"));

        String name = session.topic("refused");
        refuse("0 partitions", InvalidPartitionsException.class, new NewTopic(name, 0, (short) 1));
        refuse("-2 partitions", InvalidPartitionsException.class, new NewTopic(name, -2, (short) 1));
        refuse("0 replicas", InvalidReplicationFactorException.class, new NewTopic(name, 1, (short) 0));
        int brokers = Check.get(admin.describeCluster().nodes()).size();
        refuse("more replicas than brokers", InvalidReplicationFactorException.class, new NewTopic(name, 1, (short) (brokers + 1)));
        refuse("a gap in its assignment", InvalidReplicaAssignmentException.class,
                new NewTopic(name, Map.of(0, List.of(broker), 2, List.of(broker))));
        refuse("an unknown broker", InvalidReplicaAssignmentException.class, new NewTopic(name, Map.of(0, List.of(broker + 1000))));
        refuse("a broker twice", InvalidReplicaAssignmentException.class, new NewTopic(name, Map.of(0, List.of(broker, broker))));
        refuse("an assignment to nobody", InvalidReplicaAssignmentException.class, new NewTopic(name, Map.of(0, List.of())));
        for (var setting : List.of(Map.entry("retention.ms", "soon"), Map.entry("no.such.setting", "1"), Map.entry("segment.bytes", "-1"),
                Map.entry("cleanup.policy", "keep"), Map.entry("compression.type", "rar"), Map.entry("min.cleanable.dirty.ratio", "1.5"),
                Map.entry("message.timestamp.type", "Never"), Map.entry("max.message.bytes", "3000000000"))) {
            refuse(setting.toString(), InvalidConfigurationException.class,
                    new NewTopic(name, 1, (short) 1).configs(Map.ofEntries(setting)));
        }
        Check.fails("describing a topic that was refused", UnknownTopicOrPartitionException.class, () -> describe(name));
    }

    private void validatedOnly() throws Exception {
        NewTopic topic = new NewTopic(session.topic("validated"), 5, (short) 1).configs(Map.of("segment.bytes", "2000000"));
        CreateTopicsResult result = admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(true));
        Check.get(result.all());
        Check.equal("partitions of a validated topic", Check.get(result.numPartitions(topic.name())), 5);
        Check.equal("segment.bytes of a validated topic", Check.get(result.config(topic.name())).get("segment.bytes").value(), "2000000");
        Check.fails("describing a validated topic", UnknownTopicOrPartitionException.class, () -> describe(topic.name()));
        Check.get(admin.createTopics(List.of(new NewTopic("a".repeat(249), 1, (short) 1)), new CreateTopicsOptions().validateOnly(true)).all());
    }

    private TopicDescription describe(String topic) throws Exception {
        return Check.get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
    }

    private void described() throws Exception {
        String topic = session.create("described", 4, Map.of());
        TopicDescription description = describe(topic);
        Check.equal("name", description.name(), topic);
        Check.equal("internal", description.isInternal(), false);
        Check.equal("authorized operations unasked", description.authorizedOperations(), null);
        for (int p = 0; p < 4; p++) {
            TopicPartitionInfo info = description.partitions().get(p);
            String where = topic + "-" + p;
            Check.equal(where + ": partition", info.partition(), p);
            Check.equal(where + ": leader", info.leader().id(), broker);
            Check.equal(where + ": leader's address", info.leader().host() + ":" + info.leader().port(), session.bootstrap);
            Check.equal(where + ": replicas", info.replicas().stream().map(Node::id).toList(), List.of(broker));
            Check.equal(where + ": in sync", info.isr().stream().map(Node::id).toList(), List.of(broker));
        }
        var byId = Check.get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(description.topicId()))).allTopicIds());
        Check.equal("name found by id", byId.get(description.topicId()).name(), topic);
        var withOperations = Check.get(admin.describeTopics(List.of(topic),
                new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames()).get(topic);
        Check.require(withOperations.authorizedOperations().containsAll(
                List.of(AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DELETE)),
                "authorized operations are %s", withOperations.authorizedOperations());

        // the answer is paged: the client asks again from the cursor
        var paged = Check.get(admin.describeTopics(List.of(topic), new DescribeTopicsOptions().partitionSizeLimitPerResponse(1))
                .allTopicNames()).get(topic);
        Check.equal("partitions described in pages of one", paged.partitions().size(), 4);

        Check.eventually(() -> {
            Collection<TopicListing> listing = Check.get(admin.listTopics().listings());
            var found = listing.stream().filter(each -> each.name().equals(topic)).toList();
            Check.equal("entries in the list of topics", found.size(), 1);
            Check.equal("id in the list of topics", found.get(0).topicId(), description.topicId());
        });
        Check.fails("describing an unknown topic", UnknownTopicOrPartitionException.class, () -> describe(session.topic("unknown")));
        Check.fails("describing a bad name", InvalidTopicException.class, () -> describe("a b"));
        Uuid unknown = Uuid.randomUuid();
        Check.fails("describing an unknown id", UnknownTopicIdException.class,
                admin.describeTopics(TopicCollection.ofTopicIds(List.of(unknown))).allTopicIds());
    }

    private void extend(String topic, NewPartitions partitions, boolean validateOnly) throws Exception {
        Check.get(admin.createPartitions(Map.of(topic, partitions), new CreatePartitionsOptions().validateOnly(validateOnly)).all());
    }

    private void partitionsAdded() throws Exception {
        String topic = session.create("extended", 2, Map.of());
        Uuid id = describe(topic).topicId();
        extend(topic, NewPartitions.increaseTo(4), true);
        Check.equal("partitions after validation only", describe(topic).partitions().size(), 2);
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("metadata.max.age.ms", 200))) {
            Check.equal("partitions the producer sees", producer.partitionsFor(topic).size(), 2);
            extend(topic, NewPartitions.increaseTo(4), false);
            Check.eventually(() -> Check.equal("partitions after the increase", describe(topic).partitions().size(), 4));
            Check.equal("id after the increase", describe(topic).topicId(), id);
            Check.eventually(() -> Check.equal("partitions the producer sees later", producer.partitionsFor(topic).size(), 4));
            Check.equal("first offset in a new partition",
                    Check.get(producer.send(new ProducerRecord<>(topic, 3, null, new byte[] {1}))).offset(), 0);
        }
        extend(topic, NewPartitions.increaseTo(5, List.of(List.of(broker))), false);
        Check.eventually(() -> Check.equal("partitions after the assigned one", describe(topic).partitions().size(), 5));
        var refusals = new TreeMap<String, Map.Entry<NewPartitions, Class<? extends Exception>>>();
        refusals.put("fewer", Map.entry(NewPartitions.increaseTo(2), InvalidPartitionsException.class));
        refusals.put("as many", Map.entry(NewPartitions.increaseTo(5), InvalidPartitionsException.class));
        refusals.put("no", Map.entry(NewPartitions.increaseTo(0), InvalidPartitionsException.class));
        refusals.put("too few assigned", Map.entry(NewPartitions.increaseTo(7, List.of(List.of(broker))),
                InvalidReplicaAssignmentException.class));
        refusals.put("wrongly assigned", Map.entry(NewPartitions.increaseTo(6, List.of(List.of(broker + 1000))),
                InvalidReplicaAssignmentException.class));
        for (var refusal : refusals.entrySet()) {
            Check.fails("asking for " + refusal.getKey() + " partitions", refusal.getValue().getValue(), () -> {
                extend(topic, refusal.getValue().getKey(), false);
                return "";
            });
        }
        Check.fails("partitions of an unknown topic", UnknownTopicOrPartitionException.class,
                admin.createPartitions(Map.of(session.topic("unknown"), NewPartitions.increaseTo(2))).all());
    }

    private void deleted() throws Exception {
        NewTopic topic = plain("deleted");
        Uuid first = Check.get(admin.createTopics(List.of(topic)).topicId(topic.name()));
        Check.eventually(() -> describe(topic.name()));
        session.produceOne(Map.of(), new ProducerRecord<>(topic.name(), 0, null, new byte[] {1}));
        Check.get(admin.deleteTopics(List.of(topic.name())).all());
        Check.eventually(() -> Check.fails("describing a deleted topic", UnknownTopicOrPartitionException.class, () -> describe(topic.name())));
        Check.fails("deleting a deleted topic", UnknownTopicOrPartitionException.class, admin.deleteTopics(List.of(topic.name())).all());

        Uuid second = Check.get(admin.createTopics(List.of(topic)).topicId(topic.name()));
        Check.require(!first.equals(second), "the topic created again has the id of the deleted one: %s", first);
        Check.eventually(() -> Check.equal("id of the topic created again", describe(topic.name()).topicId(), second));
        Check.equal("first offset in the topic created again",
                session.produceOne(Map.of(), new ProducerRecord<>(topic.name(), 0, null, new byte[] {2})).offset(), 0);
        Check.equal("value in the topic created again", session.read(new TopicPartition(topic.name(), 0), 0, 1).get(0).value()[0], 2);

        Check.fails("deleting by the old id", UnknownTopicIdException.class,
                admin.deleteTopics(TopicCollection.ofTopicIds(List.of(first))).all());
        Check.get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(second))).all());
        Check.eventually(() -> Check.fails("describing a topic deleted by id", UnknownTopicOrPartitionException.class,
                () -> describe(topic.name())));
        Check.require(!Check.get(admin.listTopics().names()).contains(topic.name()), "%s is deleted and listed", topic.name());
    }

    /** auto.create.topics.enable is true by default: a producer's question for metadata creates the topic. */
    private void createdByUse() throws Exception {
        String topic = session.topic("created-by-use");
        session.deleteAtEnd(topic);
        Check.equal("offset in a topic created by use",
                session.produceOne(Map.of(), new ProducerRecord<>(topic, null, null, new byte[] {1})).offset(), 0);
        Check.equal("partitions of a topic created by use", describe(topic).partitions().size(), 1);
        Check.fails("producing to a bad name", InvalidTopicException.class,
                () -> session.produceOne(Map.of("max.block.ms", 5000), new ProducerRecord<>("a b", null, null, new byte[] {1})));
    }
}

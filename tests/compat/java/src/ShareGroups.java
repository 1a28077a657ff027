import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Share groups (KIP-932): each record is handed out until somebody accepts or rejects it, and then never again. */
final class ShareGroups {
    private static final Duration SHORT = Duration.ofMillis(200);

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            String topic = session.create("shared", Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("acks", "all"));
            implicit(session, topic);
            severalMembers(session, topic);
            explicit(session);
            recordLimit(session);
            deliveryLimit(session);
            membersThatGo(session);
            locks(session);
            committedOnly(session);
            return "implicit, explicit, several members, record limit, delivery count, locks, read_committed; " + session.records + " records";
        });
    }

    /** Settings of a group, before it begins. */
    static void configure(Session session, String group, Map<String, String> more) throws Exception {
        Map<String, String> all = new HashMap<>(Map.of("share.auto.offset.reset", "earliest"));
        all.putAll(more);
        List<AlterConfigOp> operations = new ArrayList<>();
        all.forEach((key, value) -> operations.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, session.topic(group));
        Check.get(session.admin.incrementalAlterConfigs(Map.of(resource, operations)).all());
    }

    static KafkaShareConsumer<byte[], byte[]> member(Session session, String group, String topic, Map<String, ?> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", session.bootstrap, "group.id", session.topic(group)));
        settings.putAll(more);
        KafkaShareConsumer<byte[], byte[]> consumer =
                new KafkaShareConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    static final Map<String, String> EXPLICIT = Map.of("share.acknowledgement.mode", "explicit");

    interface Reader {
        void see(ConsumerRecord<byte[], byte[]> record);
    }

    interface Stop {
        boolean now();
    }

    /** Polls all members in turn until `stop`. */
    static void pollUntil(List<KafkaShareConsumer<byte[], byte[]>> members, Stop stop, String what, Reader reader) {
        long end = System.nanoTime() + Check.TIMEOUT_S * 1_000_000_000L;
        while (!stop.now()) {
            for (KafkaShareConsumer<byte[], byte[]> member : members) {
                for (ConsumerRecord<byte[], byte[]> record : member.poll(SHORT)) {
                    end = System.nanoTime() + Check.TIMEOUT_S * 1_000_000_000L;
                    reader.see(record);
                }
            }
            Check.require(System.nanoTime() < end, "no record within %d s: %s", Check.TIMEOUT_S, what);
        }
    }

    static void pollUntil(KafkaShareConsumer<byte[], byte[]> member, Stop stop, String what, Reader reader) {
        pollUntil(List.of(member), stop, what, reader);
    }

    static void committed(KafkaShareConsumer<byte[], byte[]> member) {
        member.commitSync().forEach((partition, failure) ->
                Check.require(failure.isEmpty(), "acknowledging records of %s fails with %s", partition, failure));
    }

    private static int index(ConsumerRecord<byte[], byte[]> record) {
        return (int) ((record.timestamp() - Expected.FIRST_TIMESTAMP) / Expected.TIMESTAMP_STEP);
    }

    static int number(ConsumerRecord<byte[], byte[]> record) {
        return Integer.parseInt(new String(record.value(), StandardCharsets.UTF_8));
    }

    /** One record a number, in one partition. */
    private static void send(Session session, String topic, int first, int end) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all"))) {
            for (int i = first; i < end; i++) producer.send(record(topic, i));
        }
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, int i) {
        return new ProducerRecord<>(topic, 0, null, Integer.toString(i).getBytes(StandardCharsets.UTF_8));
    }

    /** Polling again accepts what was polled before; a second member goes on where the first has closed. */
    private static void implicit(Session session, String topic) throws Exception {
        configure(session, "implicit", Map.of());
        BitSet seen = new BitSet();
        for (int half = 1; half <= 2; half++) {
            int goal = session.records * half / 2;
            try (KafkaShareConsumer<byte[], byte[]> member = member(session, "implicit", topic, Map.of())) {
                pollUntil(member, () -> seen.cardinality() >= goal, "implicit", record -> {
                    Check.require(!seen.get(index(record)), "record %d is handed out again: %s", index(record), record);
                    Check.require(record.deliveryCount().orElseThrow() >= 1, "%s was delivered before it was", record);
                    seen.set(index(record));
                });
                committed(member);
            }
        }
        Check.equal("records", seen.cardinality(), session.records);
        isDone(session, "implicit", topic, Expected.PARTITIONS);
    }

    /** Nothing is left to hand out. A start offset says less: Apache Kafka's is as old as the last write but one. */
    static void isDone(Session session, String group, String topic, int partitions) throws Exception {
        Check.eventually(() -> {
            var offsets = Check.get(session.admin.listShareGroupOffsets(Map.of(session.topic(group), new ListShareGroupOffsetsSpec()))
                    .partitionsToOffsetInfo(session.topic(group)));
            for (int i = 0; i < partitions; i++) {
                Check.equal("lag of partition " + i, offsets.get(new TopicPartition(topic, i)).lag().orElseThrow(), 0);
            }
        });
    }

    /** Each record is one member's, and all members get some, of each partition if they like. */
    private static void severalMembers(Session session, String topic) throws Exception {
        configure(session, "several", Map.of());
        BitSet seen = new BitSet();
        Map<Integer, Integer> counts = new TreeMap<>();
        List<KafkaShareConsumer<byte[], byte[]>> members = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) members.add(member(session, "several", topic, Map.of("max.poll.records", 50)));
            while (seen.cardinality() < session.records) {
                for (int i = 0; i < members.size(); i++) {
                    int which = i;
                    pollOnce(members.get(i), record -> {
                        Check.require(!seen.get(index(record)), "record %d is handed out twice", index(record));
                        seen.set(index(record));
                        counts.merge(which, 1, Integer::sum);
                    });
                }
            }
        } finally {
            for (KafkaShareConsumer<byte[], byte[]> member : members) member.close();
        }
        Check.equal("members that have records", counts.keySet(), Set.of(0, 1, 2));
    }

    private static void pollOnce(KafkaShareConsumer<byte[], byte[]> member, Reader reader) {
        for (ConsumerRecord<byte[], byte[]> record : member.poll(SHORT)) reader.see(record);
    }

    /** A third each is accepted, released once and rejected. */
    private static void explicit(Session session) throws Exception {
        String topic = session.create("shared-explicit", 1, Map.of());
        configure(session, "explicit", Map.of());
        send(session, topic, 0, 300);
        Map<Integer, Integer> deliveries = new TreeMap<>();
        try (KafkaShareConsumer<byte[], byte[]> member = member(session, "explicit", topic, EXPLICIT)) {
            pollUntil(member, () -> deliveries.size() == 300 && deliveries.values().stream().mapToInt(count -> count).sum() == 400, "explicit",
                    record -> {
                        int count = deliveries.merge(number(record), 1, Integer::sum);
                        Check.equal("delivery count of " + number(record), record.deliveryCount().orElseThrow(), count);
                        AcknowledgeType type = switch (number(record) % 3) {
                            case 0 -> AcknowledgeType.ACCEPT;
                            case 1 -> count == 1 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT;
                            default -> AcknowledgeType.REJECT;
                        };
                        member.acknowledge(record, type);
                    });
            committed(member);
            Check.equal("lock time-out", member.acquisitionLockTimeoutMs().orElseThrow(), 30000);
            send(session, topic, 300, 301);
            Set<Integer> rest = new TreeSet<>();
            pollUntil(member, () -> rest.contains(300), "the record behind", record -> {
                rest.add(number(record));
                member.acknowledge(record);
            });
            committed(member);
            Check.equal("records behind", rest, Set.of(300));
        }
        isDone(session, "explicit", topic, 1);
    }

    /** KIP-1206. */
    private static void recordLimit(Session session) throws Exception {
        String topic = session.create("shared-limit", 1, Map.of());
        configure(session, "limit", Map.of());
        send(session, topic, 0, 100);
        Set<Integer> seen = new HashSet<>();
        try (KafkaShareConsumer<byte[], byte[]> member =
                member(session, "limit", topic, Map.of("share.acquire.mode", "record_limit", "max.poll.records", 7))) {
            while (seen.size() < 100) {
                var records = member.poll(SHORT);
                Check.require(records.count() <= 7, "one poll gives %d records", records.count());
                records.forEach(record -> Check.require(seen.add(number(record)), "%d is handed out twice", number(record)));
            }
        }
    }

    /** What nobody manages is given up after so many deliveries. */
    private static void deliveryLimit(Session session) throws Exception {
        String topic = session.create("shared-poison", 1, Map.of());
        configure(session, "poison", Map.of("share.delivery.count.limit", "3"));
        send(session, topic, 0, 10);
        Map<Integer, Integer> deliveries = new TreeMap<>();
        try (KafkaShareConsumer<byte[], byte[]> member = member(session, "poison", topic, EXPLICIT)) {
            pollUntil(member, () -> deliveries.size() == 10 && deliveries.get(5) == 3, "poison", record -> {
                deliveries.merge(number(record), 1, Integer::sum);
                member.acknowledge(record, number(record) == 5 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
            });
            committed(member);
            send(session, topic, 10, 11);
            pollUntil(member, () -> deliveries.containsKey(10), "the record behind", record -> {
                deliveries.merge(number(record), 1, Integer::sum);
                member.acknowledge(record);
            });
            committed(member);
        }
        deliveries.forEach((number, count) -> Check.equal("deliveries of " + number, count, number == 5 ? 3 : 1));
        isDone(session, "poison", topic, 1);
    }

    /** A member that closes gives back what it did not acknowledge; so does one whose record lock ends. */
    private static void membersThatGo(Session session) throws Exception {
        String topic = session.create("shared-going", 1, Map.of());
        configure(session, "going", Map.of());
        send(session, topic, 0, 50);
        Set<Integer> accepted = new TreeSet<>();
        try (KafkaShareConsumer<byte[], byte[]> first = member(session, "going", topic, EXPLICIT)) {
            Set<Integer> held = new TreeSet<>();
            pollUntil(first, () -> !held.isEmpty(), "the first member", record -> {
                held.add(number(record));
                if (number(record) % 2 != 0) return;
                first.acknowledge(record);
                accepted.add(number(record));
            });
            committed(first);
        }
        Set<Integer> again = new TreeSet<>();
        try (KafkaShareConsumer<byte[], byte[]> second = member(session, "going", topic, EXPLICIT)) {
            pollUntil(second, () -> again.size() + accepted.size() == 50, "the second member", record -> {
                Check.require(!accepted.contains(number(record)), "%d was accepted and is handed out again", number(record));
                again.add(number(record));
                second.acknowledge(record);
            });
            committed(second);
        }
        isDone(session, "going", topic, 1);
    }

    /** A lock that ends makes the record somebody else's; a renewed one (KIP-1222) is still the member's. */
    private static void locks(Session session) throws Exception {
        String topic = session.create("shared-locks", 1, Map.of());
        configure(session, "locks", Map.of("share.record.lock.duration.ms", "15000"));
        send(session, topic, 0, 2);
        Map<Integer, ConsumerRecord<byte[], byte[]>> held = new TreeMap<>();
        try (KafkaShareConsumer<byte[], byte[]> first = member(session, "locks", topic, EXPLICIT);
                KafkaShareConsumer<byte[], byte[]> second = member(session, "locks", topic, EXPLICIT)) {
            pollUntil(first, () -> held.size() == 2, "the first member", record -> held.put(number(record), record));
            Check.equal("lock time-out", first.acquisitionLockTimeoutMs().orElseThrow(), 15000);
            Set<Integer> renewed = new TreeSet<>();
            pollUntil(second, () -> renewed.size() == 2, "the second member", record -> {
                renewed.add(number(record));
                second.acknowledge(record, AcknowledgeType.RENEW);
            });
            committed(second);
            held.values().forEach(first::acknowledge);
            first.commitSync().forEach((partition, failure) -> Check.require(
                    failure.isPresent() && failure.get() instanceof InvalidRecordStateException, "a late acknowledgement ends with %s", failure));
            // What is renewed is polled again, and still the same delivery.
            Set<Integer> accepted = new TreeSet<>();
            pollUntil(second, () -> accepted.size() == 2, "what was renewed", record -> {
                Check.equal("delivery count", record.deliveryCount().orElseThrow(), 2);
                accepted.add(number(record));
                second.acknowledge(record);
            });
            committed(second);
        }
        isDone(session, "locks", topic, 1);
    }

    /** share.isolation.level: what is aborted is passed over. */
    private static void committedOnly(Session session) throws Exception {
        String topic = session.create("shared-transactions", 1, Map.of());
        configure(session, "committed", Map.of("share.isolation.level", "read_committed"));
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("transactional.id", session.topic("shared")))) {
            producer.initTransactions();
            for (int i = 0; i < 20; i++) {
                producer.beginTransaction();
                for (int k = 0; k < 5; k++) producer.send(record(topic, i * 5 + k));
                if (i % 2 == 0) producer.commitTransaction(); else producer.abortTransaction();
            }
        }
        Set<Integer> seen = new TreeSet<>();
        try (KafkaShareConsumer<byte[], byte[]> member = member(session, "committed", topic, Map.of())) {
            pollUntil(member, () -> seen.size() == 50, "committed", record -> {
                Check.require(number(record) / 5 % 2 == 0, "%d was aborted", number(record));
                Check.require(seen.add(number(record)), "%d is handed out twice", number(record));
            });
            committed(member);
        }
    }
}

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/** What Brook's share groups do beyond Apache Kafka 4.3.1's, each where a group's settings ask for it, with a client that knows nothing of it. */
final class ShareGroupsBeyond {
    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            deadLetters(session);
            deadLettersWithoutTopic(session);
            backoff(session);
            keyOrder(session);
            recordTimes(session);
            return "dead letters, back-off, order by key, delayed and expiring records";
        });
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, int i, String key) {
        return new ProducerRecord<>(topic, 0, key == null ? null : bytes(key), bytes(Integer.toString(i)));
    }

    private static String deadLetterTopic(Session session, String suffix) {
        return "dlq." + session.topic(suffix);
    }

    private static void create(Session session, String topic, int partitions) throws Exception {
        Check.get(session.admin.createTopics(List.of(
                new NewTopic(topic, partitions, (short) 1).configs(Map.of("errors.deadletterqueue.group.enable", "true")))).all());
        session.deleteAtEnd(topic);
    }

    /** The first `count` records of the topic's only or second partition. */
    private static List<ConsumerRecord<byte[], byte[]>> read(Session session, String topic, int partition, int count) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        long end = System.nanoTime() + Check.TIMEOUT_S * 1_000_000_000L;
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of())) {
            TopicPartition from = new TopicPartition(topic, partition);
            consumer.assign(List.of(from));
            consumer.seekToBeginning(List.of(from));
            while (found.size() < count) {
                consumer.poll(java.time.Duration.ofMillis(200)).forEach(found::add);
                Check.require(System.nanoTime() < end, "%s has %d records, not %d", topic, found.size(), count);
            }
        }
        return found;
    }

    private static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) {
        Map<String, String> all = new TreeMap<>();
        for (Header header : record.headers()) all.put(header.key(), text(header.value()));
        return all;
    }

    /** KIP-1191: what is rejected, and what was delivered too often, with where it comes from and why. */
    private static void deadLetters(Session session) throws Exception {
        String topic = session.create("dying", 1, Map.of());
        String dead = deadLetterTopic(session, "dead");
        create(session, dead, 1);
        ShareGroups.configure(session, "dying", Map.of("errors.deadletterqueue.topic.name", dead,
                "errors.deadletterqueue.copy.record.enable", "true", "share.delivery.count.limit", "2"));
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all", "compression.type", "zstd"))) {
            for (int i = 0; i < 10; i++) {
                ProducerRecord<byte[], byte[]> record = record(topic, i, "key-" + i);
                record.headers().add("trace", bytes("trace-" + i));
                producer.send(record);
            }
        }
        Map<Integer, Integer> deliveries = new TreeMap<>();
        try (KafkaShareConsumer<byte[], byte[]> member = ShareGroups.member(session, "dying", topic, ShareGroups.EXPLICIT)) {
            ShareGroups.pollUntil(member, () -> deliveries.size() == 10 && deliveries.get(7) == 2, "dying", record -> {
                int number = ShareGroups.number(record);
                deliveries.merge(number, 1, Integer::sum);
                member.acknowledge(record, number == 3 ? AcknowledgeType.REJECT : number == 7 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
            });
            ShareGroups.committed(member);
            Map<Integer, Map<String, String>> found = new TreeMap<>();
            for (ConsumerRecord<byte[], byte[]> letter : read(session, dead, 0, 2)) {
                found.put(ShareGroups.number(letter), headers(letter));
                Check.equal("key", text(letter.key()), "key-" + ShareGroups.number(letter));
            }
            for (int number : List.of(3, 7)) {
                Check.equal("headers of " + number, found.get(number), new TreeMap<>(Map.of("trace", "trace-" + number, "__dlq.errors.topic", topic,
                        "__dlq.errors.partition", "0", "__dlq.errors.offset", Integer.toString(number), "__dlq.errors.group", session.topic("dying"),
                        "__dlq.errors.delivery.count", number == 3 ? "1" : "2", "__dlq.errors.message",
                        number == 3 ? "Offset rejected by client." : "Offset delivery count exceeded the threshold.")));
            }
        }
        ShareGroups.isDone(session, "dying", topic, 1);
    }

    /** Nothing is lost where the topic is missing: the record waits until it is there. */
    private static void deadLettersWithoutTopic(Session session) throws Exception {
        String topic = session.create("early", 1, Map.of());
        String dead = deadLetterTopic(session, "late");
        ShareGroups.configure(session, "early", Map.of("errors.deadletterqueue.topic.name", dead));
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all"))) {
            producer.send(record(topic, 0, null));
        }
        try (KafkaShareConsumer<byte[], byte[]> member = ShareGroups.member(session, "early", topic, ShareGroups.EXPLICIT)) {
            Set<Integer> rejected = new HashSet<>();
            ShareGroups.pollUntil(member, () -> rejected.size() == 1, "early", record -> {
                rejected.add(ShareGroups.number(record));
                member.acknowledge(record, AcknowledgeType.REJECT);
            });
            ShareGroups.committed(member);
            create(session, dead, 1);
            ConsumerRecord<byte[], byte[]> letter = read(session, dead, 0, 1).get(0);
            Check.require(letter.key() == null && letter.value() == null, "a dead letter has content that nobody asked for");
            Check.equal("offset", headers(letter).get("__dlq.errors.offset"), "0");
        }
        ShareGroups.isDone(session, "early", topic, 1);
    }

    /** A record that was released comes back after 1 s, then after 2 s, then after 2 s again. */
    private static void backoff(Session session) throws Exception {
        String topic = session.create("backing-off", 1, Map.of());
        ShareGroups.configure(session, "backing-off", Map.of("share.redelivery.backoff.ms", "1000", "share.redelivery.backoff.max.ms", "2000"));
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all"))) {
            producer.send(record(topic, 0, null));
        }
        List<Long> seen = new ArrayList<>();
        List<Long> released = new ArrayList<>();
        try (KafkaShareConsumer<byte[], byte[]> member = ShareGroups.member(session, "backing-off", topic, ShareGroups.EXPLICIT)) {
            ShareGroups.pollUntil(member, () -> seen.size() == 4, "backing off", record -> {
                seen.add(System.nanoTime());
                released.add(System.nanoTime());
                member.acknowledge(record, seen.size() == 4 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
                ShareGroups.committed(member);
            });
        }
        long[] waits = {1000, 2000, 2000};
        for (int i = 0; i < 3; i++) {
            long waited = (seen.get(i + 1) - released.get(i)) / 1_000_000;
            Check.require(waited >= waits[i], "delivery %d comes %d ms after a release, not %d", i + 2, waited, waits[i]);
        }
    }

    /** Three members; the next record of a key comes when the one before has been accepted, also where that took two deliveries. */
    private static void keyOrder(Session session) throws Exception {
        String topic = session.create("ordered", 1, Map.of());
        ShareGroups.configure(session, "ordered", Map.of("share.key.ordering", "true"));
        int keys = 5;
        int records = 200;
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all", "compression.type", "lz4"))) {
            for (int i = 0; i < records; i++) producer.send(record(topic, i, "key-" + i % keys));
        }
        List<KafkaShareConsumer<byte[], byte[]>> members = new ArrayList<>();
        Map<Integer, Integer> next = new HashMap<>();
        Map<Integer, KafkaShareConsumer<byte[], byte[]>> holders = new HashMap<>();
        Set<Integer> releasedOnce = new HashSet<>();
        long end = System.nanoTime() + 4 * Check.TIMEOUT_S * 1_000_000_000L;
        int done = 0;
        try {
            for (int i = 0; i < 3; i++) members.add(ShareGroups.member(session, "ordered", topic, ShareGroups.EXPLICIT));
            while (done < records) {
                for (KafkaShareConsumer<byte[], byte[]> member : members) {
                    for (ConsumerRecord<byte[], byte[]> record : member.poll(java.time.Duration.ofMillis(100))) {
                        int number = ShareGroups.number(record);
                        int key = number % keys;
                        Check.require(!holders.containsKey(key), "%d is handed out while an earlier one of its key is out", number);
                        Check.equal("next of key " + key, number, next.getOrDefault(key, key));
                        holders.put(key, member);
                        boolean release = number % 7 == 0 && releasedOnce.add(number);
                        member.acknowledge(record, release ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
                        if (release) continue;
                        next.put(key, number + keys);
                        done++;
                    }
                    ShareGroups.committed(member);
                    holders.values().removeIf(holder -> holder == member);
                }
                Check.require(System.nanoTime() < end, "%d of %d records within the time", done, records);
            }
        } finally {
            for (KafkaShareConsumer<byte[], byte[]> member : members) member.close();
        }
    }

    /** One record for later, one too late, one whose header says no time, one without. */
    private static void recordTimes(Session session) throws Exception {
        String topic = session.create("timed", 1, Map.of());
        ShareGroups.configure(session, "timed", Map.of("share.record.times.enable", "true"));
        long later = System.currentTimeMillis() + 3000;
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all"))) {
            String[][] times = {{"share.not.before.ms", Long.toString(later)}, {"share.not.after.ms", "1000"}, {"share.not.before.ms", "soon"}};
            for (int i = 0; i < 4; i++) {
                ProducerRecord<byte[], byte[]> record = record(topic, i, null);
                if (i < 3) record.headers().add(times[i][0], bytes(times[i][1]));
                producer.send(record);
            }
        }
        Map<Integer, Long> seen = new TreeMap<>();
        try (KafkaShareConsumer<byte[], byte[]> member = ShareGroups.member(session, "timed", topic, ShareGroups.EXPLICIT)) {
            ShareGroups.pollUntil(member, () -> seen.containsKey(0), "timed", record -> {
                seen.put(ShareGroups.number(record), System.currentTimeMillis());
                member.acknowledge(record);
            });
            ShareGroups.committed(member);
        }
        Check.equal("records that were handed out", seen.keySet(), Set.of(0, 2, 3));
        Check.require(seen.get(0) >= later, "a record comes %d ms before its time", later - seen.get(0));
        Check.require(seen.get(2) < later && seen.get(3) < later, "records without a time wait");
        ShareGroups.isDone(session, "timed", topic, 1);
    }
}

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;

/** Settings of a topic that change what happens to records: whose time counts, how large, how compressed, with which keys. */
final class TopicRules {
    private static final long HOUR_MS = 3_600_000;

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            appendTime(session);
            timestampBounds(session);
            tooLarge(session);
            compressedByTheBroker(session);
            keysForCompaction(session);
            moreReplicasThanThereAre(session);
            return "append time, time bounds, size, broker compression, compaction keys; " + session.records + " records";
        });
    }

    private static void appendTime(Session session) throws Exception {
        for (String codec : List.of("none", "zstd")) {
            String topic = session.create("append-time-" + codec, Expected.PARTITIONS, Map.of("message.timestamp.type", "LogAppendTime"));
            long before = System.currentTimeMillis();
            Map<String, Long> acknowledged = new HashMap<>();
            try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("compression.type", codec))) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int i = 0; i < session.records; i++) sent.add(producer.send(Expected.record(topic, i)));
                for (var future : sent) {
                    RecordMetadata metadata = Check.get(future);
                    acknowledged.put(metadata.partition() + " " + metadata.offset(), metadata.timestamp());
                }
            }
            long after = System.currentTimeMillis();
            for (TopicPartition partition : Session.partitions(topic, Expected.PARTITIONS)) {
                int count = (int) Expected.countIn(partition.partition(), session.records);
                long previous = before;
                for (ConsumerRecord<byte[], byte[]> record : session.read(partition, 0, count)) {
                    String where = partition + " offset " + record.offset();
                    Check.equal(where + ": timestamp type", record.timestampType(), TimestampType.LOG_APPEND_TIME);
                    Check.require(previous <= record.timestamp() && record.timestamp() <= after,
                            "%s: timestamp %d is not from %d to %d", where, record.timestamp(), previous, after);
                    Check.equal(where + ": timestamp acknowledged", acknowledged.get(partition.partition() + " " + record.offset()),
                            record.timestamp());
                    Expected.Checker.content(where, record, (int) record.offset() * Expected.PARTITIONS + partition.partition());
                    previous = record.timestamp();
                }
                ListOffsetsResultInfo found = Check.get(session.admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(before)))
                        .partitionResult(partition));
                Check.equal(partition + ": offset by the time before the first", found.offset(), 0);
                found = Check.get(session.admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition));
                Check.equal(partition + ": timestamp of the last", found.timestamp(), previous);
            }
        }
    }

    private static ProducerRecord<byte[], byte[]> at(String topic, long timestamp) {
        return new ProducerRecord<>(topic, 0, timestamp, null, new byte[] {1});
    }

    private static void timestampBounds(Session session) throws Exception {
        String topic = session.create("time-bounds", 1, Map.of("message.timestamp.before.max.ms", Long.toString(HOUR_MS)));
        long now = System.currentTimeMillis();
        session.produceOne(Map.of(), at(topic, now - HOUR_MS / 2));
        session.produceOne(Map.of(), at(topic, now + HOUR_MS / 2));
        Check.fails("a record two hours old, one hour allowed", InvalidTimestampException.class,
                () -> session.produceOne(Map.of(), at(topic, now - 2 * HOUR_MS)));
        Check.fails("a record two hours ahead, one hour allowed by default", InvalidTimestampException.class,
                () -> session.produceOne(Map.of(), at(topic, now + 2 * HOUR_MS)));
        Check.equal("offset after two refusals", session.produceOne(Map.of(), at(topic, now)).offset(), 2);
    }

    private static void tooLarge(Session session) throws Exception {
        String topic = session.create("too-large", 1, Map.of("max.message.bytes", "10000"));
        Check.fails("a record above max.message.bytes", RecordTooLargeException.class,
                () -> session.produceOne(Map.of(), new ProducerRecord<>(topic, 0, null, incompressible(10_000))));
        Check.equal("offset of one below", session.produceOne(Map.of(),
                new ProducerRecord<>(topic, 0, null, incompressible(9_900))).offset(), 0);
        // the limit is on the compressed batch
        Check.equal("offset of a large one that compresses well", session.produceOne(Map.of("compression.type", "gzip"),
                new ProducerRecord<>(topic, 0, null, new byte[100_000])).offset(), 1);
        // a batch of many small records that is too large is split by the producer and sent again, in order
        int count = 200;
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("batch.size", 100_000, "linger.ms", 1000))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, key(i), incompressible(200))));
            }
            producer.flush();
            for (int i = 0; i < count; i++) Check.equal("offset of record " + i + " of a split batch", Check.get(sent.get(i)).offset(), 2 + i);
        }
        List<ConsumerRecord<byte[], byte[]>> records = session.read(new TopicPartition(topic, 0), 2, count);
        for (int i = 0; i < count; i++) {
            Check.equal("key of record " + i + " of a split batch", new String(records.get(i).key(), StandardCharsets.UTF_8), "" + i);
        }

        String standard = session.create("standard-size", 1, Map.of());
        Map<String, ?> unlimited = Map.of("max.request.size", 10_000_000, "buffer.memory", 40_000_000);
        Check.fails("a record of 2 MB with the default limit", RecordTooLargeException.class,
                () -> session.produceOne(unlimited, new ProducerRecord<>(standard, 0, null, incompressible(2_000_000))));
        String large = session.create("large", 1, Map.of("max.message.bytes", "9000000"));
        byte[] value = incompressible(8_000_000);
        session.produceOne(unlimited, new ProducerRecord<>(large, 0, null, value));
        // a record beyond every limit of the fetch is returned nevertheless
        Check.require(Arrays.equals(session.read(new TopicPartition(large, 0), 0, 1).get(0).value(), value),
                "a record of 8 MB is not what was produced");
    }

    private static byte[] key(int i) {
        return Integer.toString(i).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] incompressible(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    /** compression.type of the topic wins over the producer's; the reader sees the same records. */
    private static void compressedByTheBroker(Session session) throws Exception {
        for (String codec : List.of("uncompressed", "gzip", "snappy", "lz4", "zstd")) {
            Map<String, String> settings = new HashMap<>(Session.KEEP);
            settings.put("compression.type", codec);
            String topic = session.create("broker-" + codec, Expected.PARTITIONS, settings);
            session.produce(topic, session.records, Map.of("compression.type", codec.equals("zstd") ? "none" : "zstd"));
            session.consume(topic, session.records, null, Map.of());
        }
    }

    private static void keysForCompaction(Session session) throws Exception {
        String topic = session.create("compacted", 1, Map.of("cleanup.policy", "compact"));
        Check.fails("a record without a key in a compacted topic", InvalidRecordException.class,
                () -> session.produceOne(Map.of(), new ProducerRecord<>(topic, 0, null, new byte[] {1})));
        Check.equal("offset of a record with a key", session.produceOne(Map.of(),
                new ProducerRecord<>(topic, 0, key(1), new byte[] {1})).offset(), 0);
        // in a batch with one bad record, the good ones are not stored either
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("linger.ms", 1000))) {
            var good = producer.send(new ProducerRecord<>(topic, 0, key(2), new byte[] {2}));
            var bad = producer.send(new ProducerRecord<>(topic, 0, null, new byte[] {3}));
            producer.flush();
            Check.fails("the record without a key", InvalidRecordException.class, bad);
            Exception other = Check.fails("the record beside it", KafkaException.class, good);
            Check.require(other.getMessage().contains("part of a batch"), "the record beside a bad one is refused with %s", other);
        }
        Check.equal("offset after the refused batch", session.produceOne(Map.of(),
                new ProducerRecord<>(topic, 0, key(4), new byte[] {4})).offset(), 1);
    }

    /** min.insync.replicas counts no more replicas than the partition has. */
    private static void moreReplicasThanThereAre(Session session) throws Exception {
        String topic = session.create("min-insync", 1, Map.of("min.insync.replicas", "2"));
        Check.equal("offset with min.insync.replicas=2 and one replica", session.produceOne(Map.of("acks", "all",
                "delivery.timeout.ms", 5000, "request.timeout.ms", 2000), new ProducerRecord<>(topic, 0, null, new byte[] {1})).offset(), 0);
    }
}

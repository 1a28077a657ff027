import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.DeletedRecords;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Finding offsets by position and by time, deleting records, and what a reader outside the log is told. */
final class Offsets {
    private static final Map<String, ?> SMALL_BATCHES = Map.of("batch.size", 4096, "acks", "all");

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            ordered(session);
            unordered(session);
            empty(session);
            compressed(session);
            deletedRecords(session);
            outOfRange(session);
            return "by position, by time, deleted records, out of range; " + session.records + " records";
        });
    }

    private static ListOffsetsResultInfo listed(Session session, TopicPartition partition, OffsetSpec spec) throws Exception {
        return Check.get(session.admin.listOffsets(Map.of(partition, spec)).partitionResult(partition));
    }

    private static void checkListed(Session session, String what, TopicPartition partition, OffsetSpec spec, long offset, long timestamp)
            throws Exception {
        ListOffsetsResultInfo info = listed(session, partition, spec);
        String where = what + " of " + partition;
        Check.equal(where + ": offset", info.offset(), offset);
        Check.equal(where + ": timestamp", info.timestamp(), timestamp);
        // the first leader's epoch is 0; the broker leaves it out when it found no offset
        Check.equal(where + ": leader epoch", info.leaderEpoch(), offset < 0 ? Optional.empty() : Optional.of(0));
    }

    private static void ordered(Session session) throws Exception {
        String topic = session.create("ordered", Expected.PARTITIONS, Session.KEEP);
        int count = session.records;
        session.produce(topic, count, SMALL_BATCHES);
        int target = count / 2;
        Map<TopicPartition, Long> times = new HashMap<>();
        for (TopicPartition partition : Session.partitions(topic, Expected.PARTITIONS)) {
            int p = partition.partition();
            long end = Expected.countIn(p, count);
            int first = target;
            while (Expected.partition(first) != p) first++;
            int last = count - 1;
            while (Expected.partition(last) != p) last--;
            checkListed(session, "earliest", partition, OffsetSpec.earliest(), 0, -1);
            checkListed(session, "latest", partition, OffsetSpec.latest(), end, -1);
            checkListed(session, "max timestamp", partition, OffsetSpec.maxTimestamp(), end - 1, Expected.timestamp(last));
            checkListed(session, "by a record's timestamp", partition, OffsetSpec.forTimestamp(Expected.timestamp(first)),
                    Expected.offset(first), Expected.timestamp(first));
            checkListed(session, "by a timestamp between two records", partition,
                    OffsetSpec.forTimestamp(Expected.timestamp(first) - 1), Expected.offset(first), Expected.timestamp(first));
            checkListed(session, "by timestamp 0", partition, OffsetSpec.forTimestamp(0), 0, Expected.timestamp(p));
            checkListed(session, "by a timestamp after the last", partition, OffsetSpec.forTimestamp(Expected.timestamp(count)), -1, -1);
            checkListed(session, "earliest local", partition, OffsetSpec.earliestLocal(), 0, -1);
            times.put(partition, Expected.timestamp(target));
        }

        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of())) {
            consumer.assign(times.keySet());
            Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times);
            for (TopicPartition partition : times.keySet()) {
                int first = target;
                while (Expected.partition(first) != partition.partition()) first++;
                OffsetAndTimestamp entry = found.get(partition);
                Check.equal("offsetsForTimes of " + partition + ": offset", entry.offset(), Expected.offset(first));
                Check.equal("offsetsForTimes of " + partition + ": timestamp", entry.timestamp(), Expected.timestamp(first));
                Check.equal("beginning of " + partition, consumer.beginningOffsets(List.of(partition)).get(partition), 0);
                Check.equal("end of " + partition, consumer.endOffsets(List.of(partition)).get(partition),
                        Expected.countIn(partition.partition(), count));
                consumer.seek(partition, entry.offset());
            }
            Map<TopicPartition, Long> late = new HashMap<>();
            times.keySet().forEach(partition -> late.put(partition, Expected.timestamp(count)));
            for (var entry : consumer.offsetsForTimes(late).entrySet()) {
                Check.equal("offsetsForTimes after the last record of " + entry.getKey(), entry.getValue(), null);
            }
            int[] seen = {0};
            Session.readUntil(consumer, () -> seen[0] == count - target, () -> seen[0] + " of " + (count - target), record -> {
                Check.require(record.timestamp() >= Expected.timestamp(target), "a record before the time sought: %s", record);
                seen[0]++;
            });
        }
    }

    /** Timestamps 0, 1, … 9 minutes in the order 5 9 1 0 9 3 7 2 8 4, in one batch and in ten: the same answers. */
    private static void unordered(Session session) throws Exception {
        int[] minutes = {5, 9, 1, 0, 9, 3, 7, 2, 8, 4};
        for (boolean oneBatch : new boolean[] {true, false}) {
            String topic = session.create("unordered-" + (oneBatch ? "one-batch" : "ten-batches"), 1, Session.KEEP);
            TopicPartition partition = new TopicPartition(topic, 0);
            try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("linger.ms", oneBatch ? 60_000 : 0))) {
                for (int minute : minutes) {
                    var sent = producer.send(new ProducerRecord<>(topic, 0, time(minute), null, new byte[] {(byte) minute}));
                    if (!oneBatch) Check.get(sent);
                }
                producer.flush();
            }
            checkListed(session, "max timestamp", partition, OffsetSpec.maxTimestamp(), 1, time(9));
            checkListed(session, "at or after minute 0", partition, OffsetSpec.forTimestamp(time(0)), 0, time(5));
            checkListed(session, "at or after minute 5", partition, OffsetSpec.forTimestamp(time(5)), 0, time(5));
            checkListed(session, "at or after minute 6", partition, OffsetSpec.forTimestamp(time(6)), 1, time(9));
            checkListed(session, "at or after minute 10", partition, OffsetSpec.forTimestamp(time(10)), -1, -1);
        }
    }

    private static long time(int minute) {
        return Expected.FIRST_TIMESTAMP + 60_000L * minute;
    }

    private static void empty(Session session) throws Exception {
        TopicPartition partition = new TopicPartition(session.create("empty", 1, Session.KEEP), 0);
        checkListed(session, "earliest", partition, OffsetSpec.earliest(), 0, -1);
        checkListed(session, "latest", partition, OffsetSpec.latest(), 0, -1);
        checkListed(session, "max timestamp", partition, OffsetSpec.maxTimestamp(), -1, -1);
        checkListed(session, "by timestamp", partition, OffsetSpec.forTimestamp(0), -1, -1);
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            Check.equal("position at the end of an empty partition", consumer.position(partition), 0);
            Check.require(consumer.poll(Duration.ofMillis(200)).isEmpty(), "records in an empty partition");
            Check.eventually(() -> {
                consumer.poll(Duration.ofMillis(50));
                Check.equal("lag in an empty partition", consumer.currentLag(partition), OptionalLong.of(0));
            });
        }
    }

    /** A timestamp inside a compressed batch is found: the broker looks into it. */
    private static void compressed(Session session) throws Exception {
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd")) {
            String topic = session.create("compressed-" + codec, Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("compression.type", codec, "linger.ms", 100));
            TopicPartition partition = new TopicPartition(topic, 0);
            for (int i : new int[] {3, session.records / 2 / 3 * 3, (session.records - 1) / 3 * 3}) {
                checkListed(session, "by timestamp in " + codec, partition, OffsetSpec.forTimestamp(Expected.timestamp(i) - 1),
                        Expected.offset(i), Expected.timestamp(i));
            }
            int last = (session.records - 1) / 3 * 3;
            checkListed(session, "max timestamp in " + codec, partition, OffsetSpec.maxTimestamp(), Expected.offset(last),
                    Expected.timestamp(last));
        }
    }

    private static long delete(Session session, TopicPartition partition, long before) throws Exception {
        DeletedRecords deleted = Check.get(session.admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(before)))
                .lowWatermarks().get(partition));
        return deleted.lowWatermark();
    }

    private static void deletedRecords(Session session) throws Exception {
        String topic = session.create("deleted", Expected.PARTITIONS, Session.KEEP);
        session.produce(topic, session.records, SMALL_BATCHES);
        TopicPartition partition = new TopicPartition(topic, 0);
        long end = Expected.countIn(0, session.records);
        long start = end / 2;
        Check.equal("low watermark after deleting before " + start, delete(session, partition, start), start);
        Check.equal("low watermark after deleting less than before", delete(session, partition, start - 5), start);
        checkListed(session, "earliest after deleting", partition, OffsetSpec.earliest(), start, -1);
        checkListed(session, "latest after deleting", partition, OffsetSpec.latest(), end, -1);
        // the batch that holds the start is still read, the record before the start is not
        checkListed(session, "by timestamp 0 after deleting", partition, OffsetSpec.forTimestamp(0), start,
                Expected.timestamp((int) start * Expected.PARTITIONS));
        Check.fails("deleting records after the end", org.apache.kafka.common.errors.OffsetOutOfRangeException.class,
                () -> delete(session, partition, end + 1));
        Check.fails("deleting records before offset -2", org.apache.kafka.common.errors.OffsetOutOfRangeException.class,
                () -> delete(session, partition, -2));

        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, start - 1);
            OffsetOutOfRangeException outside = Check.fails("reading before the start", OffsetOutOfRangeException.class,
                    () -> poll(consumer));
            Check.equal("partitions out of range", outside.offsetOutOfRangePartitions(), Map.of(partition, start - 1));
            consumer.seekToBeginning(List.of(partition));
            Check.equal("position at the beginning", consumer.position(partition), start);
            long[] next = {start};
            Session.readUntil(consumer, () -> next[0] == end, () -> "read up to " + next[0], record -> {
                Check.equal("offset after deleting", record.offset(), next[0]);
                Expected.Checker.content("after deleting, offset " + next[0], record, (int) next[0] * Expected.PARTITIONS);
                next[0]++;
            });
        }
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of("auto.offset.reset", "earliest"))) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 0);
            ConsumerRecord<byte[], byte[]> first = first(consumer);
            Check.equal("first record with reset to the earliest", first.offset(), start);
        }
        // all others are untouched
        TopicPartition other = new TopicPartition(topic, 1);
        checkListed(session, "earliest of another partition", other, OffsetSpec.earliest(), 0, -1);

        Check.equal("low watermark after deleting all", delete(session, partition, -1), end);
        checkListed(session, "earliest after deleting all", partition, OffsetSpec.earliest(), end, -1);
        long offset = session.produceOne(SMALL_BATCHES, new ProducerRecord<>(topic, 0, null, new byte[] {1})).offset();
        Check.equal("offset of a record after deleting all", offset, end);
        Check.equal("record after deleting all", session.read(partition, end, 1).get(0).offset(), end);
    }

    private static void outOfRange(Session session) throws Exception {
        String topic = session.create("range", 1, Session.KEEP);
        TopicPartition partition = new TopicPartition(topic, 0);
        session.produceOne(Map.of(), new ProducerRecord<>(topic, 0, null, new byte[] {1}));
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 2);
            Check.fails("reading after the end", OffsetOutOfRangeException.class, () -> poll(consumer));
            consumer.seek(partition, 1);
            Check.require(consumer.poll(Duration.ofMillis(200)).isEmpty(), "a record at the end of %s", partition);
            session.produceOne(Map.of(), new ProducerRecord<>(topic, 0, null, new byte[] {2}));
            Check.equal("offset of the record that a waiting fetch returns", first(consumer).offset(), 1);
        }
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of("auto.offset.reset", "latest"))) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 100);
            consumer.poll(Duration.ofMillis(200));
            Check.eventually(() -> {
                consumer.poll(Duration.ofMillis(50));
                Check.equal("position after a reset to the latest", consumer.position(partition), 2);
            });
        }
    }

    private static Object poll(KafkaConsumer<byte[], byte[]> consumer) {
        long end = System.nanoTime() + Check.TIMEOUT_S * 1_000_000_000L;
        while (System.nanoTime() < end) {
            var records = consumer.poll(Duration.ofMillis(500));
            if (!records.isEmpty()) return records.iterator().next();
        }
        return "nothing within " + Check.TIMEOUT_S + " s";
    }

    private static ConsumerRecord<byte[], byte[]> first(KafkaConsumer<byte[], byte[]> consumer) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        Session.readUntil(consumer, () -> !records.isEmpty(), () -> "waiting for one record", records::add);
        return records.get(0);
    }
}

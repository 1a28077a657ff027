import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** Transactions: what is committed is read once and in order, what is aborted is not, zombies are fenced, offsets move with the records. */
final class Transactions {
    private static final int PER_TRANSACTION = 100;

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            String topic = session.create("transactions", Expected.PARTITIONS, Map.of());
            commitsAndAborts(session, topic);
            String small = session.create("transactions-small", 1, Map.of());
            holdsReadersBack(session, small);
            fencesZombies(session, small);
            timesOut(session, small);
            refuses(session);
            for (String protocol : List.of("classic", "consumer"))
                processes(session, protocol, topic, session.create("transactions-processed-" + protocol, Expected.PARTITIONS, Map.of()));
            administration(session, small);
            return "commit, abort, fence, time-out, offsets, administration; " + session.records + " records";
        });
    }

    private static KafkaProducer<byte[], byte[]> producer(Session session, String id, Map<String, ?> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("transactional.id", session.topic(id), "acks", "all"));
        settings.putAll(more);
        KafkaProducer<byte[], byte[]> producer = session.producer(settings);
        producer.initTransactions();
        return producer;
    }

    private static byte[] bytes(int i) {
        return Integer.toString(i).getBytes(StandardCharsets.UTF_8);
    }

    private static int number(ConsumerRecord<byte[], byte[]> record) {
        return Integer.parseInt(new String(record.value(), StandardCharsets.UTF_8));
    }

    private static boolean commits(int transaction) {
        return transaction % 3 != 1;
    }

    private static void commitsAndAborts(Session session, String topic) {
        int transactions = session.records / PER_TRANSACTION + 1;
        List<Integer> committed = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(session, "commits", Map.of())) {
            for (int t = 0; t < transactions; t++) {
                producer.beginTransaction();
                for (int i = t * PER_TRANSACTION; i < (t + 1) * PER_TRANSACTION; i++) {
                    producer.send(new ProducerRecord<>(topic, i % Expected.PARTITIONS, null, bytes(i)));
                    if (commits(t)) committed.add(i);
                }
                if (commits(t)) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
            }
        }
        checkRead(session, topic, "read_committed", committed);
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < transactions * PER_TRANSACTION; i++) all.add(i);
        checkRead(session, topic, "read_uncommitted", all);
    }

    /** Each partition has exactly these numbers, in their order. */
    private static void checkRead(Session session, String topic, String isolation, List<Integer> numbers) {
        Map<Integer, List<Integer>> expected = new HashMap<>();
        for (int i : numbers) expected.computeIfAbsent(i % Expected.PARTITIONS, p -> new ArrayList<>()).add(i);
        Map<Integer, List<Integer>> seen = new HashMap<>();
        int[] count = {0};
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of("isolation.level", isolation))) {
            List<TopicPartition> partitions = Session.partitions(topic, Expected.PARTITIONS);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Session.readUntil(consumer, () -> count[0] >= numbers.size(), () -> isolation + ": " + count[0] + " of " + numbers.size(), record -> {
                seen.computeIfAbsent(record.partition(), p -> new ArrayList<>()).add(number(record));
                count[0]++;
            });
            var end = consumer.endOffsets(partitions);
            Check.equal(isolation + ": records behind the last", consumer.poll(Duration.ofMillis(200)).count(), 0);
            for (TopicPartition partition : partitions) Check.equal("position at the end of " + partition, consumer.position(partition), end.get(partition));
        }
        Check.equal(isolation + ": numbers by partition", seen, expected);
    }

    private static long end(Session session, TopicPartition partition, IsolationLevel isolation) throws Exception {
        return Check.get(session.admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(isolation)).partitionResult(partition)).offset();
    }

    private static void holdsReadersBack(Session session, String topic) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<byte[], byte[]> producer = producer(session, "holds", Map.of())) {
            producer.beginTransaction();
            Check.equal("offset of the first record", Check.get(producer.send(new ProducerRecord<>(topic, 0, null, bytes(1)))).offset(), 0);
            session.produceOne(Map.of("acks", "all"), new ProducerRecord<>(topic, 0, null, bytes(2)));
            Check.equal("end for all", end(session, partition, IsolationLevel.READ_UNCOMMITTED), 2);
            Check.equal("end for readers of what is committed", end(session, partition, IsolationLevel.READ_COMMITTED), 0);
            producer.commitTransaction();
        }
        Check.eventually(() -> Check.equal("end once it is committed", end(session, partition, IsolationLevel.READ_COMMITTED), 3));
    }

    private static void fencesZombies(Session session, String topic) throws Exception {
        try (KafkaProducer<byte[], byte[]> zombie = producer(session, "fenced", Map.of())) {
            zombie.beginTransaction();
            Check.get(zombie.send(new ProducerRecord<>(topic, 0, null, bytes(3))));
            try (KafkaProducer<byte[], byte[]> next = producer(session, "fenced", Map.of())) {
                next.beginTransaction();
                Check.get(next.send(new ProducerRecord<>(topic, 0, null, bytes(4))));
                boolean fenced = false;
                try {
                    zombie.send(new ProducerRecord<>(topic, 0, null, bytes(5)));
                    zombie.commitTransaction();
                } catch (ProducerFencedException | InvalidProducerEpochException expected) {
                    fenced = true;
                } catch (KafkaException other) {
                    fenced = other.getCause() instanceof ProducerFencedException || other.getCause() instanceof InvalidProducerEpochException;
                    Check.require(fenced, "a zombie commits: %s", other);
                }
                Check.require(fenced, "a zombie commits and is not fenced");
                next.commitTransaction();
            }
        }
        Set<Integer> seen = new TreeSet<>();
        try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(Map.of("isolation.level", "read_committed"))) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            Session.readUntil(consumer, () -> seen.contains(4), () -> "seen " + seen, record -> seen.add(number(record)));
        }
        Check.equal("committed numbers", seen, Set.of(1, 2, 4));
    }

    private static void timesOut(Session session, String topic) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        long before = end(session, partition, IsolationLevel.READ_COMMITTED);
        try (KafkaProducer<byte[], byte[]> producer = producer(session, "times-out", Map.of("transaction.timeout.ms", 500, "delivery.timeout.ms", 5000, "request.timeout.ms", 4000))) {
            producer.beginTransaction();
            Check.get(producer.send(new ProducerRecord<>(topic, 0, null, bytes(6))));
            // The record and the marker of the abort.
            Check.eventually(() -> Check.equal("end after the time-out", end(session, partition, IsolationLevel.READ_COMMITTED), before + 2));
            boolean failed = false;
            try {
                producer.commitTransaction();
            } catch (KafkaException expected) {
                failed = true;
            }
            Check.require(failed, "a transaction is committed that has timed out");
        }
    }

    private static void refuses(Session session) {
        KafkaException refusal = Check.fails("a time-out of an hour", KafkaException.class, () -> {
            try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("transactional.id", session.topic("long"), "transaction.timeout.ms", 3_600_000))) {
                producer.initTransactions();
            }
            return null;
        });
        Check.require(refusal.getMessage().contains("transaction.max.timeout.ms"), "a time-out of an hour is refused with: %s", refusal.getMessage());
    }

    /** Reads, writes and commits offsets in one transaction; every third is aborted and done again. */
    private static void processes(Session session, String protocol, String from, String to) throws Exception {
        String group = session.topic("processors-" + protocol);
        int[] goal = {0};
        int transactions = session.records / PER_TRANSACTION + 1;
        for (int t = 0; t < transactions; t++) if (commits(t)) goal[0] += PER_TRANSACTION;
        int done = 0;
        int round = 0;
        while (done < goal[0]) {
            round++;
            Map<String, Object> settings = Map.of("group.id", group, "group.protocol", protocol, "isolation.level", "read_committed",
                    "auto.offset.reset", "earliest", "max.poll.records", PER_TRANSACTION);
            try (KafkaConsumer<byte[], byte[]> consumer = session.consumer(settings); KafkaProducer<byte[], byte[]> producer = producer(session, "processor", Map.of())) {
                consumer.subscribe(List.of(from));
                long last = System.nanoTime();
                int batches = 0;
                while (done < goal[0]) {
                    var batch = consumer.poll(Duration.ofMillis(500));
                    Check.require(System.nanoTime() - last < Check.TIMEOUT_S * 1_000_000_000L, "no record to process: %d of %d", done, goal[0]);
                    if (batch.isEmpty()) continue;
                    last = System.nanoTime();
                    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                    producer.beginTransaction();
                    for (ConsumerRecord<byte[], byte[]> record : batch) {
                        producer.send(new ProducerRecord<>(to, record.partition(), null, record.value()));
                        offsets.put(new TopicPartition(from, record.partition()), new OffsetAndMetadata(record.offset() + 1));
                    }
                    producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
                    if (++batches % 3 == 0) {
                        producer.abortTransaction();
                        break;
                    }
                    producer.commitTransaction();
                    done += batch.count();
                }
            }
            Check.require(round < goal[0] + 3, "no end of rounds: %d of %d records", done, goal[0]);
        }
        List<Integer> expected = new ArrayList<>();
        for (int t = 0; t < transactions; t++) {
            for (int i = t * PER_TRANSACTION; commits(t) && i < (t + 1) * PER_TRANSACTION; i++) expected.add(i);
        }
        checkRead(session, to, "read_committed", expected);
    }

    private static void administration(Session session, String topic) throws Exception {
        String id = session.topic("described");
        Check.fails("describing an unknown id", TransactionalIdNotFoundException.class, session.admin.describeTransactions(List.of("nobody")).description("nobody"));
        try (KafkaProducer<byte[], byte[]> producer = producer(session, "described", Map.of())) {
            producer.beginTransaction();
            Check.get(producer.send(new ProducerRecord<>(topic, 0, null, bytes(7))));
            TransactionDescription described = Check.get(session.admin.describeTransactions(List.of(id)).description(id));
            Check.equal("state", described.state(), TransactionState.ONGOING);
            Check.equal("partitions", described.topicPartitions(), Set.of(new TopicPartition(topic, 0)));
            Check.equal("time-out", described.transactionTimeoutMs(), 60_000);
            Check.require(described.transactionStartTimeMs().isPresent(), "an open transaction has no start");
            checkListed(session, id, new ListTransactionsOptions(), true);
            checkListed(session, id, new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING)), true);
            checkListed(session, id, new ListTransactionsOptions().filterStates(Set.of(TransactionState.EMPTY)), false);
            checkListed(session, id, new ListTransactionsOptions().filterProducerIds(Set.of(described.producerId())), true);
            checkListed(session, id, new ListTransactionsOptions().filterOnDuration(3_600_000), false);
            checkListed(session, id, new ListTransactionsOptions().filterOnTransactionalIdPattern(".*described"), true);
            checkListed(session, id, new ListTransactionsOptions().filterOnTransactionalIdPattern("described"), false);
            Check.get(session.admin.fenceProducers(List.of(id)).all());
            boolean fenced = false;
            try {
                producer.commitTransaction();
            } catch (KafkaException expected) {
                fenced = true;
            }
            Check.require(fenced, "a producer commits that was fenced");
        }
        Check.eventually(() -> Check.equal("state after fencing",
                Check.get(session.admin.describeTransactions(List.of(id)).description(id)).topicPartitions(), Set.of()));
    }

    private static void checkListed(Session session, String id, ListTransactionsOptions options, boolean listed) throws Exception {
        Set<String> ids = new TreeSet<>();
        for (TransactionListing listing : Check.get(session.admin.listTransactions(options).all())) ids.add(listing.transactionalId());
        Check.equal(id + " is listed with " + options, ids.contains(id), listed);
    }
}

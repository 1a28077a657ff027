import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** One run of a program: the broker's address, the size of the test, the clients, and the topics to delete when all went well. */
final class Session implements AutoCloseable {
    /** Tests write records of 2023: the default retention would delete them. */
    static final Map<String, String> KEEP = Map.of("retention.ms", "-1");

    final String bootstrap;
    final int records;
    final String prefix;
    final Admin admin;
    private final List<String> topics = new ArrayList<>();

    private Session(String bootstrap, int records, String prefix) {
        this.bootstrap = bootstrap;
        this.records = records;
        this.prefix = prefix;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    interface Body {
        /** Returns the summary of a success. */
        String run(Session session) throws Exception;
    }

    /** The main of every program: arguments BOOTSTRAP RECORDS TOPIC_PREFIX. */
    static void run(String[] arguments, Body body) {
        int status = 0;
        try (Session session = new Session(arguments[0], Integer.parseInt(arguments[1]), arguments[2])) {
            String summary = body.run(session);
            session.deleteTopics();
            System.out.println(summary);
        } catch (Check.Failed failed) {
            StackTraceElement[] stack = failed.getStackTrace();
            for (StackTraceElement frame : stack) {
                if (!frame.getClassName().startsWith("Check") && !frame.getClassName().startsWith("Session")) {
                    System.err.println("at " + frame);
                }
            }
            System.err.println("FAILED " + failed.getMessage());
            status = 1;
        } catch (Exception | AssertionError failure) {
            failure.printStackTrace();
            System.err.println("FAILED " + failure);
            status = 1;
        }
        System.exit(status);
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }

    String topic(String suffix) {
        return prefix + "-" + suffix;
    }

    /**
     * Creates the topic, waits until the broker leads its partitions, and deletes it at the end of the run. Apache Kafka answers with new
     * metadata a moment before the partition accepts records. An idempotent producer that begins in this moment can have its second batch
     * accepted before its first, which then fails for ever.
     */
    String create(String suffix, int partitions, Map<String, String> configs) throws Exception {
        String topic = topic(suffix);
        Check.get(admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all());
        deleteAtEnd(topic);
        Check.eventually(() -> Check.equal("partitions of " + topic,
                Check.get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic).partitions().size(), partitions));
        Check.get(admin.listOffsets(partitions(topic, partitions).stream()
                .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()))).all());
        return topic;
    }

    void deleteAtEnd(String topic) {
        topics.add(topic);
    }

    private void deleteTopics() throws Exception {
        if (!topics.isEmpty()) Check.get(admin.deleteTopics(topics).all());
    }

    KafkaProducer<byte[], byte[]> producer(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", 5));
        all.putAll(settings);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** A consumer without a group: for assign() only. It reports an offset out of range instead of moving. */
    KafkaConsumer<byte[], byte[]> consumer(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false,
                "auto.offset.reset", "none", "max.poll.records", 5000));
        all.putAll(settings);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Produces the expected records 0 .. count - 1 and checks each acknowledgement. */
    void produce(String topic, int count, Map<String, ?> settings) {
        boolean offsetsKnown = !"0".equals(settings.get("acks"));
        AtomicReference<String> problem = new AtomicReference<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            for (int i = 0; i < count && problem.get() == null; i++) {
                int index = i;
                producer.send(Expected.record(topic, i), (metadata, failure) -> {
                    String wrong = wrongAcknowledgement(topic, index, metadata, failure, offsetsKnown);
                    if (wrong != null) problem.compareAndSet(null, wrong);
                });
            }
        }
        Check.require(problem.get() == null, "%s", problem.get());
    }

    private static String wrongAcknowledgement(String topic, int i, RecordMetadata metadata, Exception failure, boolean offsetsKnown) {
        String where = "producing record " + i + " to " + topic + "-" + Expected.partition(i);
        if (failure != null) return where + " fails with " + failure;
        long offset = offsetsKnown ? Expected.offset(i) : -1;
        if (metadata.offset() != offset) return where + " is acknowledged with offset " + metadata.offset() + ", expected " + offset;
        if (metadata.timestamp() != Expected.timestamp(i)) {
            return where + " is acknowledged with timestamp " + metadata.timestamp() + ", expected " + Expected.timestamp(i);
        }
        return null;
    }

    RecordMetadata produceOne(Map<String, ?> settings, ProducerRecord<byte[], byte[]> record) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            return Check.get(producer.send(record));
        }
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).toList();
    }

    /** Reads the expected records from these offsets, or from the beginning when `start` is null, up to the last one; none may follow. */
    void consume(String topic, int count, Map<Integer, Long> start, Map<String, ?> settings) {
        List<TopicPartition> partitions = partitions(topic, Expected.PARTITIONS);
        Expected.Checker checker = new Expected.Checker(topic, count, start == null ? Map.of() : start);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.assign(partitions);
            if (start == null) {
                consumer.seekToBeginning(partitions);
            } else {
                start.forEach((partition, offset) -> consumer.seek(new TopicPartition(topic, partition), offset));
            }
            readUntil(consumer, checker::done, checker::progress, checker::see);
            for (TopicPartition partition : partitions) {
                long end = Expected.countIn(partition.partition(), count);
                Check.equal("position after the last record of " + partition, consumer.position(partition), end);
                Check.equal("end offset of " + partition, consumer.endOffsets(List.of(partition)).get(partition), end);
            }
        }
    }

    interface Stop {
        boolean now();
    }

    interface Progress {
        String text();
    }

    interface Reader {
        void see(ConsumerRecord<byte[], byte[]> record);
    }

    /** Polls until `stop`; a deadline without any record is a failure. */
    static void readUntil(KafkaConsumer<byte[], byte[]> consumer, Stop stop, Progress progress, Reader reader) {
        long lastRecord = System.nanoTime();
        while (!stop.now()) {
            var batch = consumer.poll(Duration.ofMillis(500));
            batch.forEach(reader::see);
            if (!batch.isEmpty()) lastRecord = System.nanoTime();
            Check.require(System.nanoTime() - lastRecord < Check.TIMEOUT_S * 1_000_000_000L,
                    "no record within %d s: %s", Check.TIMEOUT_S, progress.text());
        }
    }

    /** The next `count` records of one partition from an offset on. */
    List<ConsumerRecord<byte[], byte[]>> read(TopicPartition partition, long offset, int count) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, offset);
            readUntil(consumer, () -> records.size() >= count,
                    () -> records.size() + " of " + count + " records of " + partition + " from offset " + offset, records::add);
        }
        return records.subList(0, count);
    }
}

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.admin.StreamsGroupMemberAssignment;
import org.apache.kafka.clients.admin.StreamsGroupSubtopologyDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;

/** Streams groups (KIP-1071): an application in several processes, one of which is killed, counts right, exactly once. */
final class StreamsGroups {
    private static final int WORDS = 97;
    private static final int PARTITIONS = 4;
    /** A killed member's tasks wait for its session of 45 s to end. */
    private static final long COUNTED_S = 120;

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            Path directory = Files.createTempDirectory("streams-groups-");
            try {
                wordCount(session, directory);
            } finally {
                try (Stream<Path> files = Files.walk(directory)) {
                    files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
                }
            }
            return "word count exactly once over two processes, one killed; describe, list, offsets, delete; " + session.records + " lines";
        });
    }

    private static void wordCount(Session session, Path directory) throws Exception {
        String input = session.create("lines", PARTITIONS, Map.of());
        String output = session.create("counts", PARTITIONS, Map.of());
        String group = session.topic("wordcount");
        String changelog = group + "-" + StreamsApplication.STORE + "-changelog";
        String repartition = group + "-words-repartition";
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        Check.get(session.admin.incrementalAlterConfigs(Map.of(resource,
                List.of(new AlterConfigOp(new ConfigEntry("streams.num.standby.replicas", "1"), AlterConfigOp.OpType.SET)))).all());
        int third = session.records / 3;
        produce(session, input, 0, third);
        try (Application first = new Application(session, group, input, output, directory.resolve("first"))) {
            waitUntilStable(session, group, 2);
            internalTopics(session, changelog, repartition);
            Counts counts = new Counts(session, output);
            counts.waitFor(third);
            try (Application second = new Application(session, group, input, output, directory.resolve("second"))) {
                produce(session, input, third, 2 * third);
                StreamsGroupDescription both = waitUntilStable(session, group, 4);
                standbys(both);
                counts.waitFor(2 * third);
                produce(session, input, 2 * third, session.records);
                first.kill();
                counts.waitFor(session.records);
                waitUntilStable(session, group, 2);
                Check.fails("deleting a group with members", GroupNotEmptyException.class,
                        session.admin.deleteStreamsGroups(List.of(group)).deletedGroups().get(group));
                second.leave();
            }
            counts.end();
        }
        administer(session, group, input);
    }

    /** The text of line i: two words, each of which comes equally often. */
    private static String line(int i) {
        return "word" + i % WORDS + " word" + (i + 1) % WORDS;
    }

    private static void produce(Session session, String topic, int from, int to) {
        try (KafkaProducer<byte[], byte[]> producer = session.producer(Map.of("acks", "all"))) {
            for (int i = from; i < to; i++) producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, line(i).getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static StreamsGroupDescription describe(Session session, String group) throws Exception {
        return Check.get(session.admin.describeStreamsGroups(List.of(group)).describedGroups().get(group));
    }

    /** Until so many members share out all tasks; each task is active with one of them. */
    private static StreamsGroupDescription waitUntilStable(Session session, String group, int members) throws Exception {
        AtomicReference<StreamsGroupDescription> stable = new AtomicReference<>();
        Check.eventually(COUNTED_S, () -> {
            stable.set(describe(session, group));
            Check.equal("members", stable.get().members().size(), members);
            Check.equal("state", stable.get().groupState(), GroupState.STABLE);
        });
        StreamsGroupDescription now = stable.get();
        Set<String> active = new HashSet<>();
        now.members().forEach(member -> {
            Check.equal("epoch of " + member.memberId(), member.memberEpoch(), now.groupEpoch());
            Check.equal("assignment of " + member.memberId(), member.assignment(), member.targetAssignment());
            tasks(member.assignment().activeTasks()).forEach(task ->
                    Check.require(active.add(task), "task %s is active twice", task));
        });
        Check.equal("active tasks", active.size(), 2 * PARTITIONS);
        Check.equal("subtopologies", now.subtopologies().size(), 2);
        Check.equal("target epoch", now.targetAssignmentEpoch(), now.groupEpoch());
        return now;
    }

    private static List<String> tasks(List<StreamsGroupMemberAssignment.TaskIds> ids) {
        return ids.stream().flatMap(one -> one.partitions().stream().map(p -> one.subtopologyId() + "_" + p)).toList();
    }

    /** Each stateful task has a copy on the other process. */
    private static void standbys(StreamsGroupDescription group) {
        Map<String, String> active = new HashMap<>();
        Map<String, String> standby = new HashMap<>();
        group.members().forEach(member -> {
            tasks(member.assignment().activeTasks()).forEach(task -> active.put(task, member.processId()));
            tasks(member.assignment().standbyTasks()).forEach(task -> standby.put(task, member.processId()));
        });
        Check.equal("standby tasks", standby.size(), PARTITIONS);
        standby.forEach((task, process) -> Check.require(!process.equals(active.get(task)), "standby task %s is where it is active", task));
        StreamsGroupSubtopologyDescription stateful =
                group.subtopologies().stream().filter(one -> !one.stateChangelogTopics().isEmpty()).findFirst().orElseThrow();
        standby.keySet().forEach(task -> Check.require(task.startsWith(stateful.subtopologyId() + "_"), "task %s has no state to keep", task));
    }

    private static void internalTopics(Session session, String changelog, String repartition) throws Exception {
        var described = Check.get(session.admin.describeTopics(List.of(changelog, repartition)).allTopicNames());
        Map<String, String> policies = Map.of(changelog, "compact", repartition, "delete");
        for (Map.Entry<String, String> policy : policies.entrySet()) {
            Check.equal("partitions of " + policy.getKey(), described.get(policy.getKey()).partitions().size(), PARTITIONS);
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, policy.getKey());
            Check.equal("cleanup.policy of " + policy.getKey(),
                    Check.get(session.admin.describeConfigs(List.of(resource)).all()).get(resource).get("cleanup.policy").value(), policy.getValue());
        }
    }

    private static void administer(Session session, String group, String input) throws Exception {
        Check.eventually(() -> Check.equal("state", describe(session, group).groupState(), GroupState.EMPTY));
        GroupListing listed = Check.get(session.admin.listGroups(ListGroupsOptions.forStreamsGroups()).all()).stream()
                .filter(one -> one.groupId().equals(group)).findFirst().orElseThrow();
        Check.equal("type", listed.type().orElseThrow(), GroupType.STREAMS);
        Check.equal("protocol", listed.protocol(), "streams");
        var offsets = Check.get(session.admin.listStreamsGroupOffsets(Map.of(group, new ListStreamsGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(group));
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int lines = (session.records - partition + PARTITIONS - 1) / PARTITIONS;
            Check.equal("offset of partition " + partition, offsets.get(new TopicPartition(input, partition)).offset(), lines);
        }
        Check.require(tool(session, "--list").lines().anyMatch(group::equals), "the tool does not list %s", group);
        String state = tool(session, "--describe", "--state", "--group", group);
        Check.require(state.contains(group) && state.contains("Empty"), "the tool describes %s as %s", group, state);
        tool(session, "--reset-offsets", "--to-earliest", "--input-topic", input, "--group", group, "--execute");
        offsets = Check.get(session.admin.listStreamsGroupOffsets(Map.of(group, new ListStreamsGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(group));
        for (int partition = 0; partition < PARTITIONS; partition++) {
            Check.equal("reset offset of partition " + partition, offsets.get(new TopicPartition(input, partition)).offset(), 0);
        }
        tool(session, "--delete", "--group", group);
        Check.fails("describing a group that is gone", GroupIdNotFoundException.class,
                session.admin.describeStreamsGroups(List.of(group)).describedGroups().get(group));
    }

    /** What Apache Kafka's tool for streams groups prints. */
    private static String tool(Session session, String... options) throws Exception {
        List<String> command = java("org.apache.kafka.tools.streams.StreamsGroupCommand");
        command.addAll(List.of("--bootstrap-server", session.bootstrap));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Check.require(process.waitFor() == 0, "%s fails: %s", List.of(options), output);
        return output;
    }

    /** The command of another program with this one's options. */
    private static List<String> java(String main) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        return command;
    }

    /** What the application wrote: for each word 1, 2, 3, ... without a gap, and nothing twice. */
    private static final class Counts {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final Map<String, Long> counts = new HashMap<>();
        private long seen;

        Counts(Session session, String topic) {
            consumer = session.consumer(Map.of("isolation.level", "read_committed"));
            List<TopicPartition> partitions = Session.partitions(topic, PARTITIONS);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        void waitFor(int lines) {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(COUNTED_S);
            while (seen < 2L * lines) {
                poll();
                Check.require(System.nanoTime() < end, "%d of %d words are counted", seen, 2L * lines);
            }
            Map<String, Long> expected = new HashMap<>();
            for (int i = 0; i < lines; i++) for (String word : line(i).split(" ")) expected.merge(word, 1L, Long::sum);
            expected.forEach((word, count) -> Check.equal("count of " + word, counts.get(word), count));
        }

        /** Nothing follows. */
        void end() {
            long before = seen;
            for (int i = 0; i < 4; i++) poll();
            Check.equal("words", seen, before);
            consumer.close();
        }

        private void poll() {
            consumer.poll(java.time.Duration.ofMillis(500)).forEach(record -> {
                String word = new String(record.key(), StandardCharsets.UTF_8);
                long count = ByteBuffer.wrap(record.value()).getLong();
                Check.equal("count of " + word + " after " + counts.getOrDefault(word, 0L), count, counts.merge(word, 1L, Long::sum));
                seen++;
            });
        }
    }

    /** The application in a process of its own, with two threads. */
    private static final class Application implements AutoCloseable {
        private final Process process;

        Application(Session session, String group, String input, String output, Path state) throws IOException {
            List<String> command = java("StreamsApplication");
            command.addAll(List.of(session.bootstrap, group, input, output, state.toString(), "streams", "2"));
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }

        void leave() throws Exception {
            process.getOutputStream().close();
            Check.require(process.waitFor(Check.TIMEOUT_S, TimeUnit.SECONDS), "the application does not end");
            Check.equal("exit status of the application", process.exitValue(), 0);
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}

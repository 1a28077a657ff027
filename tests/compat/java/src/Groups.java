import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** Groups of the classic protocol: members come and go, eagerly and cooperatively, static ones too, and no record is read twice. */
final class Groups {
    private static final Duration SHORT = Duration.ofMillis(100);

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            String topic = session.create("groups", Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("acks", "all"));
            resumes(session, topic);
            for (Class<?> assignor : List.of(RangeAssignor.class, CooperativeStickyAssignor.class)) growsAndShrinks(session, topic, assignor);
            staticMembers(session, topic);
            simpleCommits(session, topic);
            administration(session, topic);
            return "resume, eager, cooperative, static, simple commits, administration; " + session.records + " records";
        });
    }

    private static KafkaConsumer<byte[], byte[]> member(Session session, String group, Map<String, ?> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("group.id", session.topic(group), "group.protocol", "classic",
                "auto.offset.reset", "earliest", "max.poll.records", 200, "heartbeat.interval.ms", 500, "session.timeout.ms", 10_000));
        settings.putAll(more);
        return session.consumer(settings);
    }

    private static List<TopicPartition> all(String topic) {
        return Session.partitions(topic, Expected.PARTITIONS);
    }

    /** Each record once, over members that commit and close, or are closed without a word. */
    private static void resumes(Session session, String topic) throws Exception {
        BitSet seen = new BitSet();
        int round = 0;
        while (seen.cardinality() < session.records) {
            int goal = Math.min(session.records, seen.cardinality() + session.records / 3 + 1);
            try (KafkaConsumer<byte[], byte[]> consumer = member(session, "resume", Map.of("enable.auto.commit", round % 2 == 1))) {
                consumer.subscribe(List.of(topic));
                Session.readUntil(consumer, () -> seen.cardinality() >= goal, () -> seen.cardinality() + " records", record -> see(seen, record));
                if (round % 2 == 0) consumer.commitSync();
            }
            round++;
        }
        Map<TopicPartition, OffsetAndMetadata> committed =
                Check.get(session.admin.listConsumerGroupOffsets(session.topic("resume")).partitionsToOffsetAndMetadata());
        for (TopicPartition partition : all(topic)) {
            Check.equal("committed offset of " + partition, committed.get(partition).offset(), Expected.countIn(partition.partition(), session.records));
        }
    }

    private static void see(BitSet seen, ConsumerRecord<byte[], byte[]> record) {
        int i = (int) ((record.timestamp() - Expected.FIRST_TIMESTAMP) / Expected.TIMESTAMP_STEP);
        Check.require(!seen.get(i), "record %d is read twice: %s-%d offset %d", i, record.topic(), record.partition(), record.offset());
        seen.set(i);
    }

    /** Polls all of them until they hold these numbers of partitions, together all, none twice. */
    private static void settle(List<KafkaConsumer<byte[], byte[]>> members, String topic, Set<Integer> counts) throws Exception {
        Check.eventually(() -> {
            Set<TopicPartition> held = new HashSet<>();
            Set<Integer> sizes = new HashSet<>();
            for (KafkaConsumer<byte[], byte[]> member : members) {
                member.poll(SHORT);
                sizes.add(member.assignment().size());
            }
            int total = 0;
            Set<Integer> generations = new HashSet<>();
            for (KafkaConsumer<byte[], byte[]> member : members) {
                generations.add(member.groupMetadata().generationId());
                held.addAll(member.assignment());
                total += member.assignment().size();
            }
            Check.equal("partitions by member", sizes, counts);
            Check.equal("partitions in all", total, Expected.PARTITIONS);
            Check.equal("partitions that somebody has", held, Set.copyOf(all(topic)));
            // cooperative members may have all partitions while the last rebalance still goes round
            Check.equal("generations at once", generations.size(), 1);
        });
    }

    private static void growsAndShrinks(Session session, String topic, Class<?> assignor) throws Exception {
        String group = "grows-" + assignor.getSimpleName();
        Map<String, Object> settings = Map.of("partition.assignment.strategy", assignor.getName());
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                members.add(member(session, group, settings));
                members.get(i).subscribe(List.of(topic));
                settle(members, topic, i == 0 ? Set.of(3) : i == 1 ? Set.of(1, 2) : Set.of(1));
            }
            int generation = members.get(0).groupMetadata().generationId();
            members.remove(1).close();
            settle(members, topic, Set.of(1, 2));
            members.remove(0).close();
            settle(members, topic, Set.of(3));
            Check.require(members.get(0).groupMetadata().generationId() > generation, "the generation did not grow from %d", generation);
        } finally {
            for (KafkaConsumer<byte[], byte[]> member : members) member.close();
        }
    }

    /** A static member that comes back within its session has its partitions again, and the others notice nothing. */
    private static void staticMembers(Session session, String topic) throws Exception {
        KafkaConsumer<byte[], byte[]> other = member(session, "static", Map.of("group.instance.id", "other", "session.timeout.ms", 30_000));
        KafkaConsumer<byte[], byte[]> first = member(session, "static", Map.of("group.instance.id", "one", "session.timeout.ms", 30_000));
        other.subscribe(List.of(topic));
        first.subscribe(List.of(topic));
        settle(List.of(other, first), topic, Set.of(1, 2));
        Set<TopicPartition> before = first.assignment();
        int generation = other.groupMetadata().generationId();
        first.close();
        KafkaConsumer<byte[], byte[]> again = member(session, "static", Map.of("group.instance.id", "one", "session.timeout.ms", 30_000));
        again.subscribe(List.of(topic));
        settle(List.of(other, again), topic, Set.of(1, 2));
        Check.equal("assignment after coming back", again.assignment(), before);
        Check.equal("generation after coming back", again.groupMetadata().generationId(), generation);

        again.close();
        other.close();
        Check.get(session.admin.removeMembersFromConsumerGroup(session.topic("static"),
                new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("one"), new MemberToRemove("other")))).all());
        Check.eventually(() -> Check.equal("state without members", describe(session, "static").groupState(), GroupState.EMPTY));
    }

    private static void simpleCommits(Session session, String topic) throws Exception {
        TopicPartition partition = all(topic).get(0);
        try (KafkaConsumer<byte[], byte[]> consumer = member(session, "simple", Map.of())) {
            consumer.assign(all(topic));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, "a note")));
            OffsetAndMetadata committed = consumer.committed(Set.copyOf(all(topic))).get(partition);
            Check.equal("committed offset", committed.offset(), 7);
            Check.equal("committed note", committed.metadata(), "a note");
            Check.equal("partitions without a commit", consumer.committed(Set.of(all(topic).get(1))).get(all(topic).get(1)), null);
            Check.fails("a note of 5000 characters", org.apache.kafka.common.errors.OffsetMetadataTooLarge.class, () -> {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(8, "x".repeat(5000))));
                return null;
            });
        }
        try (KafkaConsumer<byte[], byte[]> member = member(session, "simple", Map.of());
                KafkaConsumer<byte[], byte[]> outsider = member(session, "simple", Map.of())) {
            member.subscribe(List.of(topic));
            settle(List.of(member), topic, Set.of(3));
            outsider.assign(all(topic));
            Check.fails("a commit from outside of a group with members", CommitFailedException.class, () -> {
                outsider.commitSync(Map.of(partition, new OffsetAndMetadata(9)));
                return null;
            });
        }
    }

    private static ConsumerGroupDescription describe(Session session, String group) throws Exception {
        return Check.get(session.admin.describeConsumerGroups(List.of(session.topic(group))).describedGroups().get(session.topic(group)));
    }

    private static void administration(Session session, String topic) throws Exception {
        String group = session.topic("admin");
        TopicPartition partition = all(topic).get(0);
        try (KafkaConsumer<byte[], byte[]> member = member(session, "admin", Map.of("client.id", "me"))) {
            member.subscribe(List.of(topic));
            settle(List.of(member), topic, Set.of(3));
            member.commitSync();
            ConsumerGroupDescription described = describe(session, "admin");
            Check.equal("state", described.groupState(), GroupState.STABLE);
            Check.equal("assignor", described.partitionAssignor(), "range");
            Check.equal("members", described.members().size(), 1);
            var one = described.members().iterator().next();
            Check.equal("client id", one.clientId(), "me");
            Check.equal("host", one.host(), "/127.0.0.1");
            Check.equal("assignment", one.assignment().topicPartitions(), Set.copyOf(all(topic)));
            Check.fails("deleting a group with members", GroupNotEmptyException.class,
                    session.admin.deleteConsumerGroups(List.of(group)).all());
            Check.fails("deleting offsets that are in use", GroupSubscribedToTopicException.class,
                    session.admin.deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition));
            Check.fails("altering offsets of a group with members", UnknownMemberIdException.class,
                    session.admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all());
            checkListed(session, group, GroupState.STABLE, true);
            checkListed(session, group, GroupState.EMPTY, false);
        }
        checkListed(session, group, GroupState.EMPTY, true);
        Check.get(session.admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all());
        Check.equal("altered offset", Check.get(session.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .get(partition).offset(), 1);
        Check.get(session.admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all());
        Check.equal("deleted offset", Check.get(session.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .get(partition), null);
        Check.get(session.admin.deleteConsumerGroups(List.of(group)).all());
        Check.fails("deleting a group again", GroupIdNotFoundException.class, session.admin.deleteConsumerGroups(List.of(group)).all());
        Check.fails("describing a group that is gone", GroupIdNotFoundException.class,
                session.admin.describeConsumerGroups(List.of(group)).all());
    }

    private static void checkListed(Session session, String group, GroupState state, boolean wanted) throws Exception {
        Check.eventually(() -> {
            List<String> ids = Check.get(session.admin.listGroups(ListGroupsOptions.forConsumerGroups().inGroupStates(Set.of(state))).all())
                    .stream().map(GroupListing::groupId).toList();
            Check.equal(group + " among the groups in state " + state, ids.contains(group), wanted);
        });
    }
}

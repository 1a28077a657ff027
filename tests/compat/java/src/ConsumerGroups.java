import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.errors.UnreleasedInstanceIdException;
import org.apache.kafka.common.errors.UnsupportedAssignorException;

/** Groups of the consumer protocol (KIP-848): the broker assigns, members come and go, and no record is read twice or missed. */
final class ConsumerGroups {
    private static final Duration SHORT = Duration.ofMillis(100);

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            String topic = session.create("groups", Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("acks", "all"));
            resumes(session, topic);
            for (String assignor : List.of("uniform", "range")) growsAndShrinks(session, topic, assignor);
            underLoad(session, topic);
            staticMembers(session, topic);
            topicsComeAndGrow(session);
            administration(session, topic);
            refusals(session, topic);
            return "resume, uniform, range, under load, static, growing topics, regular expressions, administration; " + session.records + " records";
        });
    }

    private static KafkaConsumer<byte[], byte[]> member(Session session, String group, Map<String, ?> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("group.id", session.topic(group), "group.protocol", "consumer",
                "auto.offset.reset", "earliest", "max.poll.records", 200));
        settings.putAll(more);
        return session.consumer(settings);
    }

    private static List<TopicPartition> all(String topic) {
        return Session.partitions(topic, Expected.PARTITIONS);
    }

    /** Each record once, over members that commit and close. */
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

    /** Polls all of them until they hold these numbers of partitions, together all of `partitions`, none twice at any time. */
    private static void settle(List<KafkaConsumer<byte[], byte[]>> members, Set<TopicPartition> partitions, Set<Integer> counts) throws Exception {
        Check.eventually(() -> {
            for (KafkaConsumer<byte[], byte[]> member : members) member.poll(SHORT);
            Set<TopicPartition> held = new HashSet<>();
            Set<Integer> sizes = new HashSet<>();
            for (KafkaConsumer<byte[], byte[]> member : members) {
                sizes.add(member.assignment().size());
                for (TopicPartition partition : member.assignment()) {
                    if (!held.add(partition)) throw new AssertionError(partition + " is two members'");
                }
            }
            Check.equal("partitions that somebody has", held, partitions);
            Check.equal("partitions by member", sizes, counts);
        });
    }

    private static void growsAndShrinks(Session session, String topic, String assignor) throws Exception {
        String group = "grows-" + assignor;
        Map<String, Object> settings = Map.of("group.remote.assignor", assignor);
        Set<TopicPartition> partitions = Set.copyOf(all(topic));
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                members.add(member(session, group, settings));
                members.get(i).subscribe(List.of(topic));
                settle(members, partitions, i == 0 ? Set.of(3) : i == 1 ? Set.of(1, 2) : Set.of(1));
            }
            ConsumerGroupDescription described = describe(session, group);
            Check.equal("assignor", described.partitionAssignor(), assignor);
            Check.equal("members", described.members().size(), 3);
            members.remove(1).close();
            settle(members, partitions, Set.of(1, 2));
            members.remove(0).close();
            settle(members, partitions, Set.of(3));
        } finally {
            for (KafkaConsumer<byte[], byte[]> member : members) member.close();
        }
    }

    /** Members come and go while records are read: each is read once, since each member commits before it gives a partition up. */
    private static void underLoad(Session session, String topic) throws Exception {
        BitSet seen = new BitSet();
        List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
        try {
            for (int round = 0; seen.cardinality() < session.records; round++) {
                if (members.size() < 3 && round % 20 == 0) {
                    members.add(member(session, "load", Map.of("enable.auto.commit", true, "max.poll.records", 50)));
                    members.get(members.size() - 1).subscribe(List.of(topic));
                }
                if (round % 50 == 49) members.remove(0).close();
                for (KafkaConsumer<byte[], byte[]> member : members) {
                    for (ConsumerRecord<byte[], byte[]> record : member.poll(Duration.ofMillis(20))) see(seen, record);
                }
                Check.require(round < 5000, "%d of %d records are read", seen.cardinality(), session.records);
            }
        } finally {
            for (KafkaConsumer<byte[], byte[]> member : members) member.close();
        }
    }

    /** A static member that comes back has its partitions again, and the others notice nothing. */
    private static void staticMembers(Session session, String topic) throws Exception {
        Set<TopicPartition> partitions = Set.copyOf(all(topic));
        KafkaConsumer<byte[], byte[]> other = member(session, "static", Map.of("group.instance.id", "other"));
        KafkaConsumer<byte[], byte[]> first = member(session, "static", Map.of("group.instance.id", "one"));
        other.subscribe(List.of(topic));
        first.subscribe(List.of(topic));
        settle(List.of(other, first), partitions, Set.of(1, 2));
        try (KafkaConsumer<byte[], byte[]> twin = member(session, "static", Map.of("group.instance.id", "one"))) {
            twin.subscribe(List.of(topic));
            Check.fails("joining as an instance that is there", UnreleasedInstanceIdException.class, () -> {
                for (int i = 0; i < 100; i++) twin.poll(SHORT);
                return null;
            });
        }
        Set<TopicPartition> before = Set.copyOf(first.assignment());
        int epoch = describe(session, "static").groupEpoch().get();
        first.close();
        KafkaConsumer<byte[], byte[]> again = member(session, "static", Map.of("group.instance.id", "one"));
        again.subscribe(List.of(topic));
        settle(List.of(other, again), partitions, Set.of(1, 2));
        Check.equal("assignment after coming back", again.assignment(), before);
        Check.equal("group epoch after coming back", describe(session, "static").groupEpoch().get(), epoch);

        again.close();
        other.close();
        Check.get(session.admin.removeMembersFromConsumerGroup(session.topic("static"),
                new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("one"), new MemberToRemove("other")))).all());
        Check.eventually(() -> Check.equal("state without members", describe(session, "static").groupState(), GroupState.EMPTY));
    }

    private static void topicsComeAndGrow(Session session) throws Exception {
        String first = session.create("regex-one", 2, Map.of());
        try (KafkaConsumer<byte[], byte[]> byName = member(session, "by-name", Map.of("allow.auto.create.topics", false));
                KafkaConsumer<byte[], byte[]> byPattern = member(session, "by-pattern", Map.of())) {
            byName.subscribe(List.of(first, session.topic("later")));
            byPattern.subscribe(new SubscriptionPattern(session.topic("regex-.*")));
            settle(List.of(byName), Set.copyOf(Session.partitions(first, 2)), Set.of(2));
            settle(List.of(byPattern), Set.copyOf(Session.partitions(first, 2)), Set.of(2));
            Check.get(session.admin.createPartitions(Map.of(first, NewPartitions.increaseTo(3))).all());
            settle(List.of(byName), Set.copyOf(Session.partitions(first, 3)), Set.of(3));
            settle(List.of(byPattern), Set.copyOf(Session.partitions(first, 3)), Set.of(3));
            String later = session.create("later", 1, Map.of());
            String second = session.create("regex-two", 1, Map.of());
            Set<TopicPartition> named = new HashSet<>(Session.partitions(first, 3));
            named.addAll(Session.partitions(later, 1));
            settle(List.of(byName), named, Set.of(4));
            Set<TopicPartition> matched = new HashSet<>(Session.partitions(first, 3));
            matched.addAll(Session.partitions(second, 1));
            settle(List.of(byPattern), matched, Set.of(4));
            byName.subscribe(List.of(later));
            settle(List.of(byName), Set.copyOf(Session.partitions(later, 1)), Set.of(1));
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
            settle(List.of(member), Set.copyOf(all(topic)), Set.of(3));
            member.commitSync();
            ConsumerGroupDescription described = describe(session, "admin");
            Check.equal("state", described.groupState(), GroupState.STABLE);
            Check.equal("type", described.type(), GroupType.CONSUMER);
            Check.equal("assignor", described.partitionAssignor(), "uniform");
            Check.equal("target epoch", described.targetAssignmentEpoch(), described.groupEpoch());
            MemberDescription one = described.members().iterator().next();
            Check.equal("members", described.members().size(), 1);
            Check.equal("client id", one.clientId(), "me");
            Check.equal("host", one.host(), "/127.0.0.1");
            Check.equal("member epoch", one.memberEpoch(), described.groupEpoch());
            Check.equal("member id", one.consumerId(), member.groupMetadata().memberId());
            Check.equal("assignment", one.assignment().topicPartitions(), Set.copyOf(all(topic)));
            Check.equal("target", one.targetAssignment().get().topicPartitions(), Set.copyOf(all(topic)));
            Check.fails("deleting a group with members", GroupNotEmptyException.class,
                    session.admin.deleteConsumerGroups(List.of(group)).all());
            Check.fails("deleting offsets that are in use", GroupSubscribedToTopicException.class,
                    session.admin.deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition));
            checkListed(session, group, GroupState.STABLE, true);
            checkListed(session, group, GroupState.EMPTY, false);
        }
        checkListed(session, group, GroupState.EMPTY, true);
        Check.get(session.admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all());
        Check.get(session.admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all());
        Check.equal("deleted offset", Check.get(session.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .get(partition), null);
        // A member of the classic protocol takes the empty group over, and its offsets.
        try (KafkaConsumer<byte[], byte[]> classic = member(session, "admin", Map.of("group.protocol", "classic"))) {
            classic.subscribe(List.of(topic));
            settle(List.of(classic), Set.copyOf(all(topic)), Set.of(3));
            Check.equal("type", describe(session, "admin").type(), GroupType.CLASSIC);
        }
        Check.get(session.admin.deleteConsumerGroups(List.of(group)).all());
        Check.fails("describing a group that is gone", GroupIdNotFoundException.class,
                session.admin.describeConsumerGroups(List.of(group)).all());
    }

    private static void refusals(Session session, String topic) throws Exception {
        try (KafkaConsumer<byte[], byte[]> member = member(session, "refused", Map.of("group.remote.assignor", "nobody"))) {
            member.subscribe(List.of(topic));
            Check.fails("an assignor that is not there", UnsupportedAssignorException.class, () -> {
                for (int i = 0; i < 100; i++) member.poll(SHORT);
                return null;
            });
        }
        try (KafkaConsumer<byte[], byte[]> member = member(session, "refused", Map.of())) {
            member.subscribe(new SubscriptionPattern("(unfinished"));
            Check.fails("a pattern that is none", InvalidRegularExpression.class, () -> {
                for (int i = 0; i < 100; i++) member.poll(SHORT);
                return null;
            });
        }
    }

    private static void checkListed(Session session, String group, GroupState state, boolean wanted) throws Exception {
        Check.eventually(() -> {
            List<String> ids = Check.get(session.admin.listGroups(
                            new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER)).inGroupStates(Set.of(state))).all())
                    .stream().map(GroupListing::groupId).collect(Collectors.toList());
            Check.equal(group + " among the groups in state " + state, ids.contains(group), wanted);
        });
    }
}

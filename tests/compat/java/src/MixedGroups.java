import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.GroupType;

/** A group that is moved from the classic protocol to KIP-848's and back, one member after another, while it reads: no record is lost. */
final class MixedGroups {
    private final Session session;
    private final String topic;
    private final BitSet seen = new BitSet();
    private final List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();

    private MixedGroups(Session session, String topic) {
        this.session = session;
        this.topic = topic;
    }

    public static void main(String[] arguments) {
        Session.run(arguments, session -> {
            String topic = session.create("mixed-groups", Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("acks", "all"));
            return new MixedGroups(session, topic).run();
        });
    }

    private String run() throws Exception {
        try {
            add("classic");
            add("classic");
            readTo(1, GroupType.CLASSIC);
            add("consumer"); // the group is converted; the two others stay what they are
            readTo(2, GroupType.CONSUMER);
            replace("consumer");
            readTo(3, GroupType.CONSUMER);
            replace("consumer"); // nobody of the classic protocol is left
            readTo(4, GroupType.CONSUMER);
            replace("classic"); // and the way back
            readTo(5, GroupType.CONSUMER);
            replace("classic");
            readTo(6, GroupType.CONSUMER);
            members.remove(0).close(); // the last of the consumer protocol
            readTo(7, GroupType.CLASSIC);
        } finally {
            for (KafkaConsumer<byte[], byte[]> member : members) member.close();
        }
        return "classic, mixed, consumer, mixed, classic; " + session.records + " records, none lost";
    }

    private void add(String protocol) {
        Map<String, Object> settings = new HashMap<>(Map.of("group.id", session.topic("mixed"), "group.protocol", protocol,
                "auto.offset.reset", "earliest", "max.poll.records", 20, "enable.auto.commit", true));
        KafkaConsumer<byte[], byte[]> member = session.consumer(settings);
        member.subscribe(List.of(topic));
        members.add(member);
    }

    /** A new member comes, and the oldest goes. */
    private void replace(String protocol) {
        add(protocol);
        members.remove(0).close();
    }

    /** Reads on until a seventh more of the records is read, in the end all of them, each member has partitions, and the group is of that type. */
    private void readTo(int stage, GroupType type) throws Exception {
        int goal = session.records * stage / 7;
        Check.eventually(() -> {
            for (KafkaConsumer<byte[], byte[]> member : members) {
                for (ConsumerRecord<byte[], byte[]> record : member.poll(Duration.ofMillis(20))) {
                    seen.set((int) ((record.timestamp() - Expected.FIRST_TIMESTAMP) / Expected.TIMESTAMP_STEP));
                }
            }
            for (KafkaConsumer<byte[], byte[]> member : members) Check.require(!member.assignment().isEmpty(), "a member has no partition in stage %d", stage);
            Check.require(seen.cardinality() >= goal, "%d of %d records are read in stage %d", seen.cardinality(), goal, stage);
        });
        ConsumerGroupDescription described = Check.get(session.admin.describeConsumerGroups(List.of(session.topic("mixed"))).describedGroups().get(session.topic("mixed")));
        Check.equal("type in stage " + stage, described.type(), type);
    }
}

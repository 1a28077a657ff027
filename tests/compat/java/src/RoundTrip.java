import java.util.List;
import java.util.Map;

/** Every codec and every level of acknowledgement: what was produced is what is consumed, from the beginning and from the middle. */
final class RoundTrip {
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    /** One fetch returns only a few batches, and large records alone exceed what it asks for. */
    private static final Map<String, ?> SMALL_FETCHES = Map.of("max.partition.fetch.bytes", 16 * 1024, "fetch.max.bytes", 40 * 1024);

    public static void main(String[] arguments) {
        Session.run(arguments, RoundTrip::run);
    }

    private static String run(Session session) throws Exception {
        StringBuilder summary = new StringBuilder();
        for (String codec : CODECS) {
            String topic = session.create(codec, Expected.PARTITIONS, Session.KEEP);
            session.produce(topic, session.records, Map.of("compression.type", codec, "acks", "all", "enable.idempotence", true));
            session.consume(topic, session.records, null, Map.of());
            session.consume(topic, session.records, lastRecords(session.records, 20_000), SMALL_FETCHES);
            session.consume(topic, session.records, Expected.middleOffsets(session.records), Map.of("isolation.level", "read_committed"));
            summary.append(codec).append(' ').append(session.records).append(", ");
        }
        int fewer = Math.max(1000, session.records / 10);
        for (String acks : List.of("1", "0")) {
            String topic = session.create("acks" + acks, Expected.PARTITIONS, Session.KEEP);
            // one request in flight keeps the order without idempotence
            session.produce(topic, fewer, Map.of("compression.type", "lz4", "acks", acks, "enable.idempotence", false,
                    "max.in.flight.requests.per.connection", 1));
            session.consume(topic, fewer, null, Map.of());
            summary.append("acks=").append(acks).append(' ').append(fewer).append(", ");
        }
        return summary.substring(0, summary.length() - 2);
    }

    /** The offsets after which about `count` records are left: in the middle of some batch. */
    private static Map<Integer, Long> lastRecords(int records, int count) {
        int before = Math.max(0, records - count);
        return Map.of(0, Expected.countIn(0, before), 1, Expected.countIn(1, before), 2, Expected.countIn(2, before));
    }
}

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;

/** The records that every client writes and checks; ../../shared/README.md defines them. */
final class Expected {
    static final int PARTITIONS = 3;
    static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
    static final int TIMESTAMP_STEP = 10;
    private static final int LARGE_VALUE = 20_000;
    private static final byte[] PATTERN = new byte[256 + LARGE_VALUE];

    static {
        for (int k = 0; k < PATTERN.length; k++) PATTERN[k] = (byte) ((k * k) ^ (k >> 3));
    }

    private Expected() {}

    static int partition(int i) {
        return i % PARTITIONS;
    }

    static long offset(int i) {
        return i / PARTITIONS;
    }

    static long timestamp(int i) {
        return FIRST_TIMESTAMP + (long) TIMESTAMP_STEP * i;
    }

    static byte[] key(int i) {
        if (i % 10 == 9) return null;
        return i % 10 == 8 ? new byte[0] : bytes("key-" + i);
    }

    static byte[] value(int i) {
        if (i % 10 == 0) return null;
        if (i % 10 == 1) return new byte[0];
        int length = i % 1000 == 2 ? LARGE_VALUE : (int) (i * 7919L % 300);
        byte[] start = bytes("value-" + i + ":");
        byte[] value = Arrays.copyOf(start, start.length + length);
        System.arraycopy(PATTERN, i % 256, value, start.length, length);
        return value;
    }

    static Header[] headers(int i) {
        Header index = new RecordHeader("index", bytes(Integer.toString(i)));
        return switch (i % 4) {
            case 0 -> new Header[] {};
            case 1 -> new Header[] {index};
            case 2 -> new Header[] {index, new RecordHeader("empty", new byte[0])};
            default -> new Header[] {index, new RecordHeader("null", (byte[]) null), new RecordHeader("index", bytes("again"))};
        };
    }

    static ProducerRecord<byte[], byte[]> record(String topic, int i) {
        return new ProducerRecord<>(topic, partition(i), timestamp(i), key(i), value(i), Arrays.asList(headers(i)));
    }

    /** How many of the records 0 .. records - 1 the partition holds. */
    static long countIn(int partition, int records) {
        return (records - partition + PARTITIONS - 1) / PARTITIONS;
    }

    static Map<Integer, Long> middleOffsets(int records) {
        return IntStream.range(0, PARTITIONS).boxed().collect(Collectors.toMap(p -> p, p -> countIn(p, records) / 2));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Checks what a reader sees of one topic from given offsets on. */
    static final class Checker {
        private final String topic;
        private final int records;
        private final long[] nextOffset = new long[PARTITIONS];
        private final BitSet missing = new BitSet();

        Checker(String topic, int records, Map<Integer, Long> start) {
            this.topic = topic;
            this.records = records;
            start.forEach((partition, offset) -> nextOffset[partition] = offset);
            for (int i = 0; i < records; i++) {
                if (offset(i) >= nextOffset[partition(i)]) missing.set(i);
            }
        }

        void see(ConsumerRecord<byte[], byte[]> record) {
            String where = topic + "-" + record.partition() + " offset " + record.offset();
            long sinceFirst = record.timestamp() - FIRST_TIMESTAMP;
            Check.require(sinceFirst >= 0 && sinceFirst % TIMESTAMP_STEP == 0 && sinceFirst / TIMESTAMP_STEP < records,
                    "%s: timestamp %d belongs to no record; lost so far %d", where, record.timestamp(), missing.cardinality());
            int i = (int) (sinceFirst / TIMESTAMP_STEP);
            where += ", record " + i;
            Check.equal(where + ": partition", record.partition(), partition(i));
            content(where, record, i);
            Check.equal(where + ": timestamp type", record.timestampType(), TimestampType.CREATE_TIME);
            Check.require(missing.get(i), "%s: seen a second time", where);
            missing.clear(i);
            Check.equal(where + ": expected offset", record.offset(), nextOffset[record.partition()]);
            Check.equal(where + ": offset of the record", record.offset(), offset(i));
            nextOffset[record.partition()]++;
        }

        /** Key, value and headers; for topics whose timestamps are not the producer's. */
        static void content(String where, ConsumerRecord<byte[], byte[]> record, int i) {
            bytesEqual(where + ": key", record.key(), key(i));
            bytesEqual(where + ": value", record.value(), value(i));
            Header[] actual = record.headers().toArray();
            Header[] expected = headers(i);
            Check.equal(where + ": number of headers", actual.length, expected.length);
            for (int h = 0; h < expected.length; h++) {
                Check.equal(where + ": key of header " + h, actual[h].key(), expected[h].key());
                bytesEqual(where + ": value of header " + h, actual[h].value(), expected[h].value());
            }
            Check.equal(where + ": serialized key size", record.serializedKeySize(), key(i) == null ? -1 : key(i).length);
        }

        boolean done() {
            return missing.isEmpty();
        }

        String progress() {
            return missing.cardinality() + " of " + records + " records of " + topic + " are missing, the first is " + missing.nextSetBit(0);
        }

        private static void bytesEqual(String what, byte[] actual, byte[] expected) {
            int difference = actual == null || expected == null ? 0 : Arrays.mismatch(actual, expected);
            boolean equal = actual == null || expected == null ? actual == expected : difference < 0;
            Check.require(equal, "%s is %s, expected %s; they differ from byte %d on", what, show(actual), show(expected), difference);
        }

        private static String show(byte[] bytes) {
            if (bytes == null) return "null";
            String start = new String(bytes, 0, Math.min(bytes.length, 24), StandardCharsets.ISO_8859_1).replaceAll("[^ -~]", "?");
            return bytes.length + " bytes \"" + start + "\"";
        }
    }
}

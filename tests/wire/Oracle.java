import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Apache Kafka's own message classes as the judge of ours. A case says: these bytes, read in one version and written in another,
 * give those bytes, or a refusal; run.py describes the stream. What a version has is taken from the classes' SCHEMAS alone.
 *
 *   generate LIST COUNT SEED   writes COUNT random cases per message version to the standard output
 *   check LIST                 reads cases from the standard input and does the same with Kafka's classes
 *   table LIST                 compares names, versions, header versions and stability of the APIs
 *
 * LIST is a file with what `wire_peer list` prints.
 */
public final class Oracle {
    private static final String[] PLACES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
        "org.apache.kafka.coordinator.share.generated.%s",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.%s",
    };
    private static final int MAX_COMPLAINTS = 20;

    private record Listed(String name, short min, short max, Constructor<?> empty, Constructor<?> reading) { }

    private static final Map<Class<?>, Map<String, Method>> SETTERS = new HashMap<>();
    private static final Map<Class<?>, Schema[]> SCHEMAS = new HashMap<>();
    private static final Map<Class<?>, Constructor<?>> EMPTY = new HashMap<>();

    private static SplittableRandom random;
    private static final List<Message> withUnknownTags = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(args[1]));
        switch (args[0]) {
            case "generate" -> generate(lines, Integer.parseInt(args[2]), Long.parseLong(args[3]));
            case "check" -> check(lines);
            case "table" -> table(lines);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static Map<String, Listed> listed(List<String> lines) throws ReflectiveOperationException {
        Map<String, Listed> found = new HashMap<>();
        for (String line : lines) {
            String[] words = line.split(" ");
            if (!words[0].equals("message")) continue;
            for (String place : PLACES) {
                Class<?> c;
                try {
                    c = Class.forName(String.format(place, words[1]));
                } catch (ClassNotFoundException e) {
                    continue;
                }
                found.put(words[1], new Listed(words[1], Short.parseShort(words[2]), Short.parseShort(words[3]),
                    c.getConstructor(), c.getConstructor(Readable.class, short.class)));
            }
        }
        return found;
    }

    // ---- the table

    private static void table(List<String> lines) throws ReflectiveOperationException {
        List<String> wrong = new ArrayList<>();
        Map<String, Listed> found = listed(lines);
        TreeSet<String> absent = new TreeSet<>();
        for (String line : lines) {
            String[] w = line.split(" ");
            if (w[0].equals("message")) {
                Listed l = found.get(w[1]);
                if (l == null) {
                    absent.add(w[1]);
                    continue;
                }
                Message m = (Message) l.empty.newInstance();
                if (m.lowestSupportedVersion() != l.min || m.highestSupportedVersion() != l.max) {
                    wrong.add(w[1] + ": versions " + m.lowestSupportedVersion() + "-" + m.highestSupportedVersion());
                }
            } else if (w[0].equals("default") && found.containsKey(w[1])) {
                String bytes;
                try {
                    bytes = hex(write((Message) found.get(w[1]).empty.newInstance(), Short.parseShort(w[2])));
                } catch (RuntimeException e) {
                    bytes = "refused";
                }
                if (!bytes.equals(w.length > 3 ? w[3] : "")) wrong.add(line + ": kafka writes its default as " + bytes);
            } else if (w[0].equals("api")) {
                ApiMessageType api = ApiMessageType.fromApiKey(Short.parseShort(w[1]));
                short version = Short.parseShort(w[3]);
                if (!api.name.equals(w[2])) wrong.add(line + ": name " + api.name);
                if (api.requestHeaderVersion(version) != Short.parseShort(w[4])) wrong.add(line + ": request header");
                if (api.responseHeaderVersion(version) != Short.parseShort(w[5])) wrong.add(line + ": response header");
            } else if (w[0].equals("advertised")) {
                ApiMessageType api = ApiMessageType.fromApiKey(Short.parseShort(w[1]));
                boolean broker = api.listeners().contains(ApiMessageType.ListenerType.BROKER);
                if (broker != (Short.parseShort(w[3]) >= 0)) wrong.add(line + ": broker listener " + broker);
                if (!broker) continue;
                short low = api.apiKey() == 0 ? 0 : api.lowestSupportedVersion(); // Produce: KAFKA-18659
                if (Short.parseShort(w[2]) != low) wrong.add(line + ": from " + low);
                if (Short.parseShort(w[3]) != api.highestSupportedVersion(false)) {
                    wrong.add(line + ": to " + api.highestSupportedVersion(false));
                }
            }
        }
        for (ApiMessageType api : ApiMessageType.values()) {
            boolean alive = api.lowestSupportedVersion() <= api.highestSupportedVersion(true);
            if (alive && !found.containsKey(api.name + "Request")) wrong.add(api.name + " is missing");
        }
        System.out.println(found.size() + " messages compared; not in the jars: " + (absent.isEmpty() ? "none" : absent));
        wrong.forEach(System.out::println);
        System.exit(wrong.isEmpty() ? 0 : 1);
    }

    // ---- generating

    private static void generate(List<String> lines, int count, long seed) throws Exception {
        random = new SplittableRandom(seed);
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 20));
        for (Listed l : listed(lines).values().stream().sorted((a, b) -> a.name.compareTo(b.name)).toList()) {
            for (int version = l.min; version <= l.max; ++version) {
                for (int i = 0; i < count; ++i) one(out, l, (short) version);
            }
        }
        out.flush();
    }

    private static void one(DataOutputStream out, Listed l, short readVersion) throws Exception {
        short writeVersion = readVersion;
        if (random.nextInt(4) == 0) writeVersion = (short) (l.min + random.nextInt(l.max - l.min + 1));
        boolean unknownTags = random.nextInt(8) == 0;
        withUnknownTags.clear();
        Message message = (Message) l.empty.newInstance();
        fill(message, readVersion, 0, unknownTags);
        byte[] from = write(message, readVersion);
        withUnknownTags.forEach(m -> m.unknownTaggedFields().clear());
        byte[] clean = withUnknownTags.isEmpty() ? from : write(message, readVersion);
        Object again = l.reading.newInstance(new ByteBufferAccessor(ByteBuffer.wrap(clean)), readVersion);
        byte[] to;
        try {
            to = write((Message) again, writeVersion);
        } catch (RuntimeException refused) {
            if (writeVersion == readVersion) throw refused;
            to = null;
        }
        out.writeUTF(l.name);
        out.writeShort(readVersion);
        out.writeShort(writeVersion);
        out.writeInt(from.length);
        out.write(from);
        out.writeInt(to == null ? -1 : to.length);
        if (to != null) out.write(to);
        out.writeInt(to == null ? -1 : ((Message) again).size(new ObjectSerializationCache(), writeVersion));
    }

    private static byte[] write(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBufferAccessor out = new ByteBufferAccessor(ByteBuffer.allocate(message.size(cache, version)));
        message.write(out, cache, version);
        if (out.buffer().hasRemaining()) throw new IllegalStateException("size() was too large");
        return out.buffer().array();
    }

    private static void fill(Message message, short version, int depth, boolean unknownTags) throws Exception {
        Class<?> c = message.getClass();
        Schema[] schemas = SCHEMAS.get(c);
        if (schemas == null) {
            schemas = (Schema[]) c.getField("SCHEMAS").get(null);
            SCHEMAS.put(c, schemas);
        }
        for (BoundField bound : schemas[version].fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (Field field : tagged.fields().values()) {
                    if (random.nextBoolean()) set(message, field, version, depth, unknownTags);
                }
                if (unknownTags && random.nextInt(3) == 0) {
                    for (int tag = 50 + random.nextInt(300), left = 1 + random.nextInt(2); left > 0; --left, tag += 1 + random.nextInt(9)) {
                        message.unknownTaggedFields().add(new RawTaggedField(tag, bytes()));
                    }
                    withUnknownTags.add(message);
                }
            } else {
                set(message, bound.def, version, depth, unknownTags);
            }
        }
    }

    private static void set(Message message, Field field, short version, int depth, boolean unknownTags) throws Exception {
        Method setter = setters(message.getClass()).get(plain(field.name));
        if (setter == null) throw new IllegalStateException(message.getClass() + " has no field " + field.name);
        boolean records = field.type == org.apache.kafka.common.protocol.types.Type.RECORDS
            || field.type == org.apache.kafka.common.protocol.types.Type.COMPACT_RECORDS; // which say that they are nullable
        if (field.type.isNullable() && !records && random.nextInt(4) == 0) {
            setter.invoke(message, (Object) null);
            return;
        }
        Type type = setter.getGenericParameterTypes()[0];
        setter.invoke(message, value(type, field.type, version, depth, unknownTags));
    }

    private static Object value(Type type, org.apache.kafka.common.protocol.types.Type wire, short version, int depth, boolean unknownTags)
            throws Exception {
        if (type == boolean.class) return random.nextBoolean();
        if (type == byte.class || type == Byte.class) return (byte) number();
        if (type == short.class || type == Short.class) return (short) number();
        if (type == int.class || type == Integer.class) {
            return wire == org.apache.kafka.common.protocol.types.Type.UINT16 ? (int) number() & 0xffff : (int) number();
        }
        if (type == long.class || type == Long.class) {
            return wire == org.apache.kafka.common.protocol.types.Type.UNSIGNED_INT32 ? number() & 0xffffffffL : number();
        }
        if (type == double.class || type == Double.class) return random.nextInt(3) == 0 ? 0.0 : Double.longBitsToDouble(random.nextLong() >>> 2);
        if (type == String.class) return text();
        if (type == Uuid.class) return random.nextInt(4) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        if (type == byte[].class) return bytes();
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (type == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        if (type instanceof ParameterizedType list && list.getRawType() == List.class) {
            List<Object> out = new ArrayList<>();
            Type item = list.getActualTypeArguments()[0];
            boolean isStruct = item instanceof Class<?> c && Message.class.isAssignableFrom(c);
            org.apache.kafka.common.protocol.types.Type wireItem = wire.arrayElementType().orElse(null);
            for (int left = length(depth, isStruct); left > 0; --left) out.add(value(item, wireItem, version, depth + 1, unknownTags));
            return out;
        }
        Class<?> c = (Class<?>) type;
        if (Message.class.isAssignableFrom(c)) {
            Message part = (Message) empty(c).newInstance();
            // Some stay as they are made; but records that are null there cannot be written.
            boolean records = setters(c).values().stream().anyMatch(m -> m.getParameterTypes()[0] == BaseRecords.class);
            if (records || random.nextInt(6) != 0) fill(part, version, depth + 1, unknownTags);
            return part;
        }
        if (Collection.class.isAssignableFrom(c)) {
            @SuppressWarnings("unchecked")
            Collection<Object> out = (Collection<Object>) empty(c).newInstance();
            Type item = ((ParameterizedType) c.getGenericSuperclass()).getActualTypeArguments()[0];
            for (int left = length(depth, true); left > 0; --left) out.add(value(item, null, version, depth + 1, unknownTags));
            return out;
        }
        throw new IllegalStateException("no value for " + type);
    }

    private static int length(int depth, boolean isStruct) {
        if (!isStruct && random.nextInt(100) == 0) return 127 + random.nextInt(3);
        return random.nextInt(depth == 0 ? 4 : 3);
    }

    private static long number() {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> random.nextInt(4);
            case 3 -> 0x7fffffff;
            case 4 -> random.nextInt();
            default -> random.nextLong();
        };
    }

    private static String text() {
        int length = random.nextInt(50) == 0 ? 120 + random.nextInt(200) : random.nextInt(9);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < length; ++i) {
            out.appendCodePoint(random.nextInt(12) == 0 ? 0x1f300 + random.nextInt(50) : random.nextInt(8) == 0 ? 0xe0 + random.nextInt(600)
                : 'a' + random.nextInt(26));
        }
        return out.toString();
    }

    private static byte[] bytes() {
        byte[] out = new byte[random.nextInt(50) == 0 ? 120 + random.nextInt(200) : random.nextInt(12)];
        for (int i = 0; i < out.length; ++i) out[i] = (byte) random.nextInt();
        return out;
    }

    private static Constructor<?> empty(Class<?> c) throws ReflectiveOperationException {
        Constructor<?> constructor = EMPTY.get(c);
        if (constructor == null) {
            constructor = c.getConstructor();
            EMPTY.put(c, constructor);
        }
        return constructor;
    }

    private static Map<String, Method> setters(Class<?> c) {
        return SETTERS.computeIfAbsent(c, k -> {
            Map<String, Method> found = new HashMap<>();
            for (Method m : k.getMethods()) {
                if (m.getName().startsWith("set") && m.getParameterCount() == 1) found.put(plain(m.getName().substring(3)), m);
            }
            return found;
        });
    }

    private static String plain(String name) {
        return name.replace("_", "").toLowerCase();
    }

    // ---- checking

    private static void check(List<String> lines) throws Exception {
        Map<String, Listed> found = listed(lines);
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 20));
        long cases = 0;
        long refusals = 0;
        int wrong = 0;
        while (true) {
            String name;
            try {
                name = in.readUTF();
            } catch (EOFException end) {
                break;
            }
            short readVersion = in.readShort();
            short writeVersion = in.readShort();
            byte[] from = part(in);
            byte[] to = part(in);
            int size = in.readInt();
            Listed l = found.get(name);
            if (l == null) continue;
            ++cases;
            if (to == null) ++refusals;
            String complaint = judge(l, readVersion, writeVersion, from, to, size);
            if (complaint != null && ++wrong <= MAX_COMPLAINTS) {
                System.out.println(name + " v" + readVersion + " to v" + writeVersion + ": " + complaint + "\n  from " + hex(from)
                    + "\n  to   " + hex(to));
            }
        }
        System.out.println("kafka checked " + cases + " cases of brook (" + refusals + " refusals): " + wrong + " wrong");
        System.exit(wrong == 0 ? 0 : 1);
    }

    private static String judge(Listed l, short readVersion, short writeVersion, byte[] from, byte[] to, int size) {
        Message message;
        try {
            ByteBuffer buffer = ByteBuffer.wrap(from);
            message = (Message) l.reading.newInstance(new ByteBufferAccessor(buffer), readVersion);
            if (buffer.hasRemaining()) return buffer.remaining() + " bytes not read";
        } catch (ReflectiveOperationException | RuntimeException e) {
            return "not read: " + (e.getCause() == null ? e : e.getCause());
        }
        byte[] ours;
        try {
            ours = write(message, writeVersion);
        } catch (RuntimeException e) {
            return to == null ? null : "kafka refuses: " + e;
        }
        if (to == null) return "brook refuses, kafka writes " + hex(ours);
        if (!Arrays.equals(ours, to)) return "kafka writes " + hex(ours);
        return size == ours.length ? null : "size " + size;
    }

    private static byte[] part(DataInputStream in) throws IOException {
        int size = in.readInt();
        return size < 0 ? null : in.readNBytes(size);
    }

    private static String hex(byte[] bytes) {
        if (bytes == null) return "refused";
        StringBuilder out = new StringBuilder();
        for (byte b : bytes) out.append(String.format("%02x", b));
        return out.toString();
    }
}

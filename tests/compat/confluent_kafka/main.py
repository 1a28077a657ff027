"""Compatibility test: confluent-kafka, librdkafka's Python binding. usage: main.py BOOTSTRAP RECORDS TOPIC_PREFIX"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "shared" / "python"))
import expected_records as expected
from expected_records import Deadline, require

from confluent_kafka import (
    Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, NewPartitions, NewTopic, OffsetSpec,
    ResourceType,
)

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
TIMEOUT = 30


def error_of(call):
    """The Kafka error code that the call fails with; None when it succeeds."""
    try:
        call()
        return None
    except KafkaException as exception:
        return exception.args[0].code()


def wait(futures):
    return {key: future.result(TIMEOUT) for key, future in futures.items()}


def create(admin, name, partitions=expected.PARTITIONS, config=None):
    wait(admin.create_topics([NewTopic(name, partitions, 1, config={"retention.ms": "-1", **(config or {})})]))


def produce(bootstrap, topic, records, settings):
    failures = []

    def delivered(error, message):
        if error is not None:
            failures.append(str(error))

    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, **settings})
    for i in range(records):
        while True:
            try:
                producer.produce(topic, partition=expected.partition_of(i), key=expected.key_of(i),
                                 value=expected.value_of(i), headers=expected.headers_of(i),
                                 timestamp=expected.timestamp_of(i), on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(60)
    require(not failures, f"{topic}: {len(failures)} records refused, first: {failures[:1]}")
    require(left == 0, f"{topic}: {left} records not acknowledged within 60 s")


def new_consumer(bootstrap, **settings):
    # librdkafka assigns only with a group.id; what is made here does not subscribe, commit or join
    return Consumer({"bootstrap.servers": bootstrap, "group.id": "brook-compat-unused", "enable.auto.commit": False,
                     "auto.offset.reset": "error", **settings})


def consume(bootstrap, topic, records, start=None):
    start = start or dict.fromkeys(range(expected.PARTITIONS), 0)
    checker = expected.Checker(topic, records, start)
    consumer = new_consumer(bootstrap)
    consumer.assign([TopicPartition(topic, p, offset) for p, offset in start.items()])
    deadline = Deadline(60, f"the records of {topic}")
    while not checker.done():
        deadline.check()
        for message in consumer.consume(5000, 0.5):
            require(message.error() is None, f"{topic}: {message.error()}")
            checker.see(message.partition(), message.offset(), message.key(), message.value(), message.headers(),
                        message.timestamp()[1])
    require(not consumer.consume(1, 0.2), f"{topic}: records after the last one")
    consumer.close()
    checker.finish()


PROTOCOLS = {"classic": {"partition.assignment.strategy": "cooperative-sticky"}, "consumer": {"group.remote.assignor": "uniform"}}


def new_member(bootstrap, topic, group, protocol):
    member = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
                       "group.protocol": protocol, **PROTOCOLS[protocol]})
    member.subscribe([topic])
    return member


def check_group(bootstrap, topic, records, group, protocol):
    checker = expected.Checker(topic, records)
    for goal in (records // 2, records):
        member = new_member(bootstrap, topic, group, protocol)
        deadline = Deadline(60, f"{goal} records of {topic} in group {group}")
        while (left := goal - records + len(checker.missing)) > 0:
            deadline.check()
            for message in member.consume(min(left, 1000), 0.5):
                require(message.error() is None, f"{topic}: {message.error()}")
                checker.see(message.partition(), message.offset(), message.key(), message.value(), message.headers(),
                            message.timestamp()[1])
        member.commit(asynchronous=False)
        member.close()
    checker.finish()
    members = [new_member(bootstrap, topic, group, protocol) for _ in range(2)]
    deadline = Deadline(60, f"two members of {group} with partitions of their own")
    while sorted(len(member.assignment()) for member in members) != [1, 2]:
        deadline.check()
        for member in members:
            require(not member.consume(1, 0.1), f"{group}: a record again")
    held = {partition.partition for member in members for partition in member.assignment()}
    require(len(held) == expected.PARTITIONS, f"{group}: its members have the partitions {held} of {topic}")
    for committed in members[0].committed([TopicPartition(topic, p) for p in range(expected.PARTITIONS)], TIMEOUT):
        count = expected.count_in_partition(records, committed.partition)
        require(committed.offset == count, f"{topic}-{committed.partition}: {group} has committed {committed.offset}")
    for member in members:
        member.close()


def read_numbers(bootstrap, topic, isolation, count):
    consumer = new_consumer(bootstrap, **{"isolation.level": isolation})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(expected.PARTITIONS)])
    numbers = []
    deadline = Deadline(60, f"{count} {isolation} records of {topic}")
    while len(numbers) < count:
        deadline.check()
        for message in consumer.consume(1000, 0.5):
            require(message.error() is None, f"{topic}: {message.error()}")
            numbers.append(int(message.value()))
    require(not consumer.consume(1, 0.5), f"{topic}: {isolation} records after the last one")
    consumer.close()
    return sorted(numbers)


def check_transactions(bootstrap, admin, topic, group):
    """Every third transaction is aborted; the offsets of a group move with the others alone."""
    create(admin, topic)
    create(admin, topic + "-in")
    settings = {"bootstrap.servers": bootstrap, "transactional.id": topic}
    producer = Producer(settings)
    producer.init_transactions(TIMEOUT)
    source = TopicPartition(topic + "-in", 0)
    reader = new_consumer(bootstrap, **{"group.id": group})
    committed = []
    for transaction in range(30):
        producer.begin_transaction()
        for i in range(transaction * 10, transaction * 10 + 10):
            producer.produce(topic, b"%d" % i, partition=i % expected.PARTITIONS)
        producer.send_offsets_to_transaction([TopicPartition(source.topic, 0, transaction)], reader.consumer_group_metadata(), TIMEOUT)
        if transaction % 3 == 1:
            require(producer.flush(TIMEOUT) == 0, f"{topic}: records of a transaction are not acknowledged")
            producer.abort_transaction(TIMEOUT)
        else:
            producer.commit_transaction(TIMEOUT)
            committed += range(transaction * 10, transaction * 10 + 10)
        last = transaction - (transaction % 3 == 1)
        offset = reader.committed([source], TIMEOUT)[0].offset
        require(offset == last, f"{group}: after transaction {transaction} the committed offset is {offset}, expected {last}")
    reader.close()
    require(read_numbers(bootstrap, topic, "read_committed", len(committed)) == committed, f"{topic}: other numbers are committed")
    require(read_numbers(bootstrap, topic, "read_uncommitted", 300) == list(range(300)), f"{topic}: other numbers are there")

    producer.begin_transaction()
    producer.produce(topic, b"300", partition=0)
    producer.flush(TIMEOUT)
    successor = Producer(settings)
    successor.init_transactions(TIMEOUT)
    code = error_of(lambda: producer.commit_transaction(TIMEOUT))
    require(code in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH), f"{topic}: a zombie's commit: error {code}")
    read_numbers(bootstrap, topic, "read_committed", len(committed))
    for name in (topic, topic + "-in"):
        wait(admin.delete_topics([name]))


def check_offsets(admin, topic, records):
    target = records // 2
    for p in range(expected.PARTITIONS):
        partition = TopicPartition(topic, p)
        count = expected.count_in_partition(records, p)
        first_at_target = next(i for i in range(target, target + expected.PARTITIONS) if expected.partition_of(i) == p)
        cases = {
            "earliest": (OffsetSpec.earliest(), 0),
            "latest": (OffsetSpec.latest(), count),
            "timestamp": (OffsetSpec.for_timestamp(expected.timestamp_of(target)), first_at_target // expected.PARTITIONS),
            "max timestamp": (OffsetSpec.max_timestamp(), count - 1),
            "after the last": (OffsetSpec.for_timestamp(expected.timestamp_of(records)), -1),
        }
        for name, (spec, offset) in cases.items():
            for isolation in (IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED):
                result = wait(admin.list_offsets({partition: spec}, isolation_level=isolation))[partition]
                require(result.offset == offset, f"{topic}-{p}: {name} offset is {result.offset}, expected {offset}")


def partition_count(admin, topic):
    return len(wait(admin.describe_topics(TopicCollection([topic])))[topic].partitions)


def topic_config(admin, topic):
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return wait(admin.describe_configs([resource]))[resource]


def alter(admin, topic, name, value, operation):
    entry = ConfigEntry(name, value, incremental_operation=operation)
    wait(admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]))


def check_admin(admin, topic):
    create(admin, topic, 2, {"segment.bytes": "1048576"})
    code = error_of(lambda: create(admin, topic, 2))
    require(code == KafkaError.TOPIC_ALREADY_EXISTS, f"creating {topic} again: error {code}")
    code = error_of(lambda: create(admin, "not a topic name"))
    require(code == KafkaError.TOPIC_EXCEPTION, f"creating a topic with a bad name: error {code}")

    cluster = admin.describe_cluster().result(TIMEOUT)
    require(cluster.nodes and cluster.cluster_id, f"describe cluster: {cluster}")
    brokers = {node.id for node in cluster.nodes}
    description = wait(admin.describe_topics(TopicCollection([topic])))[topic]
    require([p.id for p in description.partitions] == [0, 1], f"{topic}: partitions {description.partitions}")
    for p in description.partitions:
        require(p.leader.id in brokers and [r.id for r in p.replicas] == [p.leader.id] == [r.id for r in p.isr],
                f"{topic}-{p.id}: leader {p.leader}, replicas {p.replicas}, isr {p.isr}")
    require(topic in admin.list_topics(timeout=TIMEOUT).topics, f"{topic}: not in the list of all topics")

    wait(admin.create_partitions([NewPartitions(topic, 5)]))
    deadline = Deadline(TIMEOUT, f"5 partitions of {topic}")
    while partition_count(admin, topic) != 5:
        deadline.check()
    code = error_of(lambda: wait(admin.create_partitions([NewPartitions(topic, 3)])))
    require(code == KafkaError.INVALID_PARTITIONS, f"fewer partitions of {topic}: error {code}")

    config = topic_config(admin, topic)
    for name, value, source in (("segment.bytes", "1048576", ConfigSource.DYNAMIC_TOPIC_CONFIG),
                                ("retention.ms", "-1", ConfigSource.DYNAMIC_TOPIC_CONFIG),
                                ("max.message.bytes", "1048588", ConfigSource.DEFAULT_CONFIG),
                                ("cleanup.policy", "delete", ConfigSource.DEFAULT_CONFIG)):
        entry = config[name]
        require((entry.value, entry.source) == (value, source.value), f"{topic}: {name} is {entry.value} from {entry.source}")
    alter(admin, topic, "max.message.bytes", "2000000", AlterConfigOpType.SET)
    alter(admin, topic, "cleanup.policy", "compact", AlterConfigOpType.APPEND)
    alter(admin, topic, "segment.bytes", None, AlterConfigOpType.DELETE)
    wanted = {"max.message.bytes": "2000000", "cleanup.policy": "delete,compact", "segment.bytes": "1073741824"}
    deadline = Deadline(TIMEOUT, f"altered settings of {topic}")
    while {name: entry.value for name, entry in topic_config(admin, topic).items() if name in wanted} != wanted:
        deadline.check()
    code = error_of(lambda: alter(admin, topic, "max.message.bytes", "many", AlterConfigOpType.SET))
    require(code == KafkaError.INVALID_CONFIG, f"{topic}: a bad setting: error {code}")

    check_deleted(admin, topic)


def check_deleted(admin, topic):
    wait(admin.delete_topics([topic]))
    deadline = Deadline(TIMEOUT, f"{topic} to be gone")
    while error_of(lambda: partition_count(admin, topic)) != KafkaError.UNKNOWN_TOPIC_OR_PART:
        deadline.check()
    code = error_of(lambda: wait(admin.delete_topics([topic])))
    require(code == KafkaError.UNKNOWN_TOPIC_OR_PART, f"deleting {topic} again: error {code}")


def check_too_large(bootstrap, topic):
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 3_000_000})
    codes = []
    producer.produce(topic, bytes(2_000_000), partition=0, on_delivery=lambda error, _: codes.append(error and error.code()))
    producer.flush(TIMEOUT)
    require(codes == [KafkaError.MSG_SIZE_TOO_LARGE], f"{topic}: a record of 2 MB: {codes}")


def check_delete_records(bootstrap, admin, topic):
    partition = TopicPartition(topic, 0)
    result = wait(admin.delete_records([TopicPartition(topic, 0, 10)]))[TopicPartition(topic, 0, 10)]
    require(result.low_watermark == 10, f"{topic}-0: low watermark {result.low_watermark} after deleting below 10")
    earliest = wait(admin.list_offsets({partition: OffsetSpec.earliest()}))[partition].offset
    require(earliest == 10, f"{topic}-0: earliest offset {earliest} after deleting below 10")
    code = error_of(lambda: wait(admin.delete_records([TopicPartition(topic, 0, 1 << 40)])))
    require(code == KafkaError.OFFSET_OUT_OF_RANGE, f"{topic}-0: deleting records past the end: error {code}")

    consumer = new_consumer(bootstrap)
    consumer.assign([TopicPartition(topic, 0, 9)])
    message = consumer.poll(TIMEOUT)
    # librdkafka tells "out of range and auto.offset.reset=error" with its own code
    require(message is not None and message.error() is not None and message.error().code() == KafkaError._AUTO_OFFSET_RESET,
            f"{topic}-0: reading below the earliest offset: {message and message.error()}")
    consumer.assign([TopicPartition(topic, 0, 10)])
    message = consumer.poll(TIMEOUT)
    require(message is not None and message.error() is None and message.offset() == 10,
            f"{topic}-0: reading at the earliest offset: {message}")
    consumer.close()


def main(bootstrap, records, prefix):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    passes = {}
    for acks in (1, 0):  # early: see ../shared/README.md
        create(admin, f"{prefix}-acks{acks}")
    for codec in CODECS:
        topic = f"{prefix}-{codec}"
        create(admin, topic)
        produce(bootstrap, topic, records, {"compression.type": codec, "acks": "all", "enable.idempotence": True})
        consume(bootstrap, topic, records)
        consume(bootstrap, topic, records, expected.middle_offsets(records))
        check_offsets(admin, topic, records)
        passes[codec] = records
    for acks in (1, 0):
        topic = f"{prefix}-acks{acks}"
        produce(bootstrap, topic, 1000, {"acks": acks, "compression.type": "lz4"})
        consume(bootstrap, topic, 1000)
        passes[f"acks={acks}"] = 1000
    for protocol in PROTOCOLS:
        check_group(bootstrap, f"{prefix}-none", records, f"{prefix}-group-{protocol}", protocol)
        passes[f"{protocol} group"] = records
    check_transactions(bootstrap, admin, f"{prefix}-transactions", f"{prefix}-transactions-group")
    passes["transactions"] = 300
    check_too_large(bootstrap, f"{prefix}-acks1")
    check_delete_records(bootstrap, admin, f"{prefix}-none")
    check_admin(admin, f"{prefix}-admin")
    for name in [*CODECS, "acks1", "acks0"]:
        wait(admin.delete_topics([f"{prefix}-{name}"]))
    expected.report("confluent-kafka", passes)


expected.run(main)

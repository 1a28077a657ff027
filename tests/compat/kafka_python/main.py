"""Compatibility test: kafka-python, pure Python. usage: main.py BOOTSTRAP RECORDS TOPIC_PREFIX"""

import concurrent.futures
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "shared" / "python"))
import expected_records as expected
from expected_records import Deadline, require

import kafka.errors as errors
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, KafkaAdminClient, OffsetSpec

CODECS = {"none": None, "gzip": "gzip", "snappy": "snappy", "lz4": "lz4", "zstd": "zstd"}
TIMEOUT = 30
NULL = b""  # the producer refuses a null header value, an empty one stands in


def error_of(call):
    """The type of the Kafka error that the call fails with; None when it succeeds."""
    try:
        call()
        return None
    except errors.KafkaError as exception:
        return type(exception)


def create(admin, name, partitions=expected.PARTITIONS, config=None):
    configs = {"retention.ms": "-1", **(config or {})}
    admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}},
                        wait_for_metadata=True)


def produce(bootstrap, topic, records, **settings):
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=64 * 1024, **settings)
    futures = [producer.send(topic, partition=expected.partition_of(i), key=expected.key_of(i), value=expected.value_of(i),
                             headers=expected.headers_of(i, NULL), timestamp_ms=expected.timestamp_of(i)) for i in range(records)]
    producer.flush(timeout=60)
    producer.close()
    for i, future in enumerate(futures):
        require(future.succeeded(), f"{topic}: record {i} not acknowledged: {future.exception}")
        if settings["acks"] != 0:
            offset = future.value.offset
            require(offset == i // expected.PARTITIONS, f"{topic}: record {i} acknowledged at offset {offset}")


def consume(bootstrap, topic, records, start=None):
    start = start or dict.fromkeys(range(expected.PARTITIONS), 0)
    checker = expected.Checker(topic, records, start, NULL)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="none")
    consumer.assign([TopicPartition(topic, p) for p in start])
    for p, offset in start.items():
        consumer.seek(TopicPartition(topic, p), offset)
    deadline = Deadline(120, f"the records of {topic}")
    while not checker.done():
        deadline.check()
        for partition, batch in consumer.poll(500, max_records=5000).items():
            for r in batch:
                checker.see(partition.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
    require(not consumer.poll(200), f"{topic}: records after the last one")
    checker.finish()
    consumer.close()


def new_member(bootstrap, topic, group):
    return KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)


def poll_until(settled, member):
    """What the member is given until then. One poll outlasts a rebalance: the client throws away a join that ends between
    two polls and joins once more, so members that poll briefly can rejoin in turns without end."""
    given = []
    while not settled.is_set():
        given += member.poll(10_000).items()
    return given


def check_group(bootstrap, topic, records, group):
    checker = expected.Checker(topic, records, None, NULL)
    for goal in (records // 2, records):
        member = new_member(bootstrap, topic, group)
        deadline = Deadline(120, f"{goal} records of {topic} in group {group}")
        while (left := goal - records + len(checker.missing)) > 0:
            deadline.check()
            for partition, batch in member.poll(500, max_records=left).items():
                for r in batch:
                    checker.see(partition.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
        member.commit()
        member.close()
    checker.finish()
    members = [new_member(bootstrap, topic, group) for _ in range(2)]
    settled = threading.Event()
    # Each member in a thread of its own: polled by turns, a leader that waits for the other's turn rejoins without end.
    with concurrent.futures.ThreadPoolExecutor(len(members)) as threads:
        polls = [threads.submit(poll_until, settled, member) for member in members]
        deadline = Deadline(60, f"two members of {group} with partitions of their own")
        try:
            while sorted(len(member.assignment()) for member in members) != [1, 2] or members[0].assignment() & members[1].assignment():
                deadline.check()
                concurrent.futures.wait(polls, 0.05)
        finally:
            settled.set()
        require(not any(poll.result() for poll in polls), f"{group}: a record again")
    for p in range(expected.PARTITIONS):
        committed = members[0].committed(TopicPartition(topic, p))
        require(committed == expected.count_in_partition(records, p), f"{topic}-{p}: {group} has committed {committed}")
    for member in members:
        member.close()


def check_offsets(bootstrap, admin, topic, records):
    target = records // 2
    partitions = [TopicPartition(topic, p) for p in range(expected.PARTITIONS)]
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    by_time = consumer.offsets_for_times(dict.fromkeys(partitions, expected.timestamp_of(target)))
    after = consumer.offsets_for_times(dict.fromkeys(partitions, expected.timestamp_of(records)))
    earliest, latest = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    consumer.close()
    newest = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.MAX_TIMESTAMP))
    for partition in partitions:
        p = partition.partition
        count = expected.count_in_partition(records, p)
        first = next(i for i in range(target, target + expected.PARTITIONS) if expected.partition_of(i) == p)
        last = first + (count - 1 - first // expected.PARTITIONS) * expected.PARTITIONS
        actual = (earliest[partition], latest[partition], by_time[partition][:2], after[partition], newest[partition][:2])
        wanted = (0, count, (first // expected.PARTITIONS, expected.timestamp_of(first)), None,
                  (count - 1, expected.timestamp_of(last)))
        require(actual == wanted, f"{topic}-{p}: earliest, latest, by timestamp, after the last and newest offset are {actual}, "
                                  f"expected {wanted}")


def topic_config(admin, topic):
    return admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic]


def check_admin(admin, topic):
    create(admin, topic, 2, {"segment.bytes": "1048576"})
    error = error_of(lambda: create(admin, topic, 2))
    require(error is errors.TopicAlreadyExistsError, f"creating {topic} again: {error}")
    error = error_of(lambda: create(admin, "not a topic name"))
    require(error is errors.InvalidTopicError, f"creating a topic with a bad name: {error}")

    cluster = admin.describe_cluster()
    brokers = {broker.get("broker_id", broker.get("node_id")) for broker in cluster["brokers"]}
    require(brokers and cluster["cluster_id"], f"describe cluster: {cluster}")
    description, = admin.describe_topics([topic])
    require(sorted(p["partition_index"] for p in description["partitions"]) == [0, 1], f"{topic}: {description}")
    for p in description["partitions"]:
        leader = p["leader_id"]
        require(leader in brokers and p["replica_nodes"] == [leader] == p["isr_nodes"], f"{topic}: partition {p}")
    described = admin.describe_topic_partitions([topic])
    require(len(described["topics"][0]["partitions"]) == 2, f"{topic}: describe topic partitions: {described}")
    require(topic in admin.list_topics(), f"{topic}: not in the list of all topics")

    admin.create_partitions({topic: 5})
    deadline = Deadline(TIMEOUT, f"5 partitions of {topic}")
    while len(admin.describe_topics([topic])[0]["partitions"]) != 5:
        deadline.check()
    error = error_of(lambda: admin.create_partitions({topic: 3}))
    require(error is errors.InvalidPartitionsError, f"fewer partitions of {topic}: {error}")

    config = topic_config(admin, topic)
    for name, value, source in (("segment.bytes", "1048576", "DYNAMIC_TOPIC_CONFIG"), ("retention.ms", "-1", "DYNAMIC_TOPIC_CONFIG"),
                                ("max.message.bytes", "1048588", "DEFAULT_CONFIG"), ("cleanup.policy", "delete", "DEFAULT_CONFIG")):
        actual = config[name]["value"], config[name]["config_source"]
        require(actual == (value, source), f"{topic}: {name} is {actual}")
    check_alter(admin, topic, True, {"max.message.bytes": (AlterConfigOp.SET, "2000000"), "segment.bytes": (AlterConfigOp.DELETE, None),
                                     "cleanup.policy": (AlterConfigOp.APPEND, "compact")},
                {"max.message.bytes": "2000000", "segment.bytes": "1073741824", "cleanup.policy": "delete,compact", "retention.ms": "-1"})
    check_alter(admin, topic, False, {"max.message.bytes": "3000000"},
                {"max.message.bytes": "3000000", "cleanup.policy": "delete,compact", "retention.ms": "-1"})
    result = admin.alter_configs([ConfigResource("TOPIC", topic, {"max.message.bytes": "many"})])["topic"][topic]
    require("InvalidConfig" in result, f"{topic}: a bad setting: {result}")

    admin.delete_topics([topic])
    deadline = Deadline(TIMEOUT, f"{topic} to be gone")
    while admin.describe_topics([topic])[0]["error_code"] != errors.UnknownTopicOrPartitionError.errno:
        deadline.check()
    error = error_of(lambda: admin.delete_topics([topic]))
    require(error is errors.UnknownTopicOrPartitionError, f"deleting {topic} again: {error}")


def check_alter(admin, topic, incremental, changes, wanted):
    result = admin.alter_configs([ConfigResource("TOPIC", topic, changes)], incremental=incremental)["topic"][topic]
    require(result == "OK", f"{topic}: altering {changes}: {result}")
    deadline = Deadline(TIMEOUT, f"altered settings of {topic}")
    while {name: entry["value"] for name, entry in topic_config(admin, topic).items() if name in wanted} != wanted:
        deadline.check()


def check_too_large(bootstrap, topic):
    producer = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=3_000_000)
    error = error_of(lambda: producer.send(topic, bytes(2_000_000), partition=0).get(TIMEOUT))
    require(error is errors.MessageSizeTooLargeError, f"{topic}: a record of 2 MB: {error}")
    producer.close()


def check_delete_records(bootstrap, admin, topic):
    partition = TopicPartition(topic, 0)
    low_watermark = admin.delete_records({partition: 10})[partition]["low_watermark"]
    require(low_watermark == 10, f"{topic}-0: low watermark {low_watermark} after deleting below 10")
    earliest = admin.list_partition_offsets({partition: OffsetSpec.EARLIEST})[partition].offset
    require(earliest == 10, f"{topic}-0: earliest offset {earliest} after deleting below 10")
    error = error_of(lambda: admin.delete_records({partition: 1 << 40}))
    require(error is errors.OffsetOutOfRangeError, f"{topic}-0: deleting records past the end: {error}")

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="none")
    consumer.assign([partition])
    consumer.seek(partition, 9)
    error = error_of(lambda: consumer.poll(TIMEOUT * 1000))
    require(error is errors.OffsetOutOfRangeError, f"{topic}-0: reading below the earliest offset: {error}")
    consumer.seek(partition, 10)
    batch = consumer.poll(TIMEOUT * 1000)[partition]
    require(batch[0].offset == 10, f"{topic}-0: reading at the earliest offset begins at {batch[0].offset}")
    consumer.close()


def main(bootstrap, records, prefix):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    passes = {}
    for acks in (1, 0):  # early: see ../shared/README.md
        create(admin, f"{prefix}-acks{acks}")
    for codec, compression in CODECS.items():
        topic = f"{prefix}-{codec}"
        create(admin, topic)
        produce(bootstrap, topic, records, acks="all", enable_idempotence=True, compression_type=compression)
        consume(bootstrap, topic, records)
        consume(bootstrap, topic, records, expected.middle_offsets(records))
        check_offsets(bootstrap, admin, topic, records)
        passes[codec] = records
    for acks in (1, 0):
        topic = f"{prefix}-acks{acks}"
        produce(bootstrap, topic, 1000, acks=acks, enable_idempotence=False, compression_type="lz4")
        consume(bootstrap, topic, 1000)
        passes[f"acks={acks}"] = 1000
    check_group(bootstrap, f"{prefix}-none", records, f"{prefix}-group")
    passes["group"] = records
    check_too_large(bootstrap, f"{prefix}-acks1")
    check_delete_records(bootstrap, admin, f"{prefix}-none")
    check_admin(admin, f"{prefix}-admin")
    admin.delete_topics([f"{prefix}-{name}" for name in [*CODECS, "acks1", "acks0"]])
    admin.close()
    expected.report("kafka-python", passes)


expected.run(main)

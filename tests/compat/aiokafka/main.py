"""Compatibility test: aiokafka, asyncio. usage: main.py BOOTSTRAP RECORDS TOPIC_PREFIX

Its topic description asks the broker to create topics that are missing, so a deleted topic is looked for in the list of all topics.
"""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "shared" / "python"))
import expected_records as expected
from expected_records import Deadline, require

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

CODECS = {"none": None, "gzip": "gzip", "snappy": "snappy", "lz4": "lz4", "zstd": "zstd"}
TIMEOUT = 30
IN_FLIGHT = 5000  # records sent and not yet awaited


async def error_of(awaitable):
    """The type of the Kafka error that the call fails with; None when it succeeds."""
    try:
        await awaitable
        return None
    except errors.KafkaError as exception:
        return type(exception)


def error_code(response):
    """The error of the only topic in a response of create or delete topics."""
    rows = getattr(response, "topic_errors", None) or response.topic_error_codes
    return rows[0][1]


async def create(admin, name, partitions=expected.PARTITIONS, config=None):
    configs = {"retention.ms": "-1", **(config or {})}
    return error_code(await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)]))


async def create_for_records(admin, name):
    code = await create(admin, name)
    require(code == 0, f"creating {name}: error {code}")
    deadline = Deadline(TIMEOUT, f"leaders of {name}")
    while True:
        description, = await admin.describe_topics([name])
        if description["error_code"] == 0 and [p["leader"] >= 0 for p in description["partitions"]] == [True] * expected.PARTITIONS:
            return
        deadline.check()


async def produce(bootstrap, topic, records, **settings):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=64 * 1024, **settings)
    await producer.start()
    futures = {}

    async def settle():
        for i, future in futures.items():
            metadata = await future
            if settings["acks"] != 0:
                require(metadata.offset == i // expected.PARTITIONS, f"{topic}: record {i} acknowledged at offset {metadata.offset}")
        futures.clear()

    for i in range(records):
        futures[i] = await producer.send(topic, partition=expected.partition_of(i), key=expected.key_of(i),
                                         value=expected.value_of(i), headers=expected.headers_of(i),
                                         timestamp_ms=expected.timestamp_of(i))
        if len(futures) == IN_FLIGHT:
            await settle()
    await producer.flush()
    await settle()
    await producer.stop()


async def new_consumer(bootstrap, topic, start):
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="none", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, p) for p in start])
    for p, offset in start.items():
        consumer.seek(TopicPartition(topic, p), offset)
    return consumer


async def consume(bootstrap, topic, records, start=None):
    start = start or dict.fromkeys(range(expected.PARTITIONS), 0)
    checker = expected.Checker(topic, records, start)
    consumer = await new_consumer(bootstrap, topic, start)
    deadline = Deadline(120, f"the records of {topic}")
    while not checker.done():
        deadline.check()
        for partition, batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).items():
            for r in batch:
                checker.see(partition.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
    require(not await consumer.getmany(timeout_ms=200), f"{topic}: records after the last one")
    await consumer.stop()
    checker.finish()


async def new_member(bootstrap, topic, group):
    member = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
    await member.start()
    return member


async def check_group(bootstrap, topic, records, group):
    checker = expected.Checker(topic, records)
    for goal in (records // 2, records):
        member = await new_member(bootstrap, topic, group)
        deadline = Deadline(120, f"{goal} records of {topic} in group {group}")
        while (left := goal - records + len(checker.missing)) > 0:
            deadline.check()
            for partition, batch in (await member.getmany(timeout_ms=500, max_records=left)).items():
                for r in batch:
                    checker.see(partition.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
        await member.commit()
        await member.stop()
    checker.finish()
    members = await asyncio.gather(*(new_member(bootstrap, topic, group) for _ in range(2)))
    deadline = Deadline(60, f"two members of {group} with partitions of their own")
    while sorted(len(member.assignment()) for member in members) != [1, 2] or members[0].assignment() & members[1].assignment():
        deadline.check()
        for member in members:
            require(not await member.getmany(timeout_ms=100), f"{group}: a record again")
    for p in range(expected.PARTITIONS):
        committed = await members[0].committed(TopicPartition(topic, p))
        require(committed == expected.count_in_partition(records, p), f"{topic}-{p}: {group} has committed {committed}")
    for member in members:
        await member.stop()


async def check_offsets(bootstrap, topic, records):
    target = records // 2
    consumer = await new_consumer(bootstrap, topic, {})
    partitions = [TopicPartition(topic, p) for p in range(expected.PARTITIONS)]
    by_time = await consumer.offsets_for_times(dict.fromkeys(partitions, expected.timestamp_of(target)))
    after = await consumer.offsets_for_times(dict.fromkeys(partitions, expected.timestamp_of(records)))
    earliest, latest = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    await consumer.stop()
    for partition in partitions:
        p = partition.partition
        first = next(i for i in range(target, target + expected.PARTITIONS) if expected.partition_of(i) == p)
        actual = (earliest[partition], latest[partition], tuple(by_time[partition]), after[partition])
        wanted = (0, expected.count_in_partition(records, p),
                  (first // expected.PARTITIONS, expected.timestamp_of(first)), None)
        require(actual == wanted, f"{topic}-{p}: earliest, latest, by timestamp and after the last offset are {actual}, "
                                  f"expected {wanted}")


async def topic_config(admin, topic):
    response, = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    _, _, _, _, entries = response.resources[0]
    return {entry[0]: (entry[1], entry[3]) for entry in entries}


async def check_admin(admin, topic):
    code = await create(admin, topic, 2, {"segment.bytes": "1048576"})
    require(code == 0, f"creating {topic}: error {code}")
    code = await create(admin, topic, 2)
    require(code == errors.TopicAlreadyExistsError.errno, f"creating {topic} again: error {code}")
    code = await create(admin, "not a topic name")
    require(code == errors.InvalidTopicError.errno, f"creating a topic with a bad name: error {code}")

    cluster = await admin.describe_cluster()
    brokers = {broker["node_id"] for broker in cluster["brokers"]}
    require(brokers and cluster["cluster_id"], f"describe cluster: {cluster}")
    description, = await admin.describe_topics([topic])
    require(sorted(p["partition"] for p in description["partitions"]) == [0, 1], f"{topic}: {description}")
    for p in description["partitions"]:
        require(p["leader"] in brokers and p["replicas"] == [p["leader"]] == p["isr"], f"{topic}: partition {p}")

    await admin.create_partitions({topic: NewPartitions(5)})
    deadline = Deadline(TIMEOUT, f"5 partitions of {topic}")
    while len((await admin.describe_topics([topic]))[0]["partitions"]) != 5:
        deadline.check()
    error = await error_of(admin.create_partitions({topic: NewPartitions(3)}))
    require(error is errors.InvalidPartitionsError, f"fewer partitions of {topic}: {error}")

    config = await topic_config(admin, topic)
    dynamic_topic, default = 1, 5  # the protocol's sources
    for name, wanted in (("segment.bytes", ("1048576", dynamic_topic)), ("retention.ms", ("-1", dynamic_topic)),
                         ("max.message.bytes", ("1048588", default)), ("cleanup.policy", ("delete", default))):
        require(config[name] == wanted, f"{topic}: {name} is {config[name]}, expected {wanted}")
    # the older, not incremental request: what is not named goes back to its default
    response, = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "2000000"})])
    require(response.resources[0][0] == 0, f"{topic}: altering settings: {response}")
    wanted = {"max.message.bytes": ("2000000", dynamic_topic), "segment.bytes": ("1073741824", default),
              "retention.ms": ("604800000", default)}
    deadline = Deadline(TIMEOUT, f"altered settings of {topic}")
    while {name: entry for name, entry in (await topic_config(admin, topic)).items() if name in wanted} != wanted:
        deadline.check()
    response, = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "many"})])
    require(response.resources[0][0] == errors.InvalidConfigurationError.errno, f"{topic}: a bad setting: {response}")

    await delete(admin, topic)
    code = error_code(await admin.delete_topics([topic]))
    require(code == errors.UnknownTopicOrPartitionError.errno, f"deleting {topic} again: error {code}")


async def delete(admin, topic):
    code = error_code(await admin.delete_topics([topic]))
    require(code == 0, f"deleting {topic}: error {code}")
    deadline = Deadline(TIMEOUT, f"{topic} to be gone")
    while topic in await admin.list_topics():
        deadline.check()


async def check_too_large(bootstrap, topic):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=3_000_000)
    await producer.start()
    error = await error_of(producer.send_and_wait(topic, bytes(2_000_000), partition=0))
    require(error is errors.MessageSizeTooLargeError, f"{topic}: a record of 2 MB: {error}")
    await producer.stop()


async def check_delete_records(bootstrap, admin, topic):
    partition = TopicPartition(topic, 0)
    low_watermark = (await admin.delete_records({partition: RecordsToDelete(10)}))[partition]
    require(low_watermark == 10, f"{topic}-0: low watermark {low_watermark} after deleting below 10")
    error = await error_of(admin.delete_records({partition: RecordsToDelete(1 << 40)}))
    require(error is errors.OffsetOutOfRangeError, f"{topic}-0: deleting records past the end: {error}")

    consumer = await new_consumer(bootstrap, topic, {0: 9})
    earliest = (await consumer.beginning_offsets([partition]))[partition]
    require(earliest == 10, f"{topic}-0: earliest offset {earliest} after deleting below 10")
    error = await error_of(asyncio.wait_for(consumer.getone(), TIMEOUT))
    require(error is errors.OffsetOutOfRangeError, f"{topic}-0: reading below the earliest offset: {error}")
    consumer.seek(partition, 10)
    message = await asyncio.wait_for(consumer.getone(), TIMEOUT)
    require(message.offset == 10, f"{topic}-0: reading at the earliest offset begins at {message.offset}")
    await consumer.stop()


async def check_all(bootstrap, records, prefix):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    passes = {}
    for acks in (1, 0):  # early: see ../shared/README.md
        await create_for_records(admin, f"{prefix}-acks{acks}")
    for codec, compression in CODECS.items():
        topic = f"{prefix}-{codec}"
        await create_for_records(admin, topic)
        await produce(bootstrap, topic, records, acks="all", enable_idempotence=True, compression_type=compression)
        await consume(bootstrap, topic, records)
        await consume(bootstrap, topic, records, expected.middle_offsets(records))
        await check_offsets(bootstrap, topic, records)
        passes[codec] = records
    for acks in (1, 0):
        topic = f"{prefix}-acks{acks}"
        await produce(bootstrap, topic, 1000, acks=acks, compression_type="lz4")
        await consume(bootstrap, topic, 1000)
        passes[f"acks={acks}"] = 1000
    await check_group(bootstrap, f"{prefix}-none", records, f"{prefix}-group")
    passes["group"] = records
    await check_too_large(bootstrap, f"{prefix}-acks1")
    await check_delete_records(bootstrap, admin, f"{prefix}-none")
    await check_admin(admin, f"{prefix}-admin")
    for name in [*CODECS, "acks1", "acks0"]:
        await delete(admin, f"{prefix}-{name}")
    await admin.close()
    expected.report("aiokafka", passes)


expected.run(lambda bootstrap, records, prefix: asyncio.run(check_all(bootstrap, records, prefix)))

"""Compatibility test: Kafka's own command-line tools. usage: main.py CASE BOOTSTRAP RECORDS TOPIC_PREFIX

Each tool is run as a person would, and what it prints is compared.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "peers"))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent.parent / "faults"))
import apache_kafka
import kafka_wire
import transaction_wire
from apache_kafka import (CONFIGS, CONSOLE_CONSUMER, CONSOLE_PRODUCER, CONSOLE_SHARE_CONSUMER, CONSUMER_GROUPS, DELETE_RECORDS, GET_OFFSETS,
                          LOG_DIRS, SHARE_GROUPS, TOPICS, TRANSACTIONS)

DEADLINE_S = 30
TRANSACTION_TIMEOUT_MS = 600_000  # longer than the tools take, which are run while it is open
CONSUMER_IDLE_MS = 20_000  # the console consumer gives up after it; the consumers here end by their record count before


class CheckFailed(Exception):
    pass


def require(condition, message):
    if not condition:
        raise CheckFailed(message)


class Tools:
    def __init__(self, bootstrap, prefix):
        self.bootstrap = bootstrap
        self.prefix = prefix

    def run(self, main_class, *args, input=None, succeeds=True):
        """What the tool prints; on the expected failure, with its standard error."""
        where = ["--bootstrap-server", self.bootstrap]
        # kafka-transactions has commands behind what holds for all of them.
        words = [*where, *args] if main_class == TRANSACTIONS else [*args, *where]
        result = apache_kafka.run_tool(main_class, words, input=input, timeout_s=120)
        shown = f"{main_class} {' '.join(map(str, args))}"
        require((result.returncode == 0) == succeeds, f"{shown}: exit status {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result.stdout if succeeds else result.stdout + result.stderr

    def expect(self, pattern, main_class, *args, **options):
        """Runs the tool and requires that its output as a whole, or on failure a part of it, is as the pattern says."""
        output = self.run(main_class, *args, **options)
        found = re.fullmatch(pattern, output.strip()) if options.get("succeeds", True) else re.search(pattern, output)
        require(found, f"{main_class} {' '.join(map(str, args))} prints\n{output}\nexpected\n{pattern}")
        return found

    def expect_soon(self, pattern, main_class, *args):
        """As expect, repeated until the deadline: a broker may show a change a moment after it has confirmed it."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                return self.expect(pattern, main_class, *args)
            except CheckFailed:
                if time.monotonic() > end:
                    raise

    def create(self, suffix, partitions):
        topic = f"{self.prefix}-{suffix}"
        self.expect(rf"Created topic {topic}\.", TOPICS, "--create", "--topic", topic, "--partitions", partitions,
                    "--config", "retention.ms=-1")
        return topic

    def delete(self, topic):
        self.expect("", TOPICS, "--delete", "--topic", topic)


def described(topic, partitions):
    """The pattern of kafka-topics --describe."""
    rows = "".join(rf"\n\tTopic: {topic}\tPartition: {p}\tLeader: (\d+)\tReplicas: \d+\tIsr: \d+\tElr: ?(N/A)?\tLastKnownElr: ?(N/A)?"
                   for p in range(partitions))
    return rf"Topic: {topic}\tTopicId: [\w-]{{22}}\tPartitionCount: {partitions}\tReplicationFactor: 1\tConfigs: \S*retention\.ms=-1\S*{rows}"


def topics(tools, records):
    topic = tools.create("topics", 2)
    tools.expect_soon(described(topic, 2), TOPICS, "--describe", "--topic", topic)
    tools.expect(f"Topic '{topic}' already exists", TOPICS, "--create", "--topic", topic, succeeds=False)
    tools.expect("", TOPICS, "--create", "--topic", topic, "--if-not-exists")
    require(topic in tools.run(TOPICS, "--list").split(), f"{topic} is not listed")
    tools.expect("", TOPICS, "--alter", "--topic", topic, "--partitions", 4)
    tools.expect_soon(described(topic, 4), TOPICS, "--describe", "--topic", topic)
    tools.expect(r"currently has 4 partition\(s\); 3 would not be an increase", TOPICS, "--alter", "--topic", topic, "--partitions", 3,
                 succeeds=False)
    tools.expect("Invalid value 7 for configuration segment.bytes|segment.bytes", TOPICS, "--create", "--topic", f"{topic}-refused",
                 "--config", "segment.bytes=7", succeeds=False)
    tools.expect("Replication factor|replication factor", TOPICS, "--create", "--topic", f"{topic}-refused", "--replication-factor", 3,
                 succeeds=False)
    for unavailable in ("--unavailable-partitions", "--under-replicated-partitions", "--at-min-isr-partitions"):
        found = tools.run(TOPICS, "--describe", "--topic", topic, unavailable)
        # one replica of a minimum of one: all partitions are at their minimum
        require(found.count("Partition:") == (4 if unavailable.startswith("--at-min") else 0), f"{unavailable} prints {found}")
    tools.delete(topic)
    end = time.monotonic() + DEADLINE_S
    while topic in tools.run(TOPICS, "--list").split():
        require(time.monotonic() < end, f"{topic} is deleted and still listed")
    tools.expect(f"Topic '{topic}' does not exist as expected", TOPICS, "--describe", "--topic", topic, succeeds=False)
    return "create, list, describe, alter, delete"


def configs(tools, records):
    topic = tools.create("configs", 1)
    of_topic = ("--entity-type", "topics", "--entity-name", topic)
    tools.expect_soon(rf"Dynamic configs for topic {topic} are:\n"
                      r"  retention\.ms=-1 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=-1\}", CONFIGS, "--describe", *of_topic)
    everything = tools.run(CONFIGS, "--describe", "--all", *of_topic)
    for line in ("cleanup.policy=delete sensitive=false synonyms={DEFAULT_CONFIG:log.cleanup.policy=delete}",
                 "max.message.bytes=1048588 sensitive=false synonyms={DEFAULT_CONFIG:message.max.bytes=1048588}",
                 "segment.bytes=1073741824 sensitive=false synonyms={DEFAULT_CONFIG:log.segment.bytes=1073741824}",
                 "segment.ms=604800000 sensitive=false synonyms={}"):
        require(f"  {line}\n" in everything, f"kafka-configs --describe --all lacks {line}:\n{everything}")
    tools.expect(rf"Completed updating config for topic {topic}\.", CONFIGS, "--alter", *of_topic, "--add-config",
                 "segment.bytes=2000000,cleanup.policy=[compact,delete]", "--delete-config", "retention.ms")
    tools.expect_soon(rf"Dynamic configs for topic {topic} are:\n"
                      r"  cleanup\.policy=compact,delete sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:cleanup\.policy=compact,delete, "
                      r"DEFAULT_CONFIG:log\.cleanup\.policy=delete\}\n"
                      r"  segment\.bytes=2000000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:segment\.bytes=2000000, "
                      r"DEFAULT_CONFIG:log\.segment\.bytes=1073741824\}", CONFIGS, "--describe", *of_topic)
    tools.expect("InvalidConfigurationException.*segment.bytes", CONFIGS, "--alter", *of_topic, "--add-config", "segment.bytes=x", succeeds=False)
    tools.expect("InvalidConfigurationException.*no.such.setting", CONFIGS, "--alter", *of_topic, "--add-config", "no.such.setting=1",
                 succeeds=False)
    tools.delete(topic)

    broker = re.search(r"\(id: (\d+) ", tools.run(apache_kafka.BROKER_API_VERSIONS))[1]
    of_broker, name = ("--entity-type", "brokers", "--entity-name", broker), "log.cleaner.threads"
    tools.expect(rf"Completed updating config for broker {broker}\.", CONFIGS, "--alter", *of_broker, "--add-config", f"{name}=2")
    try:
        tools.expect_soon(rf"Dynamic configs for broker {broker} are:\n  {name}=2 sensitive=false "
                          rf"synonyms=\{{DYNAMIC_BROKER_CONFIG:{name}=2, DEFAULT_CONFIG:{name}=1\}}", CONFIGS, "--describe", *of_broker)
    finally:
        tools.run(CONFIGS, "--alter", *of_broker, "--delete-config", name)
    tools.expect_soon(f"Dynamic configs for broker {broker} are:", CONFIGS, "--describe", *of_broker)
    tools.expect(r"Cannot update these configs dynamically: \[broker\.id\]", CONFIGS, "--alter", *of_broker, "--add-config", "broker.id=99",
                 succeeds=False)
    tools.run(CONFIGS, "--alter", "--broker-defaults", "--add-config", f"{name}=1")
    try:
        tools.expect_soon(rf"Default configs for brokers in the cluster are:(\n  \S+=.*)*\n  {name}=1 sensitive=false "
                          rf"synonyms=\{{DYNAMIC_DEFAULT_BROKER_CONFIG:{name}=1.*\}}(\n  \S+=.*)*", CONFIGS, "--describe", "--broker-defaults")
    finally:
        tools.run(CONFIGS, "--alter", "--broker-defaults", "--delete-config", name)
    return "topic, broker and default settings described and altered"


def console_consume(tools, topic, partition, offset, count, *properties):
    """With --partition the console consumer assigns: no group takes part."""
    args = [word for each in properties for word in ("--formatter-property", each)]
    output = tools.run(CONSOLE_CONSUMER, "--topic", topic, "--partition", partition, "--offset", offset, "--max-messages", count,
                       "--timeout-ms", CONSUMER_IDLE_MS, *args)
    return output.splitlines()


def compare_lines(what, actual, expected):
    for i, (a, e) in enumerate(zip(actual, expected)):
        require(a == e, f"{what}: line {i} is {a!r}, expected {e!r}")
    require(len(actual) == len(expected), f"{what}: {len(actual)} lines, expected {len(expected)}")


def console(tools, records):
    topic = tools.create("console", 1)
    lines = [f"index:{i},half:{i // 2}\tkey-{i}\tvalue {i} {'x' * (i * 7919 % 100)}" for i in range(records)]
    tools.run(CONSOLE_PRODUCER, "--topic", topic, "--reader-property", "parse.key=true", "--reader-property", "parse.headers=true",
              "--compression-codec", "zstd", "--sync", input="".join(line + "\n" for line in lines[:5]))
    tools.run(CONSOLE_PRODUCER, "--topic", topic, "--reader-property", "parse.key=true", "--reader-property", "parse.headers=true",
              "--compression-codec", "gzip", input="".join(line + "\n" for line in lines[5:]))
    compare_lines("all records", console_consume(tools, topic, 0, "earliest", records, "print.key=true", "print.headers=true",
                                                 "headers.separator=,"), lines)
    middle = records // 2
    want = [f"Partition:0\tOffset:{i}\t{lines[i].split(chr(9))[2]}" for i in range(middle, middle + 10)]
    compare_lines("ten records from the middle", console_consume(tools, topic, 0, middle, 10, "print.offset=true", "print.partition=true"), want)
    stamp = console_consume(tools, topic, 0, records - 1, 1, "print.timestamp=true")[0]
    found = re.match(r"CreateTime:(\d+)\tvalue ", stamp)
    require(found and abs(time.time() * 1000 - int(found[1])) < 600_000, f"the last record's timestamp is {stamp[:40]}")
    tools.delete(topic)
    return f"{records} records from the console producer to the console consumer"


def offsets(tools, want, *args):
    """kafka-get-offsets: its lines topic:partition:offset."""
    compare_lines(f"kafka-get-offsets {' '.join(map(str, args))}", tools.run(GET_OFFSETS, *args).split(), want)


def records(tools, records):
    topic = tools.create("records", 3)
    performance = ("--topic", topic, "--num-records", records, "--record-size", 200, "--throughput", -1)
    tools.expect(rf"(?s).*{records} records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency.*", apache_kafka.PRODUCER_PERFORMANCE,
                 *performance, "--command-property", "compression.type=lz4")
    ends = [int(line.rpartition(":")[2]) for line in tools.run(GET_OFFSETS, "--topic", topic).split()]
    require(len(ends) == 3 and sum(ends) == records, f"the end offsets after kafka-producer-perf-test are {ends}, in sum not {records}")
    offsets(tools, [f"{topic}:{p}:0" for p in range(3)], "--topic", topic, "--time", "earliest")
    offsets(tools, [f"{topic}:{p}:{ends[p]}" for p in range(3)], "--topic-partitions", f"{topic}:0-3", "--time", "latest")
    offsets(tools, [f"{topic}:{p}:0" for p in range(3)], "--topic", topic, "--time", 1)
    if ends[1]:
        newest = tools.expect(rf"{topic}:1:(\d+)", GET_OFFSETS, "--topic-partitions", f"{topic}:1", "--time", "max-timestamp")
        require(int(newest[1]) < ends[1], f"the offset of the highest timestamp is {newest[1]}, the end {ends[1]}")

    sizes = json.loads(tools.run(LOG_DIRS, "--describe", "--topic-list", topic).splitlines()[-1])
    require(sizes["version"] == 1 and len(sizes["brokers"]) == 1, f"kafka-log-dirs prints {sizes}")
    folder = sizes["brokers"][0]["logDirs"][0]
    require(folder["error"] is None, f"kafka-log-dirs reports {folder['error']}")
    replicas = {row["partition"]: row for row in folder["partitions"]}
    require(set(replicas) == {f"{topic}-{p}" for p in range(3)}, f"kafka-log-dirs lists {sorted(replicas)}")
    for p in range(3):
        row = replicas[f"{topic}-{p}"]
        require((row["size"] > 0) == (ends[p] > 0) and row["offsetLag"] == 0 and row["isFuture"] is False, f"kafka-log-dirs: {row}")

    target = max(range(3), key=lambda p: ends[p])
    with tempfile.TemporaryDirectory() as directory:
        def delete_before(offset):
            path = pathlib.Path(directory) / "offsets.json"
            path.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": target, "offset": offset}]}))
            return DELETE_RECORDS, "--offset-json-file", path

        head = r"Executing records delete operation\nRecords delete operation completed:\n"
        tools.expect(rf"{head}partition: {topic}-{target}\tlow_watermark: 10", *delete_before(10))
        offsets(tools, [f"{topic}:{target}:10"], "--topic-partitions", f"{topic}:{target}", "--time", "earliest")
        refused = tools.run(*delete_before(ends[target] + 1))
        require(re.search(rf"partition: {topic}-{target}\terror: .*(range|OffsetOutOfRange)", refused), f"kafka-delete-records prints {refused}")
        tools.expect(rf"{head}partition: {topic}-{target}\tlow_watermark: {ends[target]}", *delete_before(-1))
    tools.delete(topic)
    return f"{records} records: performance, offsets, log dirs, deleted records"


def cluster(tools, records):
    tools.expect(r"Cluster ID: [\w-]{22}", apache_kafka.CLUSTER, "cluster-id")
    # this tool alone wants its options before the action
    features = apache_kafka.run_tool(apache_kafka.FEATURES, ["--bootstrap-server", tools.bootstrap, "describe"])
    require(features.returncode == 0 and not features.stderr, f"kafka-features describe: {features}")
    versions = tools.run(apache_kafka.BROKER_API_VERSIONS)
    require(versions.startswith(tools.bootstrap + " (id: "), f"kafka-broker-api-versions prints {versions}")
    for api in ("Produce(0)", "Fetch(1)", "ListOffsets(2)", "Metadata(3)", "ApiVersions(18)", "CreateTopics(19)", "InitProducerId(22)"):
        require(re.search(rf"{re.escape(api)}: \d+ to \d+ \[usable: \d+\]", versions), f"{api} is not usable:\n{versions}")
    return "cluster id, features, API versions"


def groups(tools, records):
    topic, group = tools.create("groups", 1), f"{tools.prefix}-group"
    lines = [f"value {i}" for i in range(records)]
    tools.run(CONSOLE_PRODUCER, "--topic", topic, input="".join(line + "\n" for line in lines))
    half = records // 2
    for first, count in ((0, half), (half, records - half)):
        output = tools.run(CONSOLE_CONSUMER, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", count,
                           "--timeout-ms", 3 * CONSUMER_IDLE_MS, "--command-property", "group.protocol=classic")
        compare_lines(f"{count} records of the group from {first}", output.splitlines(), lines[first:first + count])
    require(group in tools.run(CONSUMER_GROUPS, "--list").split(), f"{group} is not listed")
    of_group = ("--group", group)

    def described(offset):
        return rf"(?s).*{group}\s+{topic}\s+0\s+(-\s+)?{offset}\s+{records}\s+{records - offset}\s+-\s+-\s+-"

    tools.expect(described(records), CONSUMER_GROUPS, "--describe", *of_group)
    tools.expect(rf"(?s).*{group}\s+\S+:\d+ +\(\d+\)\s+(-\s+)?Empty\s+0", CONSUMER_GROUPS, "--describe", "--state", *of_group)
    tools.expect(rf"(?s).*{group}\s+{topic}\s+0\s+{half}", CONSUMER_GROUPS, "--reset-offsets", "--to-offset", half, "--topic", topic, "--execute",
                 *of_group)
    tools.expect(described(half), CONSUMER_GROUPS, "--describe", *of_group)
    tools.expect(r"(?s).*Deletion of requested consumer groups.*was successful\.", CONSUMER_GROUPS, "--delete", *of_group)
    require(group not in tools.run(CONSUMER_GROUPS, "--list").split(), f"{group} is deleted and still listed")
    tools.expect(rf"(?s).*Group {group} not found.*", CONSUMER_GROUPS, "--describe", *of_group)
    tools.delete(topic)
    return f"{records} records in two halves; list, describe, reset, delete"


def consumer_groups(tools, records):
    """A group of the consumer protocol, with a member that is there while it is described."""
    topic, group = tools.create("consumer-groups", 2), f"{tools.prefix}-consumer-group"
    of_group = ("--group", group)
    command = apache_kafka.tool_command(CONSOLE_CONSUMER, ["--bootstrap-server", tools.bootstrap, "--topic", topic, "--group", group,
                                                           "--command-property", "group.protocol=consumer"])
    member = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tools.expect_soon(rf"(?s).*{group}\s+\S+:\d+ +\(\d+\)\s+uniform\s+Stable\s+1", CONSUMER_GROUPS, "--describe", "--state", *of_group)
        tools.expect(rf"(?s).*{group}\s+\S+:\d+ +\(\d+\)\s+uniform\s+Stable\s+(\d+)\s+\1\s+1", CONSUMER_GROUPS, "--describe", "--state",
                     "--verbose", *of_group)
        tools.expect(rf"(?s).*{group}\s+\S+\s+/127\.0\.0\.1\s+console-consumer\s+2", CONSUMER_GROUPS, "--describe", "--members", *of_group)
        tools.expect(rf"(?s).*{group}\s+\S+\s+/127\.0\.0\.1\s+console-consumer\s+2\s+(\d+)\s+{topic}:0,1\s+\1\s+{topic}:0,1(\s+false)?",
                     CONSUMER_GROUPS, "--describe", "--members", "--verbose", *of_group)
    finally:
        member.terminate()
        member.wait()
    tools.expect_soon(rf"(?s).*{group}\s+\S+:\d+ +\(\d+\)\s+(\S+\s+)?Empty\s+0", CONSUMER_GROUPS, "--describe", "--state", *of_group)
    tools.expect(rf"(?s).*{group}\s+Consumer\s+Empty.*", CONSUMER_GROUPS, "--list", "--type", "--state")
    tools.expect(r"(?s).*Deletion of requested consumer groups.*was successful\.", CONSUMER_GROUPS, "--delete", *of_group)
    tools.delete(topic)
    return "a group of the consumer protocol: state, members, deletion"


def share_groups(tools, records):
    """A share group without members: where it begins to read, and that it is gone."""
    topic, group = tools.create("share-groups", 2), f"{tools.prefix}-share-group"
    tools.run(CONSOLE_PRODUCER, "--topic", topic, input="".join(f"value {i}\n" for i in range(100)))
    ends = [int(tools.expect(rf"{topic}:{p}:(\d+)", GET_OFFSETS, "--topic-partitions", f"{topic}:{p}").group(1)) for p in range(2)]
    of_group = ("--group", group)

    def rows(starts):
        """Of the partitions in any order, which the tool takes from a hash."""
        return "(?s)" + "".join(rf"(?=.*{group}\s+{topic}\s+{p}\s+{start}\b)" for p, start in enumerate(starts)) + ".*"

    tools.expect(rows([0, 0]), SHARE_GROUPS, "--reset-offsets", "--to-earliest", "--topic", topic, "--execute", *of_group)
    require(group in tools.run(SHARE_GROUPS, "--list").split(), f"{group} is not listed")
    tools.expect(rf"(?s).*{group}\s+Empty.*", SHARE_GROUPS, "--list", "--state")
    tools.expect(rows([0, 0]), SHARE_GROUPS, "--describe", *of_group)
    tools.expect(rf"(?s).*{group}\s+\S+:\d+ +\(\d+\)\s+Empty\s+0", SHARE_GROUPS, "--describe", "--state", *of_group)
    tools.expect(rows(ends), SHARE_GROUPS, "--reset-offsets", "--to-latest", "--topic", topic, "--execute", *of_group)
    tools.expect(rows(ends), SHARE_GROUPS, "--describe", *of_group)
    tools.expect(rf"(?s).*{topic}\s+Successful", SHARE_GROUPS, "--delete-offsets", "--topic", topic, *of_group)
    described = tools.run(SHARE_GROUPS, "--describe", *of_group)
    require(topic not in described, f"{group} still knows of {topic}:\n{described}")
    refused = tools.run(CONSUMER_GROUPS, "--describe", *of_group)
    require("not found" in refused or "not a" in refused, f"{group} is taken for a consumer group:\n{refused}")
    tools.expect(rf"(?s).*Deletion of requested share groups.*was successful\.", SHARE_GROUPS, "--delete", *of_group)
    require(group not in tools.run(SHARE_GROUPS, "--list").split(), f"{group} is deleted and still listed")
    tools.delete(topic)
    return "a share group: reset, list, describe, delete-offsets, delete"


def transactions(tools, records):
    """kafka-transactions: what is open, whose it is, and the end of one that its coordinator knows. The broker verifies partitions, so nothing
    hangs here that it does not know."""
    topic, transactional_id = tools.create("transactions", 2), f"{tools.prefix}-transaction"
    with transaction_wire.TransactionalProducer(int(tools.bootstrap.rsplit(":", 1)[1]), transactional_id, TRANSACTION_TIMEOUT_MS) as producer:
        producer.add_partition(topic, 1)
        require(producer.write(topic, [b"a", b"b"], 1) == kafka_wire.NONE, "the records of an open transaction are refused")
        number = producer.producer_id
        tools.expect(rf"(?s).*{transactional_id}\s+\d+\s+{number}\s+Ongoing.*", TRANSACTIONS, "list")
        tools.expect(rf"(?s).*{transactional_id}\s+{number}\s+{producer.epoch}\s+Ongoing\s+{TRANSACTION_TIMEOUT_MS}\s+\d+\s+\d+\s+{topic}-1.*",
                     TRANSACTIONS, "describe", "--transactional-id", transactional_id)
        tools.expect(rf"(?s).*\b{number}\s+{producer.epoch}\s+-?\d+\s+1\s+\d+\s+0\b.*",
                     TRANSACTIONS, "describe-producers", "--topic", topic, "--partition", 1)
        tools.run(TRANSACTIONS, "forceTerminateTransaction", "--transactionalId", transactional_id)
        tools.expect_soon(rf"(?s).*\b{number}\s+\d+\s+-?\d+\s+-?\d+\s+\d+\s+None\b.*",
                          TRANSACTIONS, "describe-producers", "--topic", topic, "--partition", 1)
        require(producer.write(topic, [b"c"], 1) != kafka_wire.NONE, "a fenced producer still writes")
    tools.delete(topic)
    return "list, describe, describe-producers, forceTerminateTransaction"


def share_console(tools, records):
    topic, group = tools.create("share", 2), f"{tools.prefix}-share"
    lines = [f"line {i}" for i in range(records)]
    tools.run(CONSOLE_PRODUCER, "--topic", topic, input="".join(line + "\n" for line in lines))
    tools.expect(r"Completed updating config for group .*", CONFIGS, "--alter", "--entity-type", "groups", "--entity-name", group,
                 "--add-config", "share.auto.offset.reset=earliest")

    def consume(count, *args):
        return tools.run(CONSOLE_SHARE_CONSUMER, "--topic", topic, "--group", group, "--max-messages", count, "--timeout-ms", CONSUMER_IDLE_MS,
                         *args).splitlines()

    released = consume(5, "--release")
    require(len(set(released)) == 5, f"five released records are {released}")
    compare_lines("all records", sorted(consume(records)), sorted(lines))
    tools.run(CONSOLE_PRODUCER, "--topic", topic, input="rejected\n")
    compare_lines("the record behind them", consume(1, "--reject"), ["rejected"])
    tools.run(CONSOLE_PRODUCER, "--topic", topic, input="last\n")
    compare_lines("what is left", consume(1), ["last"])
    tools.delete(topic)
    return f"{records} records to the console share consumer, five of them twice"


CASES = {"transactions": transactions, "share_groups": share_groups, "share_console": share_console, "topics": topics, "configs": configs, "console": console, "records": records, "groups": groups, "consumer_groups": consumer_groups, "cluster": cluster}

if __name__ == "__main__":
    try:
        print(CASES[sys.argv[1]](Tools(sys.argv[2], sys.argv[4]), int(sys.argv[3])))
    except CheckFailed as failure:
        sys.exit(f"FAILED {failure}")

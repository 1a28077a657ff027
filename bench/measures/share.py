"""Share groups: records through the members of one, each acknowledged with the next fetch; and what a group of Brook pays for each setting
that Apache Kafka does not have."""

import dataclasses

import kafka_wire
import share_wire
from figures import Figure
from session import REQUEST_TIMEOUT_S, BrokerFailed, create_topic

PARTITIONS, MEMBERS = 16, 32
BATCH_BYTES = 16_384  # about what Apache Kafka's producer sends
# A share group begins at the latest record, unless told. Its targets are made at once here, so that the members wait for nothing.
GROUP_CONFIGS = {"share.auto.offset.reset": "earliest", "share.assignment.interval.ms": "0"}
DEAD_LETTER_TOPIC = "dlq.bench"


@dataclasses.dataclass(frozen=True)
class Size:
    key: str
    what: str
    record_bytes: int
    records: int  # of a whole run


@dataclasses.dataclass(frozen=True)
class Option:
    """What a group may ask for, and the load that shows its price. `base` names the option without it."""

    key: str
    what: str
    base: str = ""
    configs: dict = dataclasses.field(default_factory=dict)
    rejected_per_thousand: int = 0
    released_per_thousand: int = 0


SIZES = [Size("100b", "100 B", 100, 1_000_000), Size("1k", "1 KiB", 1024, 300_000)]

OPTION_BYTES, OPTION_RECORDS = 100, 300_000
OPTIONS = [
    Option("plain", "no option; records with a key and a time header"),
    Option("ordered", "share.key.ordering", "plain", {"share.key.ordering": "true"}),
    Option("times", "share.record.times.enable", "plain", {"share.record.times.enable": "true"}),
    Option("released", "no option; 1 % released once", released_per_thousand=10),
    Option("backoff", "share.redelivery.backoff.ms=1; 1 % released once", "released", {"share.redelivery.backoff.ms": "1"}, released_per_thousand=10),
    Option("rejected", "no option; 1 % rejected", rejected_per_thousand=10),
    Option("dead", "1 % rejected, to a dead-letter topic", "rejected", {"errors.deadletterqueue.topic.name": DEAD_LETTER_TOPIC}, rejected_per_thousand=10),
    Option("copied", "1 % rejected, copied to a dead-letter topic", "rejected",
           {"errors.deadletterqueue.topic.name": DEAD_LETTER_TOPIC, "errors.deadletterqueue.copy.record.enable": "true"}, rejected_per_thousand=10),
]


def _figures():
    for size in SIZES:
        yield Figure(f"share.{size.key}.records_s", f"share group of {MEMBERS} members, {size.what}", "records/s", "more", 0)
        yield Figure(f"share.{size.key}.cpu_s_per_million", f"broker's processor time, share group, {size.what}", "s/million")
    for option in OPTIONS:
        yield Figure(f"share.{option.key}.records_s", f"share group: {option.what}", "records/s", "more", 0, always=False)
        if option.base:
            yield Figure(f"share.{option.key}.cost", f"share group: {option.what}: records/s ÷ those without", "of 1", "more", always=False)


FIGURES = list(_figures())


def run(session):
    warm = session.warm()
    for broker in warm.values():
        _through_group(session, broker, SIZES[0], session.size(1_000_000, 100_000), "warm-up")
    for index in session.rounds(least=1, pairs=1 if session.quick else 3):
        for size in SIZES:
            for name, broker in warm.items():
                _measure(session, name, broker, size, index)
        session.log(f"round {index + 1} done")
    if "brook" in warm:
        _options(session, warm["brook"])


def _measure(session, name, broker, size, index):
    result, meter = _through_group(session, broker, size, session.size(size.records, size.records // 5), f"{size.key}-{index}")
    session.keep_load(name, size.key, result, broker_cpu_s=meter.cpu_s)
    session.add(name, f"share.{size.key}.records_s", result["records"] / result["delivered_seconds"])
    session.add(name, f"share.{size.key}.cpu_s_per_million", meter.cpu_s / (result["records"] / 1e6))


def _through_group(session, broker, size, records, group):
    group = f"share-{group}"
    with session.topic(broker, PARTITIONS) as topic:
        session.tools.preload(broker, topic, partitions=PARTITIONS, records=records, record_bytes=size.record_bytes,
                              batch_records=max(1, BATCH_BYTES // size.record_bytes))
        _configure(broker, group, GROUP_CONFIGS)
        with session.cpu(broker) as meter:
            result = session.tools.share(broker, topic, group, partitions=PARTITIONS, members=MEMBERS)
    return result, meter


def _options(session, broker):
    """Each with a group of its own, over one topic, whose records have what the options look for."""
    records = session.size(OPTION_RECORDS, OPTION_RECORDS // 3)
    with session.topic(broker, PARTITIONS) as topic:
        session.tools.preload(broker, topic, partitions=PARTITIONS, records=records, record_bytes=OPTION_BYTES,
                              batch_records=BATCH_BYTES // OPTION_BYTES, has_times=1)
        with kafka_wire.Connection(broker.port, timeout_s=REQUEST_TIMEOUT_S) as connection:
            create_topic(connection, DEAD_LETTER_TOPIC, PARTITIONS, {"errors.deadletterqueue.group.enable": "true"})
        for index in session.rounds(least=1, pairs=1 if session.quick else 2):
            rates = {option.key: _option(session, broker, topic, option, index) for option in OPTIONS}
            for option in OPTIONS:
                session.add("brook", f"share.{option.key}.records_s", rates[option.key])
                if option.base:
                    session.add("brook", f"share.{option.key}.cost", rates[option.key] / rates[option.base])
    session.log("options done")


def _option(session, broker, topic, option, index):
    group = f"share-option-{option.key}-{index}"
    _configure(broker, group, {**GROUP_CONFIGS, **option.configs})
    with session.cpu(broker) as meter:
        result = session.tools.share(broker, topic, group, partitions=PARTITIONS, members=MEMBERS, rejected_per_thousand=option.rejected_per_thousand,
                                     released_per_thousand=option.released_per_thousand)
    session.keep_load("brook", option.key, result, broker_cpu_s=meter.cpu_s)
    return result["records"] / result["delivered_seconds"]


def _configure(broker, group, configs):
    with share_wire.ShareConnection(broker.port) as connection:
        error, message, *_ = connection.configure_group(group, configs)
    if error:
        raise BrokerFailed(f"the settings of group {group} were refused: error {error}, {message}")

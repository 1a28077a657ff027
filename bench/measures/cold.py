"""The first bytes of a process: no compiler of Apache Kafka's JVM has seen this code yet."""

from figures import Figure

PARTITIONS, RECORD_BYTES = 16, 1024

FIGURES = [
    Figure("cold.produce_cpu_s_per_gb", "broker's processor time, produce 1 KiB, a process's first 2 GB", "s/GB"),
    Figure("cold.produce_mb_s", "produce 1 KiB, a process's first 2 GB", "MB/s", "more", 0),
]


def run(session):
    records = session.size(2_000_000, 150_000)
    for index in session.rounds(pairs=1 if session.quick else 3):
        for name in session.names:
            with session.fresh(name) as broker, session.topic(broker, PARTITIONS) as topic:
                with session.cpu(broker) as meter:
                    result = session.tools.produce(broker, topic, records=records, record_bytes=RECORD_BYTES)
            per_gb = meter.cpu_s / (result["bytes"] / 1e9)
            session.add(name, "cold.produce_cpu_s_per_gb", per_gb)
            session.add(name, "cold.produce_mb_s", result["bytes"] / 1e6 / result["seconds"])
            session.keep_load(name, "first 2 GB", result, broker_cpu_s=meter.cpu_s)
            session.log(f"round {index + 1}: {name}: {per_gb:.2f} s/GB")

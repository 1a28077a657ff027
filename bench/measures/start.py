"""Start to the first answered request, resident memory without load, the size of what is installed."""

import pathlib
import time

import apache_kafka
from figures import Figure
from process import resident_mib

IDLE_SECONDS = 2  # after the start, before memory is read

FIGURES = [
    Figure("start.ms", "start to first answer, after a clean stop", "ms", digits=0),
    Figure("start.rss_idle_mib", "resident memory, idle, no topic", "MiB", digits=1),
    Figure("start.binary_mib", "size of the program (Apache Kafka: its jars, without Java)", "MiB", digits=1),
]


def run(session):
    for index in session.rounds(least=1 if session.quick else 2, pairs=1 if session.quick else 5):
        for name in session.names:
            broker = session.make(name)
            try:
                broker.start()
                broker.stop()  # the second start formats no storage
                begin = time.monotonic()
                broker.start()
                milliseconds = (time.monotonic() - begin) * 1000
                time.sleep(IDLE_SECONDS)
                rss = resident_mib(broker.process.pid)
            finally:
                broker.close()
            session.add(name, "start.ms", milliseconds)
            session.add(name, "start.rss_idle_mib", rss)
            session.log(f"round {index + 1}: {name}: {milliseconds:.0f} ms, {rss:.1f} MiB")
    for name in session.names:
        session.add(name, "start.binary_mib", _installed_bytes(session, name) / 2**20)


def _installed_bytes(session, name):
    if name == "brook":
        return pathlib.Path(session.brook).stat().st_size
    return sum(path.stat().st_size for path in apache_kafka.libs_dir().glob("*.jar"))

"""Consumer groups: how long many of them take to be stable again after a rebalance, how fast they commit offsets, and what memory they take."""

import time

import ceilings
from figures import Figure
from process import resident_mib
from session import WARM_PROPERTIES

GROUPS, MEMBERS = 1_000, 10
COMMITTERS = 64
SIMPLE_GROUPS = 10_000
SETTLE_SECONDS = 1  # after a step, before memory is read

FIGURES = [
    Figure("groups.rebalance_s", f"{GROUPS:,} groups of {MEMBERS} members rebalance: until all are stable", "s", always=False),
    Figure("groups.rebalance_cpu_s", "broker's processor time of that, and of forming them", "s", always=False),
    Figure("groups.commits_s", f"commits of one offset each, {COMMITTERS} groups with 1 in flight", "commits/s", "more", 0),
    Figure("groups.commit_p99_ms", f"commit's acknowledgement p99, {COMMITTERS} groups", "ms"),
    Figure("groups.commit_cpu_s_per_million", "broker's processor time, commits", "s/million", digits=1),
    Figure("groups.kib_per_group", f"memory of a stable group of {MEMBERS} members, connections aside", "KiB", digits=1, always=False),
    Figure("groups.kib_per_simple_group", "memory of a group without members and with an offset", "KiB", digits=1),
]


def run(session):
    warm = session.warm()
    groups = session.size(GROUPS, 20)
    fits = groups * MEMBERS + 1000 <= session.open_files
    if not fits:
        session.samples.note(f"groups: {groups * MEMBERS:,} members need more open files than the {session.open_files:,} allowed here")
    for index in session.rounds(least=1, pairs=1 if session.quick else 3):
        for name, broker in warm.items():
            if fits:
                _rebalance(session, name, broker, groups, index)
            _commit(session, name, broker, index)
        if fits:
            ceilings.measure_exchange(session, groups * MEMBERS)
        session.log(f"round {index + 1} done")
    for name in session.names:
        _memory(session, name, groups if fits else 1)


def _rebalance(session, name, broker, groups, index):
    session.wait_until_others_idle(broker)
    with session.cpu(broker) as meter:
        result = session.tools.groups(broker, f"rebalance-{index}", groups=groups, members=MEMBERS)
    session.keep_load(name, "rebalance", result, broker_cpu_s=meter.cpu_s)
    session.add(name, "groups.rebalance_s", result["rebalance_seconds"])
    session.add(name, "groups.rebalance_cpu_s", meter.cpu_s)


def _commit(session, name, broker, index):
    commits = session.size(200_000, 5_000)
    with session.topic(broker, 1) as topic:
        session.tools.commits(broker, topic, f"warm-up-{index}", groups=COMMITTERS, commits=commits // 10)
        with session.cpu(broker) as meter:
            result = session.tools.commits(broker, topic, f"commits-{index}", groups=COMMITTERS, commits=commits)
    session.keep_load(name, "commits", result, broker_cpu_s=meter.cpu_s)
    session.add(name, "groups.commits_s", result["requests"] / result["seconds"])
    session.add(name, "groups.commit_p99_ms", result["ack_latency_p99_us"] / 1000)
    session.add(name, "groups.commit_cpu_s_per_million", meter.cpu_s / (result["requests"] / 1e6))


def _memory(session, name, groups):
    """Of a fresh broker, which has nothing left over that groups could be put in. The JVM's resident memory grows with what it allocates, and
    shrinks with nothing."""
    simple_groups = session.size(SIMPLE_GROUPS, 1_000)
    mib = {}
    with session.fresh(name, WARM_PROPERTIES) as broker, session.topic(broker, 1) as topic:
        with session.tools.group_memory(broker, topic, "memory", simple_groups=simple_groups, groups=groups, members=MEMBERS) as steps:
            for step in steps:
                time.sleep(SETTLE_SECONDS)
                mib[step] = resident_mib(broker.process.pid)
    session.keep_load(name, "memory", {f"{step}_mib": value for step, value in mib.items()})
    session.add(name, "groups.kib_per_simple_group", (mib["committed"] - mib["warm"]) * 1024 / simple_groups)
    if groups > 1:
        session.add(name, "groups.kib_per_group", (mib["stable"] - mib["connected"]) * 1024 / groups)

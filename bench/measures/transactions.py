"""Transactions of one or two small records: how many a second, how long they take, what they cost. Brook answers the end when its markers are
written, Apache Kafka when it is decided, and then refuses the next transaction until they are: whole transactions compare, ends do not."""

from figures import Figure

PARTITIONS, RECORD_BYTES = 16, 100
PRODUCERS = 64
ABORT_PERCENT = 10

FIGURES = [
    Figure("transactions.per_s", f"transactions, {PRODUCERS} producers with 1 in flight", "1/s", "more", 0),
    Figure("transactions.commit_p50_ms", "from EndTxn to its answer, p50", "ms"),
    Figure("transactions.commit_p99_ms", "from EndTxn to its answer, p99", "ms"),
    Figure("transactions.p50_ms", "a whole transaction, from its records to its end's answer, p50", "ms"),
    Figure("transactions.p99_ms", "a whole transaction, from its records to its end's answer, p99", "ms"),
    Figure("transactions.cpu_s_per_thousand", "broker's processor time, transactions", "s/thousand", digits=3),
    Figure("transactions.aborting.per_s", f"transactions of which {ABORT_PERCENT} % abort", "1/s", "more", 0),
]


def run(session):
    warm = session.warm()
    for broker in warm.values():
        _transactions(session, broker, "warm-up", session.size(5_000, 500))
    for index in session.rounds(least=1, pairs=1 if session.quick else 3):
        for name, broker in warm.items():
            _commit(session, name, broker, index)
            _abort(session, name, broker, index)
        session.log(f"round {index + 1} done")


def _commit(session, name, broker, index):
    with session.cpu(broker) as meter:
        result = _transactions(session, broker, f"commit-{index}", session.size(15_000, 2_500))
    session.keep_load(name, "commit", result, broker_cpu_s=meter.cpu_s)
    session.add(name, "transactions.per_s", result["transactions"] / result["seconds"])
    for point in ("p50", "p99"):
        session.add(name, f"transactions.commit_{point}_ms", result[f"end_latency_{point}_us"] / 1000)
        session.add(name, f"transactions.{point}_ms", result[f"transaction_latency_{point}_us"] / 1000)
    session.add(name, "transactions.cpu_s_per_thousand", meter.cpu_s / (result["transactions"] / 1000))


def _abort(session, name, broker, index):
    result = _transactions(session, broker, f"abort-{index}", session.size(5_000, 1_000), ABORT_PERCENT)
    session.keep_load(name, "abort", result)
    session.add(name, "transactions.aborting.per_s", result["transactions"] / result["seconds"])


def _transactions(session, broker, prefix, transactions, abort_percent=0):
    with session.topic(broker, PARTITIONS) as topic:
        return session.tools.transactions(broker, topic, prefix, partitions=PARTITIONS, producers=PRODUCERS, transactions=transactions,
                                          record_bytes=RECORD_BYTES, abort_percent=abort_percent)

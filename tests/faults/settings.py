"""What run.py was told, for the test cases."""

import broker as brokers

brook = None  # the binary
load = None  # faults_load, see load.c
kills = 100
peer = None  # "apache-kafka", or None for Brook


def preloaded(library, **variables):
    """The environment of a broker that runs with faults_<library>, see <library>.c."""
    return {"LD_PRELOAD": str(load.parent / f"libfaults_{library}.so"), **{key: str(value) for key, value in variables.items()}}


def broker(properties=None):
    """The broker under test, not started; a context manager starts it."""
    if peer == "apache-kafka":
        return brokers.Kafka(properties)
    return brokers.Brook(brook, properties)

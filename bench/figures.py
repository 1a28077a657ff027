"""What a run yields: figures, and the samples behind them."""

import dataclasses
import statistics

BROKERS = {"brook": "Brook", "kafka": "Apache Kafka 4.3.1"}


@dataclasses.dataclass(frozen=True)
class Figure:
    """One row of the report. A figure that is not `always` may lack samples: what it needs is not on every machine, or not asked for."""

    key: str
    what: str
    unit: str
    better: str = "less"  # or "more"
    digits: int = 2
    always: bool = True


class Samples:
    """Values by figure and broker, in the order in which they were taken; also what the load programs printed, as it was."""

    def __init__(self):
        self.values = {}
        self.loads = []
        self.notes = []

    def add(self, name, key, value):
        self.values.setdefault(key, {}).setdefault(name, []).append(value)

    def of(self, name, key):
        return self.values.get(key, {}).get(name, [])

    def median(self, name, key):
        """None where there is no sample."""
        values = self.of(name, key)
        return statistics.median(values) if values else None

    def ratio(self, key):
        """Brook's median ÷ Apache Kafka's; None where one of them is absent or Kafka's is zero."""
        brook, kafka = self.median("brook", key), self.median("kafka", key)
        return brook / kafka if brook is not None and kafka else None

    def note(self, text):
        """Says once, in the report, what the reader of the figures must know."""
        if text not in self.notes:
            self.notes.append(text)
            print(f"note: {text}", flush=True)

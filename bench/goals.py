"""What the figures must show: a goal and a floor for each, as code."""

import collections.abc
import dataclasses

import ceilings
from figures import BROKERS

GOAL_MET, FLOOR_MET, NOT_MET, NOT_MEASURED = "goal met", "floor met", "not met", "not measured"
FORMATS = {"ratio": "{:.3f}", "times": "{:.2f} ×", "share": "{:.0%}", "ms": "{:.0f} ms", "KiB": "{:.1f} KiB", "count": "{:.1f}"}


@dataclasses.dataclass(frozen=True)
class Goal:
    what: str
    how: str  # the value is computed, for the reader
    value: collections.abc.Callable  # of Samples; None where something was not measured
    goal: float
    floor: float
    form: str = "ratio"
    better: str = "less"

    def judge(self, samples):
        """(value or None, one of the four words)."""
        value = self.value(samples)
        if value is None:
            return None, NOT_MEASURED
        for limit, word in ((self.goal, GOAL_MET), (self.floor, FLOOR_MET)):
            if value <= limit if self.better == "less" else value >= limit:
                return value, word
        return value, NOT_MET

    def text_of(self, value):
        return FORMATS[self.form].format(value)

    def text_of_limit(self, limit):
        sign = "≤" if self.better == "less" else "≥"
        text = f"1/{1 / limit:.0f}" if self.form == "ratio" else self.text_of(limit)
        return f"{sign} {text}"


def _ratio(key):
    return lambda samples: samples.ratio(key)


def _brook(key):
    return lambda samples: samples.median("brook", key)


def _worst_ratio(*keys):
    def value(samples):
        ratios = [samples.ratio(key) for key in keys]
        return None if None in ratios else max(ratios)
    return value


def _brook_quotient(key, key_of_base):
    def value(samples):
        above, below = samples.median("brook", key), samples.median("brook", key_of_base)
        return above / below if above is not None and below else None
    return value


def _share(key, ceiling):
    def value(samples):
        figure, limit = samples.median("brook", key), samples.median(ceilings.MACHINE, f"ceiling.{ceiling}")
        return figure / limit if figure is not None and limit else None
    return value


BROOK_TO_KAFKA = f"{BROKERS['brook']} ÷ {BROKERS['kafka']}"

GOALS = [
    Goal("broker CPU per GB produced, 1 KiB records, warm", BROOK_TO_KAFKA, _ratio("produce.1k.cpu_s_per_gb"), 1 / 3, 1 / 2),
    Goal("the same from a cold start, first 2 GB", BROOK_TO_KAFKA, _ratio("cold.produce_cpu_s_per_gb"), 1 / 8, 1 / 5),
    Goal("broker CPU per GB consumed, warm", BROOK_TO_KAFKA, _ratio("consume.hot.cpu_s_per_gb"), 1 / 3, 1 / 2),
    Goal("broker CPU per million small requests", BROOK_TO_KAFKA, _ratio("produce.small.cpu_s_per_million"), 1 / 6, 1 / 3),
    Goal("p99 end to end at 10k records/s", BROOK_TO_KAFKA, _ratio("latency.10000.p99_ms"), 1 / 5, 1 / 2),
    Goal("p99.9 end to end at 10k records/s", BROOK_TO_KAFKA, _ratio("latency.10000.p99_9_ms"), 1 / 10, 1 / 4),
    Goal("p99 of producers while a cold backlog is read", "acknowledgement p99 while the machine went on, Brook with ÷ without",
         _brook_quotient("latency.backlog.ack_undisturbed_p99_ms", "latency.bare.ack_undisturbed_p99_ms"), 1.5, 3, "times"),
    Goal("broker CPU per GB compacted", BROOK_TO_KAFKA, _ratio("compaction.cpu_s_per_gb"), 1 / 3, 1 / 3),
    Goal("p99 of producers while compaction runs", "acknowledgement p99 while the machine went on, Brook with ÷ without",
         _brook_quotient("compaction.beside.ack_undisturbed_p99_ms", "compaction.alone.ack_undisturbed_p99_ms"), 1.5, 1.5, "times"),
    Goal("resident memory, idle and loaded", f"{BROOK_TO_KAFKA}, the worst of idle, after produce, after consume",
         _worst_ratio("start.rss_idle_mib", "produce.rss_loaded_mib", "consume.rss_loaded_mib"), 1 / 20, 1 / 10),
    Goal("start to first answer", "Brook", _brook("start.ms"), 50, 200, "ms"),
    Goal("10,000 partitions: memory per idle partition", "Brook, resident with 10,000 less with 1", _brook("scale.kib_per_partition"), 4, 16, "KiB"),
    Goal("10,000 partitions: start after a clean stop", BROOK_TO_KAFKA, _ratio("scale.10000.start_clean_ms"), 1 / 10, 1 / 4),
    Goal("20 GB in 1,000 partitions: start after SIGKILL under light load", BROOK_TO_KAFKA, _ratio("restart.killed_s"), 1 / 10, 1 / 10),
    Goal("consume at the tail, share of the sendfile ceiling", "Brook, MB/s of 8 MiB fetches ÷ sendfile's",
         _share("consume.large.mb_s", "sendfile_mb_s"), 0.9, 0.6, "share", "more"),
    Goal("produce of large batches, share of the copy + CRC + write ceiling", "Brook, MB/s of 1 MB batches ÷ receive, CRC, write",
         _share("produce.large.mb_s", "receive_crc_write_mb_s"), 0.8, 0.5, "share", "more"),
    Goal("durable produce, 64 producers: appends per fsync", "Brook", _brook("durable.64.appends_per_fsync"), 30, 10, "count", "more"),
    Goal("1,000 groups of 10 members rebalance: time", BROOK_TO_KAFKA, _ratio("groups.rebalance_s"), 1 / 3, 1 / 2),
    Goal("transactions/s, 64 producers", BROOK_TO_KAFKA, _ratio("transactions.per_s"), 2, 1, "times", "more"),
    Goal("records/s through a share group, 100 B", BROOK_TO_KAFKA, _ratio("share.100b.records_s"), 2, 1, "times", "more"),
    Goal("broker CPU per million records of a share group, 100 B", BROOK_TO_KAFKA, _ratio("share.100b.cpu_s_per_million"), 1 / 3, 1 / 2),
]

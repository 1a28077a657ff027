#!/usr/bin/env python3
"""Brook and Apache Kafka in turns, on this machine, under the same client: throughput, processor time, memory, start.

Each broker runs warm: one process for all its rounds, started freshly in an empty folder; the first round is thrown away. Rounds go
A B A B, so that what else the machine does meets both. The other broker stays idle meanwhile. Writes bench/results/latest.md and .json.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests" / "faults"))
import broker as brokers
import kafka_wire

PARTITIONS = 6
VALUE_BYTES = 1024
IDLE_SECONDS = 2  # after the start, before idle memory is read
TICKS = os.sysconf("SC_CLK_TCK")
NAMES = {"brook": "Brook", "kafka": "Apache Kafka 4.3.1"}

# key: (what, unit, better is, figures after the point)
METRICS = {
    "start_ms": ("start to first answer", "ms", "less", 0),
    "rss_idle_mib": ("resident memory, idle", "MiB", "less", 0),
    "produce_mb_s": ("produce", "MB/s", "more", 0),
    "produce_cpu_s_per_gb": ("broker's processor time, produce", "s/GB", "less", 2),
    "consume_mb_s": ("consume", "MB/s", "more", 0),
    "consume_cpu_s_per_gb": ("broker's processor time, consume", "s/GB", "less", 2),
    "cpu_s_per_gb": ("broker's processor time, both", "s/GB", "less", 2),
    "rss_after_mib": ("resident memory, after the load", "MiB", "less", 0),
}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.records = 100_000 if arguments.quick else 1_000_000
        self.samples = {name: {key: [] for key in METRICS} for name in arguments.names}

    def make(self, name):
        return brokers.Brook(self.arguments.brook) if name == "brook" else brokers.Kafka()

    def run(self):
        for _ in range(2 if self.arguments.quick else 3):  # starts, each in an empty folder
            for name in self.arguments.names:
                self.measure_start(name)
        running = {}
        try:
            for name in self.arguments.names:
                running[name] = self.make(name).start()
            for pair in range(self.arguments.pairs + 1):
                for name, broker in running.items():
                    values = self.measure_round(broker, f"bench-{pair}")
                    text = ", ".join(f"{METRICS[key][0]} {value:.{METRICS[key][3]}f} {METRICS[key][1]}" for key, value in values.items())
                    print(f"{'warm-up' if pair == 0 else f'pair {pair}'}: {NAMES[name]}: {text}", flush=True)
                    if pair > 0:
                        for key, value in values.items():
                            self.samples[name][key].append(value)
        finally:
            for broker in running.values():
                broker.close()

    def measure_start(self, name):
        """The second start over the same folder, after a clean stop: neither formats its storage."""
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            broker = brokers.Brook(self.arguments.brook, data_dir=f"{folder}/data") if name == "brook" else brokers.Kafka(directory=folder)
            try:
                broker.start()
                broker.stop()
                begin = time.monotonic()
                broker.start()
                self.samples[name]["start_ms"].append((time.monotonic() - begin) * 1000)
                time.sleep(IDLE_SECONDS)
                self.samples[name]["rss_idle_mib"].append(broker.rss_kib() / 1024)
            finally:
                broker.close()

    def measure_round(self, broker, topic):
        pid = broker.process.pid
        with kafka_wire.Connection(broker.port, timeout_s=60) as connection:
            error = connection.create_topic(topic, PARTITIONS)[1]
            if error != kafka_wire.NONE:
                sys.exit(f"topic {topic} was not created: error {error}")
            connection.wait_for_leader(topic, PARTITIONS)
            before = cpu_seconds(pid)
            produced = self.load("produce", broker.bootstrap, topic, PARTITIONS, self.records, VALUE_BYTES, "none")
            between = cpu_seconds(pid)
            consumed = self.load("consume", broker.bootstrap, topic, PARTITIONS, self.records)
            after = cpu_seconds(pid)
            rss = broker.rss_kib() / 1024
            connection.delete_topic(topic)
        gb = produced["bytes"] / 1e9
        return {
            "produce_mb_s": produced["bytes"] / 1e6 / produced["seconds"],
            "produce_cpu_s_per_gb": (between - before) / gb,
            "consume_mb_s": consumed["bytes"] / 1e6 / consumed["seconds"],
            "consume_cpu_s_per_gb": (after - between) / gb,
            "cpu_s_per_gb": (after - before) / (2 * gb),
            "rss_after_mib": rss,
        }

    def load(self, *arguments):
        result = subprocess.run([self.arguments.load, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        if result.returncode != 0:
            sys.exit(f"bench_load {' '.join(map(str, arguments))}: {result.stderr[-2000:]}")
        return json.loads(result.stdout)

    def report(self):
        names = self.arguments.names
        lines = [f"# Bench of {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", "",
                 f"{self.records} records of {VALUE_BYTES} bytes, {PARTITIONS} partitions, acks=all, not compressed; {self.arguments.pairs} rounds of each "
                 f"broker in turns after one to warm up; {os.cpu_count()} cores, Linux {platform.release()}. Median (least to most).", ""]
        if self.arguments.quick:
            lines += ["**A quick run: it shows that the bench works, and no more.**", ""]
        lines += [f"| | {' | '.join(NAMES[name] for name in names)} |" + (" Brook ÷ Kafka |" if len(names) == 2 else ""),
                  "| --- |" + " ---: |" * (len(names) + (len(names) == 2))]
        ratios = {}
        for key, (what, unit, better, figures) in METRICS.items():
            cells = []
            for name in names:
                values = self.samples[name][key]
                cells.append(f"{statistics.median(values):.{figures}f} ({min(values):.{figures}f} to {max(values):.{figures}f})")
            row = f"| {what}, {unit} ({better} is better) | {' | '.join(cells)} |"
            if len(names) == 2:
                ratios[key] = statistics.median(self.samples["brook"][key]) / max(1e-9, statistics.median(self.samples["kafka"][key]))
                row += f" {ratios[key]:.2f} |"
            lines.append(row)
        if ratios:
            lines += ["", *self.goals(ratios)]
        text = "\n".join(lines) + "\n"
        results = HERE / "results"
        results.mkdir(exist_ok=True)
        (results / "latest.md").write_text(text)
        (results / "latest.json").write_text(json.dumps({"records": self.records, "value_bytes": VALUE_BYTES, "partitions": PARTITIONS,
                                                         "pairs": self.arguments.pairs, "quick": self.arguments.quick, "samples": self.samples,
                                                         "ratios": ratios}, indent=1) + "\n")
        print("\n" + text)

    def goals(self, ratios):
        start = statistics.median(self.samples["brook"]["start_ms"])
        for what, is_met in [
            ("throughput at least equal", ratios["produce_mb_s"] >= 1 and ratios["consume_mb_s"] >= 1),
            ("warm processor time per GB at most half", ratios["cpu_s_per_gb"] <= 0.5),
            ("resident memory at most a tenth", max(ratios["rss_idle_mib"], ratios["rss_after_mib"]) <= 0.1),
            ("start to first answer under 200 ms", start < 200),
        ]:
            yield f"- {'met' if is_met else '**not met**'}: {what}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brook", type=pathlib.Path, help="the broker's binary")
    parser.add_argument("--load", type=pathlib.Path, help="bench_load, built from load.c")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load")
    parser.add_argument("--pairs", type=int, help="rounds of each broker after the warm-up (default: 5; quick: 2)")
    parser.add_argument("--only", choices=["brook", "kafka"], help="one broker alone")
    parser.add_argument("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.pairs = arguments.pairs if arguments.pairs is not None else (2 if arguments.quick else 5)
    arguments.names = [arguments.only] if arguments.only else ["brook", "kafka"]
    if arguments.pairs < 1:
        parser.error("--pairs takes a positive number")
    if arguments.check_arguments:
        return
    if arguments.load is None or not arguments.load.exists():
        parser.error("--load names no file: ./dev bench builds it")
    if "brook" in arguments.names and (arguments.brook is None or not arguments.brook.exists()):
        parser.error("--brook names no file: ./dev bench builds it")
    bench = Bench(arguments)
    bench.run()
    bench.report()


if __name__ == "__main__":
    main()

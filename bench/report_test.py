#!/usr/bin/env python3
"""What the bench says of its samples: medians, ratios, goals, tables, plots. No broker runs."""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import session  # noqa: F401  it finds the tests' modules
import goals
import report
import run
from figures import Samples

MACHINE = {"processor": "Z80", "cores": 2, "memory_gib": 1, "kernel": "Linux 6", "distribution": "Debian", "file_system": "ext4", "java": ""}


def samples_of(**values):
    """produce__1k__mb_s={"brook": [1, 2]} for the figure produce.1k.mb_s."""
    samples = Samples()
    for key, by_name in values.items():
        for name, each in by_name.items():
            for value in each:
                samples.add(name, key.replace("__", "."), value)
    return samples


def report_of(samples, names=("brook", "kafka")):
    return report.Report(samples, {"when": "2026-01-02 03:04 UTC", "commit": "abc", "machine": MACHINE, "names": list(names), "quick": False, "pairs": 2,
                                   "seconds": 60, "command": "./dev bench"})


def goal(what):
    return next(each for each in goals.GOALS if each.what == what)


class SamplesTest(unittest.TestCase):
    def test_the_ratio_is_of_medians(self):
        samples = samples_of(produce__1k__mb_s={"brook": [10, 300, 20], "kafka": [5, 4, 6]})
        self.assertEqual(samples.ratio("produce.1k.mb_s"), 4)

    def test_there_is_no_ratio_without_the_other_broker(self):
        self.assertIsNone(samples_of(produce__1k__mb_s={"brook": [1]}).ratio("produce.1k.mb_s"))


class GoalTest(unittest.TestCase):
    def test_a_ratio_meets_its_goal_or_its_floor_or_neither(self):
        small = goal("broker CPU per million small requests")
        for brook, word in ((1, goals.GOAL_MET), (1.5, goals.FLOOR_MET), (3, goals.NOT_MET)):
            samples = samples_of(produce__small__cpu_s_per_million={"brook": [brook], "kafka": [6]})
            self.assertEqual(small.judge(samples), (brook / 6, word))

    def test_a_share_of_a_ceiling_is_of_both_medians(self):
        share = goal("consume at the tail, share of the sendfile ceiling")
        samples = samples_of(consume__large__mb_s={"brook": [100, 700, 800]}, ceiling__sendfile_mb_s={"machine": [500, 1000, 5000]})
        self.assertEqual(share.judge(samples), (0.7, goals.FLOOR_MET))

    def test_memory_is_judged_by_its_worst_moment(self):
        memory = goal("resident memory, idle and loaded")
        samples = samples_of(start__rss_idle_mib={"brook": [1], "kafka": [100]}, produce__rss_loaded_mib={"brook": [9], "kafka": [100]},
                             consume__rss_loaded_mib={"brook": [2], "kafka": [100]})
        self.assertEqual(memory.judge(samples), (0.09, goals.FLOOR_MET))

    def test_what_was_not_measured_is_not_judged(self):
        for each in goals.GOALS:
            self.assertEqual(each.judge(Samples()), (None, goals.NOT_MEASURED), each.what)


class ReportTest(unittest.TestCase):
    def test_a_row_has_both_medians_their_spread_and_the_ratio(self):
        text = report_of(samples_of(start__ms={"brook": [40, 50, 45], "kafka": [3000, 3100, 2900]})).as_markdown({})
        self.assertIn("| start to first answer, after a clean stop, ms (less is better) | 45 (40 to 50) | 3,000 (2,900 to 3,100) | 0.015 |", text)

    def test_the_files_hold_every_sample_and_the_plots_are_xml(self):
        samples = samples_of(**{f"scale__{size}__rss_mib": {"brook": [size / 10]} for size in (1, 1000)},
                             **{f"latency__{rate}__{point}_ms": {"brook": [1.5, 2], "kafka": [9]} for rate in (1000, 10000, 50000)
                                for point in ("p50", "p99", "p99_9", "max")})
        with tempfile.TemporaryDirectory() as folder:
            report_of(samples).write(pathlib.Path(folder))
            data = json.loads((pathlib.Path(folder) / "latest.json").read_text())
            plots = {path.name: xml.etree.ElementTree.parse(path).getroot() for path in pathlib.Path(folder).glob("*.svg")}
        self.assertEqual(data["figures"]["latency.1000.p50_ms"]["samples"], {"brook": [1.5, 2], "kafka": [9]})
        self.assertEqual(sorted(plots), ["latency.svg", "partitions_memory.svg"])
        self.assertEqual(len(plots["latency.svg"].findall("{http://www.w3.org/2000/svg}polyline")), 6)

    def test_the_readme_keeps_what_is_around_the_block(self):
        with tempfile.TemporaryDirectory() as folder:
            readme = pathlib.Path(folder) / "README.md"
            readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.update_readme(readme, report_of(Samples()).readme_block())
            text = readme.read_text()
            self.assertTrue(text.startswith(f"before\n{report.BEGIN}\nMeasured 2026-01-02 on 2 cores of Z80"))
            self.assertTrue(text.endswith(f"{report.END}\nafter\n"))
            self.assertNotIn("old", text)
            readme.write_text("no marks")
            with self.assertRaises(ValueError):
                report.update_readme(readme, "block")


class RunTest(unittest.TestCase):
    def test_a_figure_without_a_sample_is_missed(self):
        samples = samples_of(start__ms={"brook": [1]}, start__binary_mib={"brook": [1]})
        self.assertEqual(run.missing_figures(samples, ["brook"], {"start"}), ["brook: start.rss_idle_mib"])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Brook and Apache Kafka in turns, on this machine, under the same loads: throughput, processor time, latency, memory, starts, scale.

Warm brokers are one process each for the whole run; rounds go A B A B, so that what else the machine does meets both. The machine's own limits are
measured in the same run. Writes bench/results/: latest.md, latest.json with every sample, and plots.
"""

import argparse
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True

import session as sessions  # first: it finds the tests' modules
import admin
import ceilings
import figures
import load
import machine
import report
from measures import FAMILIES, FIGURES

FULL_PAIRS, QUICK_PAIRS = 5, 1
# What a load, a broker or the connection to one may end with.
FAILURES = (load.LoadFailed, admin.Refused, sessions.BrokerFailed, sessions.apache_kafka.PeerFailed, sessions.brokers.StartFailed, sessions.kafka_wire.Closed, OSError)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small loads and few rounds: to see that all of it works, not to quote")
    parser.add_argument("--only", choices=list(figures.BROKERS), help="one broker alone; --only brook needs no java")
    parser.add_argument("--family", action="append", choices=list(FAMILIES), metavar="NAME", help=f"run this family, may be repeated: {', '.join(FAMILIES)}")
    parser.add_argument("--pairs", type=int, help=f"rounds of each broker (default {FULL_PAIRS}, quick {QUICK_PAIRS}); some families take fewer")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "bench" / "results", help="where the report goes (default bench/results)")
    parser.add_argument("--scratch", type=pathlib.Path, help="where the brokers' data goes; about 30 GB (default: the system's temporary folder)")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md too")
    parser.add_argument("--brook", type=pathlib.Path, default=ROOT / "build/release/src/app/brook", help=argparse.SUPPRESS)
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/release/bench", help=argparse.SUPPRESS)
    parser.add_argument("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args(arguments)
    if parsed.pairs is None:
        parsed.pairs = QUICK_PAIRS if parsed.quick else FULL_PAIRS
    if parsed.pairs < 1:
        parser.error("--pairs takes a positive number")
    if parsed.scratch is not None and not parsed.scratch.is_dir():
        parser.error(f"--scratch: there is no folder '{parsed.scratch}'")
    return parsed


def measure(session, families):
    """Returns the families that failed."""
    failed = []
    ceilings.measure(session)
    left = [name for name in FAMILIES if name in families]
    while left:
        name = left.pop(0)
        module, budget_s, quick_budget_s = FAMILIES[name]
        session.enter_family(name, quick_budget_s if session.quick else budget_s)
        rest = sum(FAMILIES[each][2 if session.quick else 1] for each in left)
        session.log(f"begins; at most about {(rest + (quick_budget_s if session.quick else budget_s)) / 60:.0f} minutes are left")
        try:
            module.run(session)
        except FAILURES as failure:  # the other families are still worth their time
            failed.append(name)
            session.samples.note(f"{name} failed: {failure}")
    ceilings.measure(session)
    return failed


def missing_figures(samples, names, families):
    return [f"{name}: {key}" for name in names for key, figure in FIGURES.items()
            if key.split(".")[0] in families and figure.always and not samples.of(name, key)]


def command_of(arguments):
    """The command again, without this machine's paths."""
    words = ["./dev bench", *(["--quick"] if arguments.quick else []), *(["--only", arguments.only] if arguments.only else [])]
    words += [f"--family {name}" for name in arguments.family or []]
    return " ".join([*words, "--pairs", str(arguments.pairs)])


def commit():
    """The commit that is measured; with + where the tree differs from it."""
    describe = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"], capture_output=True, text=True)
    return describe.stdout.strip() or "unknown"


def main():
    arguments = parse(sys.argv[1:])
    if arguments.check_arguments:
        return 0
    tools = load.Tools(arguments.brook, arguments.tools)
    if missing := tools.missing():
        sys.exit(f"bench: not built: {', '.join(missing)}; ./dev bench builds them")
    names = [arguments.only] if arguments.only else list(figures.BROKERS)
    families = arguments.family or list(FAMILIES)
    with sessions.Session(names, arguments.pairs, arguments.quick, arguments.brook, tools, arguments.scratch) as session:
        facts = {"when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "commit": commit(), "machine": machine.describe(session.scratch),
                 "names": names, "quick": arguments.quick, "pairs": arguments.pairs, "families": families, "open_files": session.open_files,
                 "command": command_of(arguments)}
        failed = measure(session, families)
        facts["seconds"] = round(time.monotonic() - session.begin)
        result = report.Report(session.samples, facts)
        result.write(arguments.results)
        if arguments.readme:
            report.update_readme(ROOT / "README.md", result.readme_block())
    print(f"\n{(arguments.results / 'latest.md').read_text()}")
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    if missing := missing_figures(session.samples, names, set(families) - set(failed)):
        print(f"bench: figures without a sample: {'; '.join(missing)}", file=sys.stderr)
    return 1 if failed or missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
    except FAILURES as failure:
        sys.exit(f"bench: {failure}")

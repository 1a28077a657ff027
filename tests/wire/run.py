#!/usr/bin/env python3
"""Proves the generated messages against Apache Kafka's own classes, in both directions.

  run.py WIRE_PEER WORK [--count N] [--seed S]

One side makes random instances of every message in every version; the other reads their bytes and writes them again, in the same
version or another one of the message. Bytes, sizes and refusals must be the same; unknown tagged fields must be tolerated.
The stream of cases, integers in network order: int16 length and the message's name, int16 version to read, int16 version to write,
int32 length and the bytes to read, int32 length and the bytes that are written (-1: refused), int32 their size() (-1: refused).
Exits with 77 where Java or Maven are missing.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
SKIPPED = 77


def pipe(producer, consumer):
    """Runs both with a pipe between; true where both succeed. The consumer's output goes to ours."""
    made = subprocess.Popen(producer, stdout=subprocess.PIPE)
    judged = subprocess.Popen(consumer, stdin=made.stdout)
    made.stdout.close()
    consumed = judged.wait() == 0
    return made.wait() == 0 and consumed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", help="the wire_peer program")
    parser.add_argument("work", type=pathlib.Path, help="a folder for class files, inside the build")
    parser.add_argument("--count", type=int, default=int(os.environ.get("BROOK_WIRE_COUNT", "1000")), help="cases per message version")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("BROOK_WIRE_SEED", "1")))
    args = parser.parse_args()

    missing = [tool for tool in ("java", "javac", "mvn") if not shutil.which(tool)]
    if missing:
        print(f"skipped: {', '.join(missing)} not found; Apache Kafka's classes are the judge of this test")
        return SKIPPED
    import apache_kafka
    libs = apache_kafka.libs_dir()

    args.work.mkdir(parents=True, exist_ok=True)
    class_path = os.pathsep.join([str(args.work), f"{libs}/*"])
    subprocess.run(["javac", "-nowarn", "-d", str(args.work), "-cp", class_path, str(HERE / "Oracle.java")], check=True)
    listed = args.work / "list.txt"
    listed.write_bytes(subprocess.run([args.peer, "list"], check=True, stdout=subprocess.PIPE).stdout)
    oracle = ["java", "-XX:+UseSerialGC", "-Xmx512M", "-cp", class_path, "Oracle"]
    count, seed = str(args.count), str(args.seed)

    print(f"seed {seed}, {count} cases per message version", flush=True)
    good = subprocess.run([*oracle, "table", str(listed)]).returncode == 0
    good &= pipe([*oracle, "generate", str(listed), count, seed], [args.peer, "check"])
    good &= pipe([args.peer, "generate", count, seed], [*oracle, "check", str(listed)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

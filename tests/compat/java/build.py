"""Compiles the Java programs against Apache Kafka's jars; writes java.args, the options that each of them runs with. usage: build.py BUILD_DIR"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "peers"))
import apache_kafka


def main(build):
    classpath = apache_kafka.libs()
    classes = build / "classes"
    sources = sorted((HERE / "src").glob("*.java"))
    compiled = build / "compiled"
    newest = max(path.stat().st_mtime for path in [*sources, pathlib.Path(__file__)])
    args = "\n".join(["-XX:+UseSerialGC", "-Xmx512M", "-cp", f'"{classes}{os.pathsep}{classpath}"',
                      f'"-Dlog4j2.configurationFile={apache_kafka.HERE / "tools-log4j2.xml"}"']) + "\n"
    if compiled.exists() and compiled.stat().st_mtime >= newest and (build / "java.args").read_text() == args:
        return
    classes.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-Xlint:all,-processing", "-Werror", "--release", "17", "-cp", classpath, "-d", classes, *sources], check=True)
    (build / "java.args").write_text(args)
    compiled.touch()
    os.utime(compiled, (newest, newest))


main(pathlib.Path(sys.argv[1]).resolve())

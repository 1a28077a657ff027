"""The machine that the figures were measured on, in words: never its name or address."""

import os
import pathlib
import platform
import shutil
import subprocess


def describe(scratch):
    memory_kib = next(int(line.split()[1]) for line in pathlib.Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024 / 1024),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "distribution": _distribution(),
        "file_system": _file_system(scratch),
        "java": _java(),
    }


def one_line(machine):
    parts = [f"{machine['cores']} cores of {machine['processor']}", f"{machine['memory_gib']} GiB", machine["kernel"], machine["distribution"],
             f"data on {machine['file_system']}"]
    if machine["java"]:
        parts.append(f"Java {machine['java']}")
    return ", ".join(parts)


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return "an unknown distribution"


def _file_system(directory):
    """The type of the mount that holds `directory`."""
    best, found = "", "an unknown file system"
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if (f"{directory}/").startswith(f"{mount.rstrip('/')}/") and len(mount) >= len(best):
            best, found = mount, kind
    return found


def _java():
    if not shutil.which("java"):
        return ""
    text = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    return text.split('"')[1] if text.count('"') >= 2 else ""

"""What the system knows of a broker's process and of the files it wrote."""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

DROP_CACHES = pathlib.Path("/proc/sys/vm/drop_caches")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Above this share of a backlog's pages still in memory it does not count as cold.
RESIDENT_SHARE_MAX = 0.05
PROBES = 256  # pages looked at in each file


def cpu_seconds(pid):
    """Processor time of all its threads, ended ones included, in user space and kernel, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # the kernel's number of that process's CPU clock: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)


def wait_until_idle(pid, timeout_s):
    """Until it takes less than a tenth of a processor for a second, or for `timeout_s` at most."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        before = cpu_seconds(pid)
        time.sleep(1)
        if cpu_seconds(pid) - before < 0.1:
            return


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"process {pid} has no VmRSS")


class CpuMeter:
    """with CpuMeter(pid) as meter: ...; then meter.cpu_s and meter.seconds."""

    def __init__(self, pid):
        self.pid = pid
        self.cpu_s = self.seconds = 0.0

    def __enter__(self):
        self._begin = time.monotonic()
        self._cpu_begin = cpu_seconds(self.pid)
        return self

    def so_far(self):
        """Processor time since the beginning."""
        return cpu_seconds(self.pid) - self._cpu_begin

    def __exit__(self, *_):
        self.cpu_s = self.so_far()
        self.seconds = time.monotonic() - self._begin


class FsyncMeter:
    """with FsyncMeter(pid) as meter: ...; then meter.count has the calls of fsync and fdatasync, or None where perf cannot count them (it is not
    installed, or tracing is not allowed). perf costs the process nothing for all its other calls."""

    EVENTS = ("syscalls:sys_enter_fsync", "syscalls:sys_enter_fdatasync")
    ATTACH_SECONDS = 0.3  # nothing tells that perf has begun to count

    def __init__(self, pid):
        self.pid = pid
        self.count = None

    def __enter__(self):
        self._perf = None
        self._output = tempfile.NamedTemporaryFile("r")
        if shutil.which("perf"):
            self._perf = subprocess.Popen(["perf", "stat", "-x", ",", "-o", self._output.name, "-e", ",".join(self.EVENTS), "-p", str(self.pid)],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.ATTACH_SECONDS)
        return self

    def __exit__(self, *_):
        if self._perf is not None:
            self._perf.send_signal(signal.SIGINT)
            self._perf.wait()
            counts = [line.split(",")[0] for line in self._output.read().splitlines() if any(event in line for event in self.EVENTS)]
            if len(counts) == len(self.EVENTS) and all(count.isdigit() for count in counts):
                self.count = sum(map(int, counts))
        self._output.close()


def drop_page_cache(directory, topic):
    """Writes a topic's log files back and drops their pages. Returns the share of pages that stayed in memory, by samples.

    First by posix_fadvise, which anybody may ask for his own files; where pages stay, with all of the system's cache, which needs root.
    """
    logs = [path for path in pathlib.Path(directory).glob(f"{topic}-*/*.log") if path.stat().st_size > 0]
    for path in logs:
        with open(path, "rb") as file:
            os.fdatasync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    share = resident_share(logs)
    if share > RESIDENT_SHARE_MAX and os.access(DROP_CACHES, os.W_OK):
        try:
            DROP_CACHES.write_text("1")
        except OSError:
            return share
        share = resident_share(logs)
    return share


def resident_share(paths):
    """Of a sample of pages, those that can be read without the disk."""
    seen = resident = 0
    page = bytearray(1)
    for path in paths:
        with open(path, "rb") as file:
            pages = (os.fstat(file.fileno()).st_size + PAGE - 1) // PAGE
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # a probe must not read ahead
            for index in range(0, pages, max(1, pages // PROBES)):
                seen += 1
                try:
                    os.preadv(file.fileno(), [page], index * PAGE, os.RWF_NOWAIT)
                    resident += 1
                except BlockingIOError:
                    pass
                except OSError as error:
                    if error.errno != errno.EOPNOTSUPP:
                        raise
                    return 0.0  # this file system cannot tell
    return resident / seen if seen else 0.0

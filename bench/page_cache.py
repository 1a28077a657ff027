"""A full page cache, as on every machine that has served a log for a day.

On a virtual machine a page that the guest never used, or gave back, is fetched from the host when it is first written to, and the guest's processes are
billed for that: seen here, 1.5 to 2 s for each GB written, twice what a broker needs itself, and it comes and goes with the memory that is free. So free
memory is used up before each load, by reading a file of holes; what the brokers write then takes the place of its pages.
"""

import os
import pathlib

LEFT_FREE_BYTES = 300 << 20
PIECE = 4 << 20


def fill(directory):
    """Returns the bytes that were brought in. The file grows and stays until the directory goes: removing it would give its pages back."""
    size = _free_bytes() - LEFT_FREE_BYTES
    if size <= 0:
        return 0
    path = pathlib.Path(directory) / "holes"
    with open(path, "ab") as file:
        begin = file.tell()
        file.truncate(begin + size)
    buffer = bytearray(PIECE)
    with open(path, "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        file.seek(begin)
        while file.readinto(buffer):
            pass
    return size


def _free_bytes():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemFree:"):
            return int(line.split()[1]) * 1024
    return 0

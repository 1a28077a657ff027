"""The machine's own limits, measured in the same run by bench_ceilings: at its beginning, at its end, and the network's beside the loads that are compared
with them, since a shared machine is not the same machine half an hour later."""

from figures import Figure

# key in bench_ceilings' output, which is its sample's key below "ceiling."
FIGURES = [
    Figure("memcpy_1mib_gb_s", "copy in memory, 1 MiB (cache)", "GB/s", "more", 1),
    Figure("memcpy_64mib_gb_s", "copy in memory, 64 MiB", "GB/s", "more", 1),
    Figure("crc32c_1kib_gb_s", "CRC-32C of 1 KiB", "GB/s", "more", 1),
    Figure("crc32c_1mib_gb_s", "CRC-32C of 1 MiB", "GB/s", "more", 1),
    Figure("write_64kib_mb_s", "write to the page cache, 64 KiB", "MB/s", "more", 0),
    Figure("write_64kib_cpu_s_per_gb", "processor time of that", "s/GB"),
    Figure("write_1mib_mb_s", "write to the page cache, 1 MiB", "MB/s", "more", 0),
    Figure("write_1mib_cpu_s_per_gb", "processor time of that", "s/GB"),
    Figure("fdatasync_4kib_p50_ms", "append 4 KiB and fdatasync, p50", "ms"),
    Figure("fdatasync_4kib_p99_ms", "append 4 KiB and fdatasync, p99", "ms"),
    Figure("loopback_receive_mb_s", "loopback TCP, one stream", "MB/s", "more", 0),
    Figure("loopback_receive_cpu_s_per_gb", "processor time of its receiver", "s/GB"),
    Figure("sendfile_mb_s", "sendfile to loopback TCP", "MB/s", "more", 0),
    Figure("sendfile_cpu_s_per_gb", "processor time of its sender", "s/GB"),
    Figure("receive_crc_write_mb_s", "receive from loopback, CRC-32C, write", "MB/s", "more", 0),
    Figure("receive_crc_write_cpu_s_per_gb", "processor time of that", "s/GB"),
    Figure("exchange_s", "3 short requests on each of as many connections as there are members that rebalance, answered by a bare loop", "s"),
]
MACHINE = "machine"  # in a broker's place in Samples


def measure(session):
    session.enter_family("ceilings", budget_s=60)
    _measure(session)
    session.log("measured")


def measure_loopback(session):
    """Within a family, beside its loads."""
    _measure(session, "loopback")


def measure_exchange(session, connections):
    """The same for many connections with short requests."""
    _measure(session, "exchange", connections)


def _measure(session, *which):
    result = session.tools.ceilings(session.scratch, session.size(0.7, 0.1), *which)
    for figure in FIGURES:
        if figure.key in result:
            session.add(MACHINE, f"ceiling.{figure.key}", result[figure.key])

"""The report's plots, of what a run has measured: file name to SVG."""

from figures import BROKERS
import ceilings
from measures import latency, produce, scale
from svg import Chart, Series


def draw(samples):
    charts = {"latency.svg": _latency(samples), "throughput.svg": _throughput(samples), "produce_cost.svg": _produce_cost(samples),
              "partitions_memory.svg": _partitions(samples, "rss_mib", "Memory against partitions", "resident memory, idle, MiB"),
              "partitions_start.svg": _partitions(samples, "start_clean_ms", "Start after a clean stop against partitions", "start to all leaders, ms")}
    return {name: chart.to_svg() for name, chart in charts.items() if chart is not None}


def _point(samples, name, key, x):
    values = [value for value in samples.of(name, key) if value > 0]
    return (x, samples.median(name, key), min(values), max(values)) if values else None


def _series(title, name, points, dash=0):
    points = [point for point in points if point is not None]
    return Series(title, name, points, dash) if points else None


def _chart(series, **options):
    series = [each for each in series if each is not None]
    return Chart(series=series, **options) if series else None


def _latency(samples):
    series = [_series(f"{title.split(' 4')[0]}, {rate // 1000}k/s", name,
                      [_point(samples, name, f"latency.{rate}.{point}_ms", x) for x, point in enumerate(latency.POINTS)], dash)
              for name, title in BROKERS.items() for dash, rate in enumerate(latency.RATES)]
    return _chart(series, title="End-to-end latency at fixed rates, 100 B records", x_label="percentile", y_label="latency, ms",
                  ticks=list(enumerate(point.replace("_", ".") for point in latency.POINTS)), note="bars: least to most of all rounds")


def _by_size(samples, suffix, lines=(), **options):
    series = [_series(title, name, [_point(samples, name, f"produce.{key}.{suffix}", size) for key, size in produce.BY_SIZE])
              for name, title in BROKERS.items()]
    sizes = [size for _, size in produce.BY_SIZE]
    for title, value in lines:
        if value is not None:
            series.append(Series(title, "machine", [(size, value, value, value) for size in (sizes[0], sizes[-1])], 1))
    return _chart(series, x_label="record size", ticks=list(zip(sizes, ("100 B", "1 KiB", "100 KiB"))), log_x=True, **options)


def _throughput(samples):
    return _by_size(samples, "mb_s", [("receive + CRC + write", samples.median(ceilings.MACHINE, "ceiling.receive_crc_write_mb_s"))],
                    title="Produce against record size, 16 partitions, acks=all", y_label="MB/s")


def _produce_cost(samples):
    return _by_size(samples, "cpu_s_per_gb", [("receive + CRC + write", samples.median(ceilings.MACHINE, "ceiling.receive_crc_write_cpu_s_per_gb"))],
                    title="Broker's processor time against record size", y_label="CPU seconds per GB produced")


def _partitions(samples, suffix, title, y_label):
    series = [_series(broker, name, [_point(samples, name, f"scale.{size}.{suffix}", size) for size in scale.SIZES])
              for name, broker in BROKERS.items()]
    return _chart(series, title=title, y_label=y_label, x_label="partitions", ticks=[(size, f"{size:,}") for size in scale.SIZES], log_x=True)

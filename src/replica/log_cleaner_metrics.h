#pragma once

#include "base/metrics.h"

namespace brook::replica {

/// What the cleaners of all shards count. Any thread.
struct LogCleanerMetrics {
  explicit LogCleanerMetrics(MetricRegistry& registry)
      : compactions(registry.counter("brook_log_cleaner_compactions_total",
                                     "Logs of compacted topics that were compacted, each time counted.")),
        failures(registry.counter("brook_log_cleaner_failures_total",
                                  "Compactions that failed; each is tried again, later each time.")),
        failing_partitions(registry.gauge("brook_log_cleaner_failing_partitions",
                                          "Partitions whose last compaction failed. The log says why.")),
        read_bytes(registry.counter("brook_log_cleaner_read_bytes_total",
                                    "Bytes of the segments that compaction replaced.")),
        written_bytes(
            registry.counter("brook_log_cleaner_written_bytes_total", "Bytes that it wrote in their place.")),
        removed_records(
            registry.counter("brook_log_cleaner_removed_records_total",
                             "Records that compaction removed: replaced, aborted, or tombstones of old.")),
        cleanable_bytes(
            registry.gauge("brook_log_cleaner_cleanable_bytes",
                           "Bytes of compacted topics that were not compacted yet and could be.")) {}

  Counter& compactions;
  Counter& failures;
  Gauge& failing_partitions;
  Counter& read_bytes;
  Counter& written_bytes;
  Counter& removed_records;
  Gauge& cleanable_bytes;
};

}  // namespace brook::replica

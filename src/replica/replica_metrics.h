#pragma once

#include "base/metrics.h"

namespace brook::replica {

/// What the partitions of all shards count. Any thread.
struct ReplicaMetrics {
  explicit ReplicaMetrics(MetricRegistry& registry)
      : flushes(registry.counter("brook_log_flushes_total",
                                 "Segments of logs that were synced to the disk (fsync).")),
        flushed_appends(registry.counter(
            "brook_log_flushed_appends_total",
            "Appends that waited for such a sync before they were acknowledged; several share one.")),
        opening(registry.gauge("brook_partitions_opening",
                               "Partitions that a start has not opened and checked yet; the others serve.")) {
  }

  Counter& flushes;
  Counter& flushed_appends;
  Gauge& opening;
};

}  // namespace brook::replica

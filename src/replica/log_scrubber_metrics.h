#pragma once

#include "base/metrics.h"

namespace brook::replica {

/// What the scrubbers of all shards count. Any thread.
struct LogScrubberMetrics {
  explicit LogScrubberMetrics(MetricRegistry& registry)
      : read_bytes(registry.counter("brook_log_scrub_read_bytes_total",
                                    "Bytes of segments that were read again and checked.")),
        flaws(registry.counter("brook_log_scrub_flaws_total",
                               "Damaged places that were found in segments, each counted once, and segments "
                               "that could not be read. The log says which.")) {}

  Counter& read_bytes;
  Counter& flaws;
};

}  // namespace brook::replica

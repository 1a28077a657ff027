#pragma once

#include "base/metrics.h"

namespace brook::broker {

/// What the share partitions of all shards count. Any thread.
struct ShareMetrics {
  explicit ShareMetrics(MetricRegistry& registry);

  Counter& acquired;
  Counter& accepted;
  Counter& released;
  Counter& rejected;
  Counter& renewed;
  Counter& given_back;
  Counter& expired_locks;
  Counter& failed_writes;
  Counter& dead_letters;
  Counter& failed_dead_letters;
  Counter& expired_records;
  Counter& damaged_records;
  Counter& bad_time_headers;
  Gauge& held;
  Gauge& partitions;
  Gauge& sessions;
};

}  // namespace brook::broker

#pragma once

#include <map>

#include "base/metrics.h"
#include "base/result.h"
#include "protocol/api.h"

namespace brook::broker {

/// What the broker counts, over all shards. Any thread.
class BrokerMetrics {
 public:
  explicit BrokerMetrics(MetricRegistry& registry);

  struct Api {
    Counter* requests;
    Histogram* seconds;
  };
  [[nodiscard]] const Api& api(protocol::ApiKey key) const { return apis_.at(key); }
  /// One partition, topic or request that was answered with `code`.
  void count_error(ErrorCode code);

  Counter& records_in;
  Counter& bytes_in;
  Counter& bytes_out;
  Counter& unreadable_requests;
  Gauge& log_bytes;
  Gauge& partitions;

 private:
  std::map<protocol::ApiKey, Api> apis_;
  std::map<std::int16_t, Counter*> errors_;
};

}  // namespace brook::broker

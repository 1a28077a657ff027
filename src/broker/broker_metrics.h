#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "protocol/api.h"

namespace brook::broker {

/// What the broker counts, over all shards. Any thread.
class BrokerMetrics {
 public:
  /// It outlives the registry's last render().
  explicit BrokerMetrics(MetricRegistry& registry);

  struct Api {
    Counter* requests;
    Histogram* seconds;
  };
  [[nodiscard]] const Api& api(protocol::ApiKey key) const { return apis_.at(key); }
  /// One partition, topic or whole request of an API that was answered with `code`.
  void count_error(protocol::ApiKey key, std::int16_t code);

  Counter& records_in;
  Counter& bytes_in;
  Counter& bytes_out;
  Counter& unreadable_requests;
  Counter& memory_waits;
  Counter& memory_refusals;
  Gauge& log_bytes;
  Gauge& partitions;

 private:
  /// Kafka's codes are -1 to 133; any other would be counted as UNKNOWN_SERVER_ERROR.
  static constexpr std::int16_t kLastCode = 133;
  using Errors = std::array<Counter, kLastCode + 2>;  // by code + 1

  [[nodiscard]] std::vector<MetricSample> errors() const;

  std::map<protocol::ApiKey, Api> apis_;
  std::map<protocol::ApiKey, Errors> errors_;
};

}  // namespace brook::broker

#include "broker/broker_metrics.h"

#include <string>

namespace brook::broker {

BrokerMetrics::BrokerMetrics(MetricRegistry& registry)
    : records_in(registry.counter("brook_produced_records_total", "Records appended by producers.")),
      bytes_in(
          registry.counter("brook_produced_bytes_total", "Bytes of record batches appended by producers.")),
      bytes_out(registry.counter("brook_fetched_bytes_total", "Bytes of record batches sent to consumers.")),
      unreadable_requests(registry.counter(
          "brook_unreadable_requests_total",
          "Requests that could not be read, or that name an API or version that is not served.")),
      memory_waits(
          registry.counter("brook_memory_waits_total",
                           "Requests that waited for the memory budget before they were worked on.")),
      memory_refusals(registry.counter(
          "brook_memory_refusals_total",
          "Connections closed because a request needed more memory than there was in time.")),
      log_bytes(registry.gauge("brook_log_bytes", "Bytes of all segments of all partitions.")),
      partitions(registry.gauge("brook_partitions", "Partitions open on this broker.")) {
  for (const protocol::ApiInfo& api : protocol::apis()) {
    if (!api.is_advertised()) continue;
    const MetricLabels labels{{"api", std::string(api.name)}};
    apis_[api.key] = {&registry.counter("brook_requests_total", "Requests by API.", labels),
                      &registry.histogram("brook_request_seconds",
                                          "Seconds from a request's arrival to its response, waits included.",
                                          {.first = 0.00005, .factor = 2, .count = 20}, labels)};
    errors_.try_emplace(api.key);
  }
  registry.counters("brook_errors_total",
                    "Partitions, topics and requests answered with an error, by API and the error's name.",
                    [this] { return errors(); });
}

void BrokerMetrics::count_error(protocol::ApiKey key, std::int16_t code) {
  const auto at = errors_.find(key);
  if (at == errors_.end()) return;
  const bool known = code >= -1 && code <= kLastCode;
  at->second[static_cast<std::size_t>(known ? code + 1 : 0)].add();
}

/// Only what has happened: all pairs would be thousands of lines.
std::vector<MetricSample> BrokerMetrics::errors() const {
  std::vector<MetricSample> samples;
  for (const auto& [key, errors] : errors_) {
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (errors[i].value() == 0) continue;
      const auto code = static_cast<ErrorCode>(static_cast<std::int16_t>(i) - 1);
      samples.push_back({{{"api", std::string(protocol::find_api(static_cast<std::int16_t>(key))->name)},
                          {"error", std::string(error_name(code))}},
                         static_cast<double>(errors[i].value())});
    }
  }
  return samples;
}

}  // namespace brook::broker

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
      log_bytes(registry.gauge("brook_log_bytes", "Bytes of all segments of all partitions.")),
      partitions(registry.gauge("brook_partitions", "Partitions open on this broker.")) {
  for (const protocol::ApiInfo& api : protocol::apis()) {
    if (!api.is_advertised()) continue;
    const MetricLabels labels{{"api", std::string(api.name)}};
    apis_[api.key] = {&registry.counter("brook_requests_total", "Requests by API.", labels),
                      &registry.histogram("brook_request_seconds",
                                          "Time from a request's arrival to its response, waits included.",
                                          {.first = 0.00005, .factor = 2, .count = 20}, labels)};
  }
  for (std::int16_t code = -1; code < 200; ++code) {
    const std::string_view name = error_name(static_cast<ErrorCode>(code));
    if (code == 0 || name == "UNKNOWN") continue;
    errors_[code] = &registry.counter("brook_errors_total",
                                      "Partitions, topics and requests answered with an error, by its name.",
                                      {{"error", std::string(name)}});
  }
}

void BrokerMetrics::count_error(ErrorCode code) {
  const auto at = errors_.find(static_cast<std::int16_t>(code));
  if (at != errors_.end()) at->second->add();
}

}  // namespace brook::broker

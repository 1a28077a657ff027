#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/metrics.h"
#include "cli/bench/latency_histogram.h"
#include "runtime/clock.h"

namespace brook::cli {

/// The present on the monotonic clock, as a shard's clock gives it: for librdkafka's threads, which have no
/// shard.
[[nodiscard]] runtime::Instant monotonic_now();

/// What became of the records of one producer: each is acknowledged or has failed, once. Latency is from the
/// moment that the record was due, not from when it was sent, so a producer that is held up shows it.
/// Runs on: any.
class Acknowledgements {
 public:
  /// The opaque pointer that carries a record's due time through librdkafka, which never follows it.
  [[nodiscard]] static void* mark(runtime::Instant due);
  /// Called for each record when its fate is known.
  void settle(rd_kafka_resp_err_t error, const void* due_mark, runtime::Instant now);

  /// Records that were due before count for nothing but settled().
  void measure_from(runtime::Instant from) { measured_from_.store(from.time_since_epoch().count()); }

  /// Acknowledged or failed, measured or not.
  [[nodiscard]] std::uint64_t settled() const { return settled_.value(); }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_.value(); }
  [[nodiscard]] std::uint64_t failed() const { return failed_.value(); }
  [[nodiscard]] std::optional<rd_kafka_resp_err_t> first_error() const;
  [[nodiscard]] const LatencyHistogram& latency() const { return latency_; }
  /// Of the last record whose fate became known.
  [[nodiscard]] runtime::Instant last() const { return runtime::Instant(runtime::Duration(last_.load())); }

 private:
  Counter settled_;
  Counter acknowledged_;
  Counter failed_;
  LatencyHistogram latency_;
  std::atomic<std::int64_t> measured_from_{0};
  std::atomic<std::int64_t> last_{0};
  std::atomic<int> first_error_{RD_KAFKA_RESP_ERR_NO_ERROR};
};

}  // namespace brook::cli

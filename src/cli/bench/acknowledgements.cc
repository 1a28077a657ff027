#include "cli/bench/acknowledgements.h"

#include <bit>
#include <chrono>

namespace brook::cli {

using runtime::Duration;
using runtime::Instant;

Instant monotonic_now() {
  // bans: allow librdkafka's own threads call this, and no shard's clock may be used there
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void* Acknowledgements::mark(Instant due) { return std::bit_cast<void*>(due.time_since_epoch().count()); }

void Acknowledgements::settle(rd_kafka_resp_err_t error, const void* due_mark, Instant now) {
  const auto due = std::bit_cast<std::int64_t>(due_mark);
  last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (due >= measured_from_.load(std::memory_order_relaxed)) {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      acknowledged_.add();
      latency_.record(now.time_since_epoch() - Duration(due));
    } else {
      failed_.add();
      int none = RD_KAFKA_RESP_ERR_NO_ERROR;
      first_error_.compare_exchange_strong(none, error);
    }
  }
  settled_.add();
}

std::optional<rd_kafka_resp_err_t> Acknowledgements::first_error() const {
  const int error = first_error_.load();
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return static_cast<rd_kafka_resp_err_t>(error);
}

}  // namespace brook::cli

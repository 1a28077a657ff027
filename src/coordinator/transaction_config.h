#pragma once

#include <chrono>
#include <cstdint>

namespace brook::coordinator {

/// The broker's settings that transactions obey.
struct TransactionConfig {
  std::int32_t timeout_max_ms = 900000;                               ///< transaction.max.timeout.ms
  std::chrono::milliseconds id_expiration = std::chrono::hours(168);  ///< transactional.id.expiration.ms
  /// transaction.abort.timed.out.transaction.cleanup.interval.ms
  std::chrono::milliseconds timeout_check_interval = std::chrono::seconds(10);
  /// transaction.remove.expired.transaction.cleanup.interval.ms
  std::chrono::milliseconds expiration_check_interval = std::chrono::hours(1);
};

}  // namespace brook::coordinator

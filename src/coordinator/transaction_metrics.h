#pragma once

#include <array>
#include <cstdint>

#include "base/metrics.h"
#include "coordinator/transaction.h"

namespace brook::coordinator {

/// What ended a transaction. The names are a metric's labels.
enum class TransactionEnding : std::uint8_t {
  kCommitted,
  kAborted,   ///< by its client
  kFenced,    ///< aborted when another producer took the id over
  kTimedOut,  ///< aborted after its time-out
};
inline constexpr std::size_t kTransactionEndings = 4;

/// What is counted of transactions, over all shards. Any thread.
class TransactionMetrics {
 public:
  explicit TransactionMetrics(MetricRegistry& registry);

  std::array<Gauge*, kTransactionStates> transactions{};  ///< by state
  std::array<Counter*, kTransactionEndings> ended{};      ///< by ending
  Counter& markers_retried;
  Counter& expired_ids;
};

}  // namespace brook::coordinator

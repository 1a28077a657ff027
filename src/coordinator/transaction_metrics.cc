#include "coordinator/transaction_metrics.h"

#include <string>
#include <string_view>

namespace brook::coordinator {
namespace {

constexpr std::array<std::string_view, kTransactionEndings> kEndings{"committed", "aborted", "fenced",
                                                                     "timed_out"};

}  // namespace

TransactionMetrics::TransactionMetrics(MetricRegistry& registry)
    : markers_retried(registry.counter("brook_transaction_markers_retried_total",
                                       "Markers that a partition did not take at once, by attempt.")),
      expired_ids(registry.counter("brook_transactional_ids_expired_total",
                                   "Transactional ids that transactional.id.expiration.ms removed.")) {
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const auto state = transaction_state_name(static_cast<TransactionState>(i));
    transactions.at(i) = &registry.gauge("brook_transactions", "Transactional ids by the state they are in.",
                                         {{"state", std::string(state)}});
  }
  for (std::size_t i = 0; i < ended.size(); ++i) {
    ended.at(i) = &registry.counter("brook_transactions_ended_total", "Transactions ended, by how.",
                                    {{"how", std::string(kEndings.at(i))}});
  }
}

}  // namespace brook::coordinator

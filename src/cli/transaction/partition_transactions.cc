#include "cli/transaction/partition_transactions.h"

#include <algorithm>
#include <utility>

namespace brook::cli {

Task<Result<KnownTransactions>> known_transactions(client::TransactionAdmin& admin,
                                                   std::vector<ProducerId> producers) {
  KnownTransactions known;
  if (producers.empty()) co_return known;
  client::TransactionFilter filter{.states = {"Ongoing", "PrepareCommit", "PrepareAbort"},
                                   .producers = std::move(producers),
                                   .open_for = {}};
  BROOK_CO_TRY(auto listed, co_await admin.list(std::move(filter)));
  const auto described = co_await admin.describe_listed(std::move(listed));
  for (const client::TransactionDescriptionOutcome& each : described) {
    // Without its partitions nobody can say that a transaction hangs.
    if (!each.outcome) co_return std::unexpected(each.outcome.error());
    known.emplace(each.outcome->producer_id, *each.outcome);
  }
  co_return known;
}

const client::TransactionDescription* find_transaction(const KnownTransactions& known, ProducerId producer,
                                                       const TopicPartition& partition) {
  const auto found = known.find(producer);
  if (found == known.end()) return nullptr;
  return std::ranges::binary_search(found->second.partitions, partition) ? &found->second : nullptr;
}

}  // namespace brook::cli

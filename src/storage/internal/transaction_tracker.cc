#include "storage/internal/transaction_tracker.h"

namespace brook::storage::internal {

void TransactionTracker::add_aborted(std::span<const AbortedTransaction> transactions) {
  for (const AbortedTransaction& transaction : transactions)
    coming_.insert_or_assign(transaction.first_offset, transaction);
}

void TransactionTracker::begin_up_to(Offset offset) {
  while (!coming_.empty() && coming_.begin()->first <= offset) {
    const AbortedTransaction& next = coming_.begin()->second;
    aborted_.try_emplace(next.producer_id, Ongoing{next, false});
    coming_.erase(coming_.begin());
  }
}

bool TransactionTracker::on_batch(ProducerId producer, bool transactional, Offset last_offset) {
  begin_up_to(last_offset);
  if (!transactional) return false;
  const auto found = aborted_.find(producer);
  if (found == aborted_.end()) {
    committed_.insert(producer);
    return false;
  }
  found->second.met = true;
  return true;
}

TransactionTracker::Marker TransactionTracker::on_marker(ProducerId producer, Offset last_offset,
                                                         const std::optional<EndMarker>& marker) {
  begin_up_to(last_offset);
  if (!marker) return {};
  if (marker->commit) return {.removable = committed_.erase(producer) == 0, .aborted = {}};
  const auto found = aborted_.find(producer);
  if (found == aborted_.end()) return {.removable = true, .aborted = {}};
  const Ongoing ended = found->second;
  aborted_.erase(found);
  if (!ended.met) return {.removable = true, .aborted = {}};
  return {.removable = false, .aborted = ended.transaction};
}

}  // namespace brook::storage::internal

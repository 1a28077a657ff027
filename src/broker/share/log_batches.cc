#include "broker/share/log_batches.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "record/batch.h"

namespace brook::broker {

LogBatches log_batches(ByteView bytes, std::span<const storage::AbortedTransaction> aborted,
                       const Inspection& inspection) {
  std::vector<storage::AbortedTransaction> begins(aborted.begin(), aborted.end());
  std::ranges::sort(begins, {}, &storage::AbortedTransaction::first_offset);
  auto begin = begins.begin();
  std::unordered_set<ProducerId> aborting;  // whose batches belong to a transaction that was aborted
  LogBatches found;
  record::BatchIterator in(bytes);
  while (true) {
    const Result<std::optional<record::BatchView>> next = in.next();
    if (!next) found.broken = next.error();
    if (!next || !*next) return found;
    const std::optional<record::BatchView>& batch = *next;
    for (; begin != begins.end() && begin->first_offset <= batch->last_offset(); ++begin)
      aborting.insert(begin->producer_id);
    bool deliverable = !batch->is_control();
    if (const std::optional<ProducerId> producer = batch->producer_id()) {
      // A marker ends the transaction, and what follows is another one.
      if (batch->is_control()) aborting.erase(*producer);
      if (batch->is_transactional() && aborting.contains(*producer)) deliverable = false;
    }
    found.batches.push_back({batch->base_offset(), batch->last_offset(), deliverable, {}});
    found.ends.push_back(in.position());
    if (!deliverable || !inspection.wanted()) continue;
    Result<InspectedBatch> inside = inspect(*batch, inspection);
    if (!inside) continue;
    found.bad_headers += inside->bad_headers;
    found.batches.back().records = std::move(inside->records);
  }
}

}  // namespace brook::broker

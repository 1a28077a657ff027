#pragma once

#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"
#include "storage/producer_state.h"
#include "storage/transaction_index.h"

namespace brook::storage::internal {

/// Which batches belong to aborted transactions, and which markers are of use no more, for one walk over a
/// log's batches in their order. Runs on: any.
class TransactionTracker {
 public:
  /// Aborted transactions that reach into what is walked next; those that are known already change nothing.
  void add_aborted(std::span<const AbortedTransaction> transactions);

  /// A batch of records. True where its transaction was aborted: nobody may see them.
  [[nodiscard]] bool on_batch(ProducerId producer, bool transactional, Offset last_offset);

  struct Marker {
    bool removable = false;  ///< nothing of its transaction was met: it may go when its time has come
    /// Of an abort marker that stays: what the transaction index keeps.
    std::optional<AbortedTransaction> aborted;
  };
  /// A control batch, with what its record says if that is the end of a transaction.
  [[nodiscard]] Marker on_marker(ProducerId producer, Offset last_offset,
                                 const std::optional<EndMarker>& marker);

 private:
  struct Ongoing {
    AbortedTransaction transaction;
    bool met = false;  ///< one of its batches was there
  };
  void begin_up_to(Offset offset);

  std::map<Offset, AbortedTransaction> coming_;  ///< by first offset
  std::unordered_map<ProducerId, Ongoing> aborted_;
  std::unordered_set<ProducerId> committed_;  ///< open, of those that were not aborted
};

}  // namespace brook::storage::internal

#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/transaction_admin.h"
#include "runtime/task.h"

namespace brook::cli {

using KnownTransactions = std::map<ProducerId, client::TransactionDescription>;

/// What producers have open in partitions, and who is going to end it.
struct PartitionTransactions {
  std::vector<client::PartitionProducersOutcome> partitions;  ///< in the order they were asked for
  KnownTransactions known;                                    ///< what coordinators say of what is open
  /// Open, and no coordinator knows of it: nobody is going to end it.
  std::set<std::pair<TopicPartition, ProducerId>> hanging;
};
/// Looks at all producers of the partitions, or at `only` one.
[[nodiscard]] Task<Result<PartitionTransactions>> read_transactions(client::TransactionAdmin& admin,
                                                                    std::vector<TopicPartition> partitions,
                                                                    std::optional<ProducerId> only = {});

/// The transaction that will end what `producer` has open in `partition`; null where there is none.
[[nodiscard]] const client::TransactionDescription* find_transaction(const KnownTransactions& known,
                                                                     ProducerId producer,
                                                                     const TopicPartition& partition);

}  // namespace brook::cli

#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/transaction_admin.h"
#include "runtime/task.h"

namespace brook::cli {

/// Which of these producers have a transaction open with their coordinators, and what the coordinators say of
/// it. A transaction that is open in a partition and not here, or here without that partition, hangs: nobody
/// is going to end it.
using KnownTransactions = std::map<ProducerId, client::TransactionDescription>;
[[nodiscard]] Task<Result<KnownTransactions>> known_transactions(client::TransactionAdmin& admin,
                                                                 std::vector<ProducerId> producers);

/// The transaction that will end what `producer` has open in `partition`; null where there is none.
[[nodiscard]] const client::TransactionDescription* find_transaction(const KnownTransactions& known,
                                                                     ProducerId producer,
                                                                     const TopicPartition& partition);

}  // namespace brook::cli

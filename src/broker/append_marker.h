#pragma once

#include "coordinator/log_port.h"
#include "replica/partition.h"

namespace brook::broker {

/// Ends a producer's transaction on one partition. TRANSACTION_COORDINATOR_FENCED, INVALID_PRODUCER_EPOCH,
/// errors of the disk. Runs on: the partition's shard.
[[nodiscard]] Result<void> append_marker(replica::Partition& partition,
                                         const coordinator::TransactionEnd& end, Timestamp now);

}  // namespace brook::broker

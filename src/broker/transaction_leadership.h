#pragma once

#include "broker/cluster_view.h"
#include "coordinator/transaction_coordinator.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// As apply_to_groups(), for transactions: partitions of __transaction_state that this broker leads.
void apply_to_transactions(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                           coordinator::TransactionCoordinator& transactions,
                           const cluster::MetadataDelta& delta);

/// The settings that transactions obey.
[[nodiscard]] coordinator::TransactionConfig transaction_config(const cluster::BrokerConfig& config);

}  // namespace brook::broker

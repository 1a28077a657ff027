#pragma once

#include "broker/cluster_view.h"
#include "coordinator/share_state_coordinator.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// As apply_to_groups(), for the states of share groups: partitions of __share_group_state that this broker
/// leads, and word of topics that are gone.
void apply_to_share_states(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                           coordinator::ShareStateCoordinator& states, const cluster::MetadataDelta& delta);

/// The settings that share groups' states obey.
[[nodiscard]] coordinator::ShareStateConfig share_state_config(const cluster::BrokerConfig& config);

}  // namespace brook::broker

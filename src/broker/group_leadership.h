#pragma once

#include "broker/cluster_view.h"
#include "broker/image_facts.h"
#include "coordinator/group_coordinator.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// Lets one shard's coordinator have what an image gives it: partitions of __consumer_offsets that this
/// broker leads and has open, word of topics that are gone, and by `facts` of those that came or grew. After
/// `replicas` has applied the same delta.
/// All outlive the coordinator. Runs on: that shard.
void apply_to_groups(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                     coordinator::GroupCoordinator& groups, ImageFacts& facts,
                     const cluster::MetadataDelta& delta);

/// The settings that groups obey. What is not known in group.consumer.assignors is said in the log.
[[nodiscard]] coordinator::GroupConfig group_config(const cluster::BrokerConfig& config);

}  // namespace brook::broker

#pragma once

#include <chrono>
#include <memory>

#include "broker/cluster_view.h"
#include "broker/coordinator_log.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// Lets one shard's coordinator have what a topic's change gives it: partitions of its topic that this broker
/// leads and has open. After `replicas` has applied the change. All outlive the coordinator. Runs on: that
/// shard.
template <class Coordinator>
void lead_partitions(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                     Coordinator& coordinator, const cluster::TopicChange& change,
                     std::chrono::milliseconds commit_timeout) {
  const bool gone = change.before && (!change.after || change.after->id != change.before->id);
  if (gone && change.before->name == Coordinator::kTopic) coordinator.resign();
  if (!change.after || change.after->name != Coordinator::kTopic) return;
  for (std::size_t i = 0; i < change.after->partitions.size(); ++i) {
    const PartitionIndex index(static_cast<std::int32_t>(i));
    if (change.after->partitions[i].leader != view.self() || coordinator.leads(index)) continue;
    auto partition = replicas.find({change.after->id, index});
    // Another shard has it, or it could not be opened, which has been said.
    if (!partition) continue;
    coordinator.lead(
        index, std::make_unique<CoordinatorLog>(shard, replicas, *std::move(partition), commit_timeout));
  }
}

}  // namespace brook::broker

#include "broker/share_state_leadership.h"

#include "broker/coordinator_leadership.h"

namespace brook::broker {

void apply_to_share_states(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                           coordinator::ShareStateCoordinator& states, const cluster::MetadataDelta& delta) {
  const std::chrono::milliseconds commit_timeout = view.config().millis("share.coordinator.write.timeout.ms");
  for (const cluster::TopicChange& change : delta.topics) {
    const bool gone = change.before && (!change.after || change.after->id != change.before->id);
    if (gone && !change.before->is_internal()) states.forget_topic(change.before->id);
    lead_partitions(shard, view, replicas, states, change, commit_timeout);
  }
}

coordinator::ShareStateConfig share_state_config(const cluster::BrokerConfig& config) {
  coordinator::ShareStateConfig out;
  out.updates_per_snapshot =
      static_cast<std::int32_t>(config.number("share.coordinator.snapshot.update.records.per.snapshot"));
  return out;
}

}  // namespace brook::broker

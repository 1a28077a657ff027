#include "broker/group_leadership.h"

#include "broker/coordinator_log.h"
#include "broker/group_router.h"

namespace brook::broker {

void apply_to_groups(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                     coordinator::GroupCoordinator& groups, const cluster::MetadataDelta& delta) {
  for (const cluster::TopicChange& change : delta.topics) {
    const bool gone = change.before && (!change.after || change.after->id != change.before->id);
    if (gone && change.before->name == kOffsetsTopic) groups.resign();
    if (gone && !change.before->is_internal()) groups.forget_topic(change.before->name, change.before->id);
    if (!change.after || change.after->name != kOffsetsTopic) continue;
    for (std::size_t i = 0; i < change.after->partitions.size(); ++i) {
      const PartitionIndex index(static_cast<std::int32_t>(i));
      if (change.after->partitions[i].leader != view.self() || groups.leads(index)) continue;
      auto partition = replicas.find({change.after->id, index});
      // Another shard has it, or it could not be opened, which has been said.
      if (!partition) continue;
      groups.lead(index, std::make_unique<CoordinatorLog>(shard, replicas, *std::move(partition),
                                                          view.config().millis("offsets.commit.timeout.ms")));
    }
  }
}

coordinator::GroupConfig group_config(const cluster::BrokerConfig& config) {
  coordinator::GroupConfig out;
  out.session_timeout_min = config.millis("group.min.session.timeout.ms");
  out.session_timeout_max = config.millis("group.max.session.timeout.ms");
  out.initial_rebalance_delay = config.millis("group.initial.rebalance.delay.ms");
  out.members_max = static_cast<std::size_t>(config.number("group.max.size"));
  out.metadata_chars_max = static_cast<std::size_t>(config.number("offset.metadata.max.bytes"));
  out.offsets_retention = std::chrono::minutes(config.number("offsets.retention.minutes"));
  out.retention_check_interval = config.millis("offsets.retention.check.interval.ms");
  return out;
}

}  // namespace brook::broker

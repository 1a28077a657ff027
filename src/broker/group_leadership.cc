#include "broker/group_leadership.h"

#include "broker/coordinator_leadership.h"

namespace brook::broker {

void apply_to_groups(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                     coordinator::GroupCoordinator& groups, const cluster::MetadataDelta& delta) {
  const std::chrono::milliseconds commit_timeout = view.config().millis("offsets.commit.timeout.ms");
  for (const cluster::TopicChange& change : delta.topics) {
    const bool gone = change.before && (!change.after || change.after->id != change.before->id);
    if (gone && !change.before->is_internal()) groups.forget_topic(change.before->name, change.before->id);
    lead_partitions(shard, view, replicas, groups, change, commit_timeout);
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

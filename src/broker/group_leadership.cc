#include "broker/group_leadership.h"

#include "broker/coordinator_leadership.h"

namespace brook::broker {

void apply_to_groups(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                     coordinator::GroupCoordinator& groups, ImageFacts& facts,
                     const cluster::MetadataDelta& delta) {
  facts.note(delta);
  const std::chrono::milliseconds commit_timeout = view.config().millis("offsets.commit.timeout.ms");
  for (const cluster::TopicChange& change : delta.topics) {
    const bool gone = change.before && (!change.after || change.after->id != change.before->id);
    if (gone && !change.before->is_internal()) groups.forget_topic(change.before->name, change.before->id);
    lead_partitions(shard, view, replicas, groups, change, commit_timeout);
  }
}

namespace {

coordinator::AssignorChoice assignors(const std::vector<std::string>& names) {
  std::vector<coordinator::Assignor> known;
  for (const std::string& name : names) {
    const auto assignor = coordinator::assignor_named(name);
    if (!assignor) log::warn("assignor_not_known", {{"key", "group.consumer.assignors"}, {"name", name}});
    if (assignor && std::ranges::find(known, *assignor) == known.end()) known.push_back(*assignor);
  }
  if (known.empty()) return {};
  return {known.front(), known.size() > 1 ? std::optional(known[1]) : std::nullopt};
}

}  // namespace

coordinator::GroupConfig group_config(const cluster::BrokerConfig& config) {
  coordinator::GroupConfig out;
  out.session_timeout_min = config.millis("group.min.session.timeout.ms");
  out.session_timeout_max = config.millis("group.max.session.timeout.ms");
  out.initial_rebalance_delay = config.millis("group.initial.rebalance.delay.ms");
  out.members_max = static_cast<std::size_t>(config.number("group.max.size"));
  out.metadata_chars_max = static_cast<std::size_t>(config.number("offset.metadata.max.bytes"));
  out.offsets_retention = std::chrono::minutes(config.number("offsets.retention.minutes"));
  out.retention_check_interval = config.millis("offsets.retention.check.interval.ms");
  const std::vector<std::string> protocols = config.list("group.coordinator.rebalance.protocols");
  out.consumer_protocol = std::ranges::find(protocols, "consumer") != protocols.end();
  out.streams_protocol = std::ranges::find(protocols, "streams") != protocols.end();
  out.consumer_members_max = static_cast<std::size_t>(config.number("group.consumer.max.size"));
  out.consumer_assignors = assignors(config.list("group.consumer.assignors"));
  const auto policy = [text = config.text("group.consumer.migration.policy")](std::string_view other) {
    const auto lower = [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); };
    return std::ranges::equal(text, other, {}, lower);
  };
  out.consumer_upgrade = policy("bidirectional") || policy("upgrade");
  out.consumer_downgrade = policy("bidirectional") || policy("downgrade");
  out.share_members_max = static_cast<std::size_t>(config.number("group.share.max.size"));
  out.streams_members_max = static_cast<std::size_t>(config.number("group.streams.max.size"));
  return out;
}

}  // namespace brook::broker

#include "coordinator/streams_group.h"

#include <fmt/core.h>

#include <utility>

namespace brook::coordinator {

using protocol::OffsetCommitRequest;
using protocol::StreamsGroupDescribeResponse;

namespace {

/// From here on a commit tells a member's epoch.
constexpr std::int16_t kFirstVersionWithMemberEpoch = 9;
/// A removal that the log did not take is tried again after so long.
constexpr std::chrono::milliseconds kRemovalRetry = std::chrono::seconds(1);

template <class Described>
Described described(const protocol::StreamsGroupTopologyValue::TopicInfo& topic,
                    const ConfiguredTopology& configured) {
  Described out{topic.name, topic.partitions, topic.replication_factor, {}};
  const auto decided = configured.internal_partitions.find(topic.name);
  if (decided != configured.internal_partitions.end()) out.partitions = decided->second;
  for (const auto& config : topic.topic_configs) out.topic_configs.push_back({config.key, config.value});
  return out;
}

}  // namespace

std::string_view StreamsGroup::state_name(State state) {
  constexpr std::array<std::string_view, kStates> kNames{"Empty", "NotReady", "Assigning", "Reconciling",
                                                         "Stable"};
  return kNames.at(static_cast<std::size_t>(state));
}

StreamsGroup::State StreamsGroup::state() const {
  if (members_.empty()) return State::kEmpty;
  if (!topology_ || topology_->epoch != validated_epoch_) return State::kNotReady;
  if (epoch_ > assignment_epoch_) return State::kAssigning;
  const bool reconciled = std::ranges::all_of(
      members_, [&](const auto& entry) { return entry.second.progress.reconciled(assignment_epoch_); });
  return reconciled ? State::kStable : State::kReconciling;
}

ErrorCode StreamsGroup::check_commit(const OffsetCommitRequest& request, std::int16_t version) const {
  const std::int32_t epoch = request.generation_id_or_member_epoch;
  if (epoch < 0 && members_.empty()) return ErrorCode::kNone;
  const auto at = members_.find(request.member_id);
  if (at == members_.end()) return ErrorCode::kUnknownMemberId;
  if (version < kFirstVersionWithMemberEpoch) return ErrorCode::kUnsupportedVersion;
  const StreamsProgress& progress = at->second.progress;
  if (epoch == progress.epoch) return ErrorCode::kNone;
  if (epoch > progress.epoch || !topology_) return ErrorCode::kStaleMemberEpoch;
  // It has not heard of its new epoch yet: good for what it has had since before.
  const auto had_then = [&](const std::string& topic, std::int32_t partition) {
    for (const auto& subtopology : topology_->subtopologies) {
      if (!reads(subtopology, topic)) continue;
      for (const HeldTaskSets* held : {&progress.assigned, &progress.revoking}) {
        const auto tasks = held->active.find(subtopology.subtopology_id);
        if (tasks == held->active.end()) continue;
        const auto since = tasks->second.find(partition);
        if (since != tasks->second.end()) return since->second <= epoch;
      }
    }
    return false;
  };
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      if (!had_then(topic.name, partition.partition_index)) return ErrorCode::kStaleMemberEpoch;
    }
  }
  return ErrorCode::kNone;
}

ErrorCode StreamsGroup::check_fetch(const std::optional<std::string>& member, std::int32_t epoch) const {
  if (!member && epoch < 0) return ErrorCode::kNone;
  const auto at = members_.find(member.value_or(std::string()));
  if (at == members_.end()) return ErrorCode::kUnknownMemberId;
  return epoch == at->second.progress.epoch ? ErrorCode::kNone : ErrorCode::kStaleMemberEpoch;
}

bool StreamsGroup::subscribes_to(std::string_view topic) const {
  return !members_.empty() && topology_ &&
         std::ranges::any_of(topology_->subtopologies, [&](const auto& one) { return reads(one, topic); });
}

void StreamsGroup::tick(const Moment& now, Effects& out) {
  if (now.instant < next_tick_) return;
  next_tick_ = runtime::Instant::max();
  std::set<std::string> gone;
  RebalanceCause cause = RebalanceCause::kSessionExpired;
  for (auto entry = deadlines_.begin(); entry != deadlines_.end();) {
    auto& [id, ends] = *entry;
    const auto at = members_.find(id);
    if (at == members_.end()) {
      entry = deadlines_.erase(entry);
      continue;
    }
    const StreamsProgress& progress = at->second.progress;
    const bool silent = ends.session_end <= now.instant;
    const bool keeps = ends.revocation_end <= now.instant && progress.epoch == ends.revocation_epoch &&
                       progress.state == StreamsProgress::State::kUnrevoked;
    if (silent || keeps) {
      if (gone.empty() && !silent) cause = RebalanceCause::kRevocationMissed;
      gone.insert(id);
      out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                            .group = id_,
                            .member = id,
                            .detail = silent ? "its session timed out"
                                             : "it did not give up its tasks within its rebalance timeout",
                            .generation = epoch_,
                            .members = members_.size()});
      due(now.instant + kRemovalRetry);
    } else {
      if (ends.revocation_end <= now.instant) ends.revocation_end = runtime::Instant::max();
      due(std::min(ends.session_end, ends.revocation_end));
    }
    ++entry;
  }
  if (first_targets_ && *first_targets_ > now.instant) due(*first_targets_);
  if (!gone.empty()) return remove(gone, cause, fmt::format("{} of the members are gone", gone.size()), out);
  if (first_targets_ && *first_targets_ <= now.instant) assign_first(now, out);
}

void StreamsGroup::assign_first(const Moment& now, Effects& out) {
  first_targets_.reset();
  if (members_.empty() || !topology_) return;
  const auto configured = configure(*topology_, facts_);
  if (!configured) return;
  const View view{nullptr, *topology_, *configured};
  const std::int32_t epoch = follow(view, out);
  if (epoch > assignment_epoch_) std::ignore = retarget(view, epoch, now, out);
}

void StreamsGroup::loaded(const Moment& now) {
  for (const auto& [id, member] : members_) {
    begin_session(id, now);
    if (member.progress.state != StreamsProgress::State::kUnrevoked) continue;
    Deadlines& ends = deadlines_[id];
    ends.revocation_end = now.instant + std::chrono::milliseconds(member.profile.rebalance_timeout_ms);
    ends.revocation_epoch = member.progress.epoch;
    due(ends.revocation_end);
  }
}

void StreamsGroup::begin_session(const std::string& id, const Moment& now) {
  Deadlines& ends = deadlines_[id];
  ends.session_end = now.instant + facts_.streams_settings_of(id_).session_timeout;
  due(ends.session_end);
}

void StreamsGroup::bury(Effects& out) const {
  for (const auto& [id, member] : members_) write_removal(id, out);
  out.records.emplace_back(StreamsGroupRecord(StreamsTargetEpochRecord{{id_}, {}}));
  out.records.emplace_back(StreamsGroupRecord(StreamsTopologyRecord{{id_}, {}}));
  out.records.emplace_back(StreamsGroupRecord(StreamsGroupEpochRecord{{id_}, {}}));
}

void StreamsGroup::remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail,
                          Effects& out) {
  for (const std::string& id : ids) write_removal(id, out);
  protocol::StreamsGroupMetadataValue value = metadata();
  ++value.epoch;
  write_epoch(value, out);
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = *ids.begin(),
                        .cause = cause,
                        .detail = std::move(detail),
                        .generation = value.epoch,
                        .members = members_.size() - ids.size()});
}

void StreamsGroup::write_removal(const std::string& id, Effects& out) const {
  out.records.emplace_back(StreamsGroupRecord(StreamsProgressRecord{{id_, id}, {}}));
  out.records.emplace_back(StreamsGroupRecord(StreamsTargetRecord{{id_, id}, {}}));
  out.records.emplace_back(StreamsGroupRecord(StreamsProfileRecord{{id_, id}, {}}));
}

void StreamsGroup::write_epoch(const protocol::StreamsGroupMetadataValue& value, Effects& out) const {
  out.records.emplace_back(StreamsGroupRecord(StreamsGroupEpochRecord{{id_}, value}));
}

protocol::StreamsGroupMetadataValue StreamsGroup::metadata() const {
  protocol::StreamsGroupMetadataValue out;
  out.epoch = epoch_;
  out.metadata_hash = topics_hash_;
  out.validated_topology_epoch = validated_epoch_;
  out.last_assignment_configs.emplace();
  for (const auto& [key, value] : assignment_configs_) out.last_assignment_configs->push_back({key, value});
  return out;
}

StreamsGroup::Members StreamsGroup::members_with(const Change* change) const {
  Members out;
  out.reserve(members_.size() + 1);
  bool placed = change == nullptr;
  for (const auto& [id, member] : members_) {
    if (!placed && id >= change->member.id) {
      out.push_back(&change->member);
      placed = true;
    }
    if (change == nullptr || id != change->member.id) out.push_back(&member);
  }
  if (!placed) out.push_back(&change->member);
  return out;
}

StreamsGroupDescribeResponse::DescribedGroup StreamsGroup::describe() const {
  using Described = StreamsGroupDescribeResponse;
  Described::DescribedGroup out;
  out.group_id = id_;
  out.group_state = state_name(state());
  out.group_epoch = epoch_;
  out.assignment_epoch = assignment_epoch_;
  if (topology_) {
    const ConfiguredTopology configured = configure(*topology_, facts_).value_or(ConfiguredTopology{});
    auto& topology = out.topology.emplace();
    topology.epoch = topology_->epoch;
    topology.subtopologies.emplace();
    for (const auto& subtopology : topology_->subtopologies) {
      auto& one = topology.subtopologies->emplace_back();
      one.subtopology_id = subtopology.subtopology_id;
      one.source_topics = subtopology.source_topics;
      one.repartition_sink_topics = subtopology.repartition_sink_topics;
      for (const auto& topic : subtopology.state_changelog_topics)
        one.state_changelog_topics.push_back(described<Described::TopicInfo>(topic, configured));
      for (const auto& topic : subtopology.repartition_source_topics)
        one.repartition_source_topics.push_back(described<Described::TopicInfo>(topic, configured));
    }
  }
  using Listed = std::vector<Described::TaskIds>;
  for (const auto& [id, member] : members_) {
    auto& one = out.members.emplace_back();
    one.member_id = id;
    one.member_epoch = member.progress.epoch;
    one.instance_id = member.profile.instance_id;
    one.rack_id = member.profile.rack_id;
    one.client_id = member.profile.client_id;
    one.client_host = member.profile.client_host;
    one.topology_epoch = member.profile.topology_epoch;
    one.process_id = member.profile.process_id;
    if (const auto& endpoint = member.profile.user_endpoint)
      one.user_endpoint = Described::Endpoint{endpoint->host, endpoint->port};
    for (const auto& tag : member.profile.client_tags) one.client_tags.push_back({tag.key, tag.value});
    const HeldTaskSets& has = member.progress.assigned;
    one.assignment = {listed_tasks<Listed>(plain(has.active)), listed_tasks<Listed>(has.standby),
                      listed_tasks<Listed>(has.warmup)};
    const auto target = targets_.find(id);
    if (target == targets_.end()) continue;
    one.target_assignment = {listed_tasks<Listed>(target->second.active),
                             listed_tasks<Listed>(target->second.standby),
                             listed_tasks<Listed>(target->second.warmup)};
  }
  return out;
}

}  // namespace brook::coordinator

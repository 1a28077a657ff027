#include "coordinator/share_group.h"

#include <fmt/core.h>

#include <utility>

#include "coordinator/share_assignor.h"

namespace brook::coordinator {

using protocol::ShareGroupDescribeResponse;

namespace {

/// A removal that the log did not take is tried again after so long.
constexpr std::chrono::milliseconds kRemovalRetry = std::chrono::seconds(1);

}  // namespace

std::string_view ShareGroup::state_name(State state) {
  constexpr std::array<std::string_view, kStates> kNames{"Empty", "Stable"};
  return kNames.at(static_cast<std::size_t>(state));
}

void ShareGroup::tick(const Moment& now, Effects& out) {
  if (now.instant < next_tick_) return;
  next_tick_ = runtime::Instant::max();
  std::set<std::string> gone;
  for (auto entry = session_ends_.begin(); entry != session_ends_.end();) {
    const auto& [id, end] = *entry;
    if (!members_.contains(id)) {
      entry = session_ends_.erase(entry);
      continue;
    }
    if (end <= now.instant) {
      gone.insert(id);
      out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                            .group = id_,
                            .member = id,
                            .detail = "its session timed out",
                            .generation = epoch_,
                            .members = members_.size()});
      due(now.instant + kRemovalRetry);
    } else {
      due(end);
    }
    ++entry;
  }
  if (gone.empty()) return;
  remove(gone, RebalanceCause::kSessionExpired, fmt::format("{} of the members are gone", gone.size()), out);
}

void ShareGroup::loaded(const Moment& now) {
  for (const auto& [id, member] : members_) begin_session(id, now);
}

void ShareGroup::begin_session(const std::string& id, const Moment& now) {
  const runtime::Instant end = now.instant + facts_.share_settings_of(id_).session_timeout;
  session_ends_[id] = end;
  due(end);
}

void ShareGroup::bury(Effects& out) const {
  for (const auto& [id, member] : members_) write_removal(id, out);
  out.records.emplace_back(ShareGroupRecord(ShareTargetEpochRecord{{id_}, {}}));
  out.records.emplace_back(ShareGroupRecord(ShareStatesRecord{{id_}, {}}));
  out.records.emplace_back(ShareGroupRecord(ShareGroupEpochRecord{{id_}, {}}));
}

ShareGroupDescribeResponse::DescribedGroup ShareGroup::describe() const {
  ShareGroupDescribeResponse::DescribedGroup out;
  out.group_id = id_;
  out.group_state = state_name(state());
  out.group_epoch = epoch_;
  out.assignment_epoch = assignment_epoch_;
  out.assignor_name = kShareAssignor;
  for (const auto& [id, member] : members_) {
    auto& one = out.members.emplace_back();
    one.member_id = id;
    one.rack_id = member.profile.rack_id;
    one.member_epoch = member.progress.epoch;
    one.client_id = member.profile.client_id;
    one.client_host = member.profile.client_host;
    one.subscribed_topic_names.assign(member.profile.topics.begin(), member.profile.topics.end());
    for (const auto& [topic_id, partitions] : member.progress.assigned) {
      const auto topic = facts_.topic(topic_id);
      if (!topic) continue;
      one.assignment.topic_partitions.push_back(
          {topic_id, std::string(topic->name), {partitions.begin(), partitions.end()}});
    }
  }
  return out;
}

void ShareGroup::remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail,
                        Effects& out) {
  Members rest;
  for (const auto& [id, member] : members_) {
    if (!ids.contains(id)) rest.push_back(&member);
  }
  for (const std::string& id : ids) write_removal(id, out);
  write_epoch(epoch_ + 1, topics_hash(topics_of(rest), facts_), out);
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = *ids.begin(),
                        .cause = cause,
                        .detail = std::move(detail),
                        .generation = epoch_ + 1,
                        .members = rest.size()});
}

void ShareGroup::write_removal(const std::string& id, Effects& out) const {
  out.records.emplace_back(ShareGroupRecord(ShareProgressRecord{{id_, id}, {}}));
  out.records.emplace_back(ShareGroupRecord(ShareTargetRecord{{id_, id}, {}}));
  out.records.emplace_back(ShareGroupRecord(ShareProfileRecord{{id_, id}, {}}));
}

void ShareGroup::write_epoch(std::int32_t epoch, std::int64_t hash, Effects& out) const {
  out.records.emplace_back(
      ShareGroupRecord(ShareGroupEpochRecord{{id_}, protocol::ShareGroupMetadataValue{epoch, hash}}));
}

void ShareGroup::write_states(const ShareTopics& topics, Effects& out) const {
  out.records.emplace_back(ShareGroupRecord(ShareStatesRecord{{id_}, topics.value()}));
}

ShareGroup::Members ShareGroup::members_with(const Change& change) const {
  Members out;
  out.reserve(members_.size() + 1);
  bool placed = false;
  for (const auto& [id, member] : members_) {
    if (!placed && id >= change.member.id) {
      out.push_back(&change.member);
      placed = true;
    }
    if (id != change.member.id) out.push_back(&member);
  }
  if (!placed) out.push_back(&change.member);
  return out;
}

TopicNames ShareGroup::topics_of(const Members& members) {
  TopicNames out;
  for (const ShareMember* member : members)
    out.insert(member->profile.topics.begin(), member->profile.topics.end());
  return out;
}

std::map<TopicId, std::set<std::int32_t>> ShareGroup::assignable() const {
  std::map<TopicId, std::set<std::int32_t>> out;
  for (const auto& [id, known] : topics_.initialised) {
    if (facts_.topic(id)) out.emplace(id, known.partitions);
  }
  return out;
}

void ShareGroup::replay(const ShareGroupRecord& record) {
  std::visit([this](const auto& one) { apply(one); }, record);
}

void ShareGroup::apply(const ShareGroupEpochRecord& record) {
  epoch_ = record.value ? record.value->epoch : 0;
  topics_hash_ = record.value ? record.value->metadata_hash : 0;
}

void ShareGroup::apply(const ShareProfileRecord& record) {
  const std::string& id = record.key.member_id;
  if (!record.value) {
    members_.erase(id);
    targets_.erase(id);
    return;
  }
  ShareMember& member = members_[id];
  member.id = id;
  member.profile = ShareProfile::of(*record.value);
}

void ShareGroup::apply(const ShareTargetEpochRecord& record) {
  assignment_epoch_ = record.value ? record.value->assignment_epoch : 0;
  assigned_at_.reset();
  if (record.value && record.value->assignment_timestamp > 0)
    assigned_at_ = Timestamp(record.value->assignment_timestamp);
  states_changed_ = false;
}

void ShareGroup::apply(const ShareTargetRecord& record) {
  if (record.value) {
    targets_[record.key.member_id] = partitions_of(record.value->topic_partitions);
  } else {
    targets_.erase(record.key.member_id);
  }
}

void ShareGroup::apply(const ShareProgressRecord& record) {
  if (!record.value) {
    const auto known = members_.find(record.key.member_id);
    if (known != members_.end()) known->second.progress = {};
    return;
  }
  // After compaction its profile may come behind.
  ShareMember& member = members_[record.key.member_id];
  member.id = record.key.member_id;
  member.progress = ShareProgress::of(*record.value);
}

void ShareGroup::apply(const ShareStatesRecord& record) {
  ShareTopics now = record.value ? ShareTopics::of(*record.value) : ShareTopics{};
  states_changed_ = states_changed_ || now.initialised != topics_.initialised;
  topics_ = std::move(now);
}

bool ShareGroup::same_records(const ShareGroup& other) const {
  return epoch_ == other.epoch_ && topics_hash_ == other.topics_hash_ &&
         assignment_epoch_ == other.assignment_epoch_ && assigned_at_ == other.assigned_at_ &&
         members_ == other.members_ && targets_ == other.targets_ && topics_ == other.topics_ &&
         states_changed_ == other.states_changed_;
}

}  // namespace brook::coordinator

#include "coordinator/consumer_group.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/topics_hash.h"

namespace brook::coordinator {

using protocol::ConsumerGroupDescribeResponse;
using protocol::OffsetCommitRequest;

namespace {

/// From here on a commit tells a member's epoch.
constexpr std::int16_t kFirstVersionWithMemberEpoch = 9;
constexpr std::chrono::milliseconds kRemovalRetry = std::chrono::seconds(1);

}  // namespace

std::string_view ConsumerGroup::state_name(State state) {
  constexpr std::array<std::string_view, kStates> kNames{"Empty", "Assigning", "Reconciling", "Stable"};
  return kNames.at(static_cast<std::size_t>(state));
}

ConsumerGroup::State ConsumerGroup::state() const {
  if (members_.empty()) return State::kEmpty;
  if (epoch_ > assignment_epoch_) return State::kAssigning;
  return behind_ > 0 ? State::kReconciling : State::kStable;
}

std::vector<ErrorCode> ConsumerGroup::leave(const std::vector<ClassicGroup::Leaver>& leavers,
                                            const Moment& now, Effects& out) {
  std::vector<ErrorCode> codes;
  std::set<std::string> leaving;
  std::string reason;
  for (const ClassicGroup::Leaver& leaver : leavers) {
    const auto by_id = members_.find(leaver.member);
    const ConsumerMember* member = by_id == members_.end() ? nullptr : &by_id->second;
    // An administrator names a static member by its instance id alone.
    if (leaver.instance) member = static_member(*leaver.instance);
    if (member == nullptr) {
      codes.push_back(ErrorCode::kUnknownMemberId);
    } else if (!leaver.member.empty() && leaver.member != member->id) {
      codes.push_back(ErrorCode::kFencedInstanceId);
    } else {
      const bool first = leaving.insert(member->id).second;
      codes.push_back(first ? ErrorCode::kNone : ErrorCode::kUnknownMemberId);
      if (reason.empty()) reason = leaver.reason;
    }
  }
  if (!leaving.empty()) remove(leaving, RebalanceCause::kMemberLeft, "removed: " + reason, now, out);
  return codes;
}

ErrorCode ConsumerGroup::check_epoch(const ConsumerMember& member, std::int32_t epoch) const {
  if (epoch == member.progress.epoch) return ErrorCode::kNone;
  return member.profile.classic ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
}

ErrorCode ConsumerGroup::check_commit(const OffsetCommitRequest& request, std::int16_t version) const {
  const std::int32_t epoch = request.generation_id_or_member_epoch;
  if (epoch < 0 && members_.empty()) return ErrorCode::kNone;
  const auto at = members_.find(request.member_id);
  if (at == members_.end()) return ErrorCode::kUnknownMemberId;
  const ConsumerMember& member = at->second;
  if (!member.profile.classic && version < kFirstVersionWithMemberEpoch)
    return ErrorCode::kUnsupportedVersion;
  if (member.profile.classic || epoch < 0 || epoch >= member.progress.epoch)
    return check_epoch(member, epoch);
  // It has not heard of its new epoch yet: good for what it has had since before.
  const auto had_then = [&](const TopicId& topic, std::int32_t partition) {
    for (const HeldPartitions* held : {&member.progress.assigned, &member.progress.revoking}) {
      const auto of_topic = held->find(topic);
      if (of_topic == held->end()) continue;
      const auto since = of_topic->second.find(partition);
      if (since != of_topic->second.end()) return since->second <= epoch;
    }
    return false;
  };
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      if (!had_then(topic.topic_id, partition.partition_index)) return ErrorCode::kStaleMemberEpoch;
    }
  }
  return ErrorCode::kNone;
}

ErrorCode ConsumerGroup::check_fetch(const std::optional<std::string>& member, std::int32_t epoch) const {
  if (!member && epoch < 0) return ErrorCode::kNone;
  const auto at = members_.find(member.value_or(std::string()));
  return at == members_.end() ? ErrorCode::kUnknownMemberId : check_epoch(at->second, epoch);
}

void ConsumerGroup::tick(const Moment& now, Effects& out) {
  if (now.instant < next_tick_) return;
  std::set<std::string> gone;
  RebalanceCause cause{};
  next_tick_ = runtime::Instant::max();
  for (auto entry = deadlines_.begin(); entry != deadlines_.end();) {
    auto& [id, ends] = *entry;
    const auto at = members_.find(id);
    if (at == members_.end()) {
      entry = deadlines_.erase(entry);
      continue;
    }
    const ConsumerProgress& progress = at->second.progress;
    const bool silent = ends.session_end <= now.instant;
    const bool keeps = ends.revocation_end <= now.instant && progress.epoch == ends.revocation_epoch &&
                       progress.state == ConsumerProgress::State::kUnrevoked;
    const bool absent = ends.rejoin_end <= now.instant || ends.sync_end <= now.instant;
    if (silent || keeps || absent) {
      const std::string_view why = silent  ? "its session timed out"
                                   : keeps ? "it did not give up its partitions within its rebalance timeout"
                                           : "it did not join again within its rebalance timeout";
      if (gone.empty())
        cause = silent  ? RebalanceCause::kSessionExpired
                : keeps ? RebalanceCause::kRevocationMissed
                        : RebalanceCause::kSyncMissed;
      gone.insert(id);
      out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                            .group = id_,
                            .member = id,
                            .detail = std::string(why),
                            .generation = epoch_,
                            .members = members_.size()});
      // Where the log does not take it, it is tried again.
      due(now.instant + kRemovalRetry);
    } else {
      if (ends.revocation_end <= now.instant) ends.revocation_end = runtime::Instant::max();
      due(ends.next());
    }
    ++entry;
  }
  if (gone.empty()) return;
  remove(gone, cause, fmt::format("{} of the members are gone", gone.size()), now, out);
}

void ConsumerGroup::loaded(const Moment& now) {
  for (const auto& [id, member] : members_) {
    begin_session(member, now);
    Deadlines& ends = deadlines_[id];
    if (member.progress.state != ConsumerProgress::State::kUnrevoked) continue;
    ends.revocation_end = now.instant + member.profile.rebalance_timeout;
    ends.revocation_epoch = member.progress.epoch;
    due(ends.revocation_end);
  }
}

void ConsumerGroup::begin_session(const ConsumerMember& member, const Moment& now) {
  const auto& classic = member.profile.classic;
  Deadlines& ends = deadlines_[member.id];
  ends.session_end = now.instant + (classic ? std::chrono::milliseconds(classic->session_timeout_ms)
                                            : facts_.settings_of(id_).session_timeout);
  due(ends.session_end);
}

void ConsumerGroup::bury(Effects& out) const {
  for (const auto& [id, member] : members_) write_removal(id, out);
  for (const auto& [regex, resolved] : regexes_)
    out.records.emplace_back(ConsumerGroupRecord(ConsumerRegexRecord{{id_, regex}, {}}));
  out.records.emplace_back(ConsumerGroupRecord(ConsumerTargetEpochRecord{{id_}, {}}));
  if (has_topics_record_) out.records.emplace_back(ConsumerGroupRecord(ConsumerGroupTopicsRecord{{id_}, {}}));
  out.records.emplace_back(ConsumerGroupRecord(ConsumerGroupEpochRecord{{id_}, {}}));
}

bool ConsumerGroup::subscribes_to(std::string_view topic) const {
  return std::ranges::any_of(
             members_, [&](const auto& entry) { return entry.second.profile.topics.contains(topic); }) ||
         std::ranges::any_of(regexes_,
                             [&](const auto& entry) { return entry.second.topics.contains(topic); });
}

ConsumerGroupDescribeResponse::DescribedGroup ConsumerGroup::describe() const {
  const auto describe_topic = [&](const TopicId& id, const auto& partitions, auto index,
                                  ConsumerGroupDescribeResponse::Assignment& into) {
    const auto topic = facts_.topic(id);
    if (!topic) return;
    auto& described = into.topic_partitions.emplace_back();
    described.topic_id = id;
    described.topic_name = topic->name;
    for (const auto& partition : partitions) described.partitions.push_back(index(partition));
  };
  ConsumerGroupDescribeResponse::DescribedGroup out;
  out.group_id = id_;
  out.group_state = state_name(state());
  out.group_epoch = epoch_;
  out.assignment_epoch = assignment_epoch_;
  Members members;
  for (const auto& [id, member] : members_) members.push_back(&member);
  out.assignor_name = assignor_name(preferred_assignor(members));
  for (const ConsumerMember* member : members) {
    auto& one = out.members.emplace_back();
    one.member_id = member->id;
    one.instance_id = member->profile.instance_id;
    one.rack_id = member->profile.rack_id;
    one.member_epoch = member->progress.epoch;
    one.client_id = member->profile.client_id;
    one.client_host = member->profile.client_host;
    one.subscribed_topic_names.assign(member->profile.topics.begin(), member->profile.topics.end());
    one.subscribed_topic_regex = member->profile.regex;
    one.member_type = member->profile.classic ? 0 : 1;
    for (const auto& [topic, partitions] : member->progress.assigned)
      describe_topic(topic, partitions, [](const auto& entry) { return entry.first; }, one.assignment);
    const auto target = targets_.find(member->id);
    if (target == targets_.end()) continue;
    for (const auto& [topic, partitions] : target->second)
      describe_topic(
          topic, partitions, [](std::int32_t partition) { return partition; }, one.target_assignment);
  }
  return out;
}

void ConsumerGroup::remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail,
                           const Moment& now, Effects& out) {
  Members rest;
  for (const auto& [id, member] : members_) {
    if (!ids.contains(id)) rest.push_back(&member);
  }
  if (may_downgrade(rest)) {
    downgrade(rest, epoch_, now, out);
    becomes_classic_ = true;
    return;
  }
  Regexes regexes;
  for (const std::string& id : ids) write_removal(id, out);
  for (const auto& [regex, resolved] : regexes_) {
    const bool used = std::ranges::any_of(
        rest, [&](const ConsumerMember* member) { return member->profile.regex == regex; });
    if (used) {
      regexes.emplace(regex, resolved);
    } else {
      out.records.emplace_back(ConsumerGroupRecord(ConsumerRegexRecord{{id_, regex}, {}}));
    }
  }
  write_epoch(epoch_ + 1, topics_hash(topics_of(rest, regexes), facts_), out);
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = *ids.begin(),
                        .cause = cause,
                        .detail = std::move(detail),
                        .generation = epoch_ + 1,
                        .members = rest.size()});
}

bool ConsumerGroup::may_downgrade(const Members& rest) const {
  return config_.consumer_downgrade && !rest.empty() && rest.size() <= config_.members_max &&
         std::ranges::all_of(
             rest, [](const ConsumerMember* member) { return member->profile.classic.has_value(); });
}

void ConsumerGroup::write_removal(const std::string& id, Effects& out) const {
  out.records.emplace_back(ConsumerGroupRecord(ConsumerProgressRecord{{id_, id}, {}}));
  out.records.emplace_back(ConsumerGroupRecord(ConsumerTargetRecord{{id_, id}, {}}));
  out.records.emplace_back(ConsumerGroupRecord(ConsumerProfileRecord{{id_, id}, {}}));
}

void ConsumerGroup::write_epoch(std::int32_t epoch, std::int64_t hash, Effects& out) const {
  protocol::ConsumerGroupMetadataValue value;
  value.epoch = epoch;
  value.metadata_hash = hash;
  out.records.emplace_back(ConsumerGroupRecord(ConsumerGroupEpochRecord{{id_}, value}));
  if (has_topics_record_) out.records.emplace_back(ConsumerGroupRecord(ConsumerGroupTopicsRecord{{id_}, {}}));
}

ConsumerGroup::Members ConsumerGroup::members_with(const Change& change) const {
  Members out;
  out.reserve(members_.size() + 1);
  bool placed = false;
  for (const auto& [id, member] : members_) {
    if (!placed && id >= change.member.id) {
      out.push_back(&change.member);
      placed = true;
    }
    if (id != change.member.id && id != change.replaces) out.push_back(&member);
  }
  if (!placed) out.push_back(&change.member);
  return out;
}

std::set<std::string, std::less<>> ConsumerGroup::topics_of(const Members& members,
                                                            const Regexes& regexes) const {
  std::set<std::string, std::less<>> out;
  for (const ConsumerMember* member : members)
    out.insert(member->profile.topics.begin(), member->profile.topics.end());
  for (const auto& [regex, resolved] : regexes) out.insert(resolved.topics.begin(), resolved.topics.end());
  return out;
}

std::set<TopicId> ConsumerGroup::subscribed_ids(const ConsumerProfile& profile,
                                                const Regexes& regexes) const {
  std::set<TopicId> out = ids_of(profile.topics, facts_);
  const auto resolved = profile.regex.empty() ? regexes.end() : regexes.find(profile.regex);
  if (resolved != regexes.end()) out.merge(ids_of(resolved->second.topics, facts_));
  return out;
}

Assignor ConsumerGroup::preferred_assignor(const Members& members) const {
  std::map<Assignor, std::size_t> votes;
  for (const ConsumerMember* member : members) {
    const auto wanted = assignor_named(member->profile.assignor.value_or(std::string()));
    if (wanted && config_.consumer_assignors.has(*wanted)) ++votes[*wanted];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& entry) { return entry.second; });
  return most == votes.end() ? config_.consumer_assignors.first : most->first;
}

const ConsumerMember* ConsumerGroup::static_member(std::string_view instance) const {
  const auto at = static_ids_.find(instance);
  if (at == static_ids_.end()) return nullptr;
  const auto member = members_.find(at->second);
  return member == members_.end() ? nullptr : &member->second;
}

}  // namespace brook::coordinator

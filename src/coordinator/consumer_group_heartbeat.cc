// What a member's heartbeat does: it joins, changes what it reads, moves towards its target, leaves.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/consumer_group.h"
#include "coordinator/consumer_reconciliation.h"
#include "coordinator/topic_regex.h"
#include "coordinator/topics_hash.h"

namespace brook::coordinator {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

namespace {

/// A group's epoch before its first member: the targets of nobody.
constexpr std::int32_t kEpochBeforeMembers = 1;

std::optional<TopicPartitions> owned_in(const ConsumerGroupHeartbeatRequest& request) {
  if (!request.topic_partitions) return std::nullopt;
  TopicPartitions out;
  for (const auto& topic : *request.topic_partitions)
    out[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  return out;
}

bool all_assigned(const std::optional<TopicPartitions>& owned, const HeldPartitions& assigned) {
  return owned && std::ranges::all_of(*owned, [&](const auto& entry) {
           const auto topic = assigned.find(entry.first);
           return std::ranges::all_of(entry.second, [&](std::int32_t partition) {
             return topic != assigned.end() && topic->second.contains(partition);
           });
         });
}

Result<void> check_member_epoch(const ConsumerMember& member, const ConsumerGroupHeartbeatRequest& request) {
  const std::int32_t told = request.member_epoch;
  const std::int32_t known = member.progress.epoch;
  if (told == kJoinEpoch || told == known) return {};
  // Where the answer with the new epoch was lost, the member comes with the one before.
  if (told < known && told == member.progress.previous_epoch &&
      all_assigned(owned_in(request), member.progress.assigned))
    return {};
  return fail(
      ErrorCode::kFencedMemberEpoch,
      fmt::format("The consumer group member has a {} member epoch ({}) than the one known by the group "
                  "coordinator ({}). The member must abandon all its partitions and rejoin.",
                  told > known ? "greater" : "smaller", told, known));
}

std::unexpected<Error> not_a_member(const std::string& member, const std::string& group) {
  return fail(ErrorCode::kUnknownMemberId,
              fmt::format("Member {} is not a member of group {}.", member, group));
}

std::unexpected<Error> unknown_instance(const std::string& instance) {
  return fail(ErrorCode::kUnknownMemberId, fmt::format("Instance id {} is unknown.", instance));
}

std::unexpected<Error> fenced_instance(const std::string& member, const std::string& instance,
                                       const std::string& by) {
  return fail(
      ErrorCode::kFencedInstanceId,
      fmt::format("Static member {} with instance id {} was fenced by member {}.", member, instance, by));
}

ConsumerGroupHeartbeatResponse::Assignment told_assignment(const HeldPartitions& assigned) {
  ConsumerGroupHeartbeatResponse::Assignment out;
  for (const auto& [topic, partitions] : assigned) {
    auto& told = out.topic_partitions.emplace_back();
    told.topic_id = topic;
    for (const auto& [partition, epoch] : partitions) told.partitions.push_back(partition);
  }
  return out;
}

/// The member begins anew, or after an error: it wants to be told everything.
bool is_full(const ConsumerGroupHeartbeatRequest& request) {
  return request.member_epoch == kJoinEpoch ||
         (request.rebalance_timeout_ms != -1 && request.topic_partitions &&
          (request.subscribed_topic_names || request.subscribed_topic_regex));
}

}  // namespace

Result<ConsumerGroupHeartbeatResponse> ConsumerGroup::heartbeat(const HeartbeatCall& call, const Moment& now,
                                                                Effects& out) {
  if (call.request.member_epoch < 0) return leave(call, now, out);
  BROOK_TRY(Change change, member_of(call));
  BROOK_CHECK(update(change, call));
  // From here on nothing is refused.
  const ConsumerProgress next = advance(change, owned_in(call.request), now, out);
  ConsumerGroupHeartbeatResponse response;
  response.member_id = change.member.id;
  response.member_epoch = next.epoch;
  response.heartbeat_interval_ms =
      static_cast<std::int32_t>(facts_.settings_of(id_).heartbeat_interval.count());
  if (is_full(call.request) || next.assigned != change.member.progress.assigned)
    response.assignment = told_assignment(next.assigned);
  return response;
}

ConsumerProgress ConsumerGroup::advance(const Change& change, const std::optional<TopicPartitions>& owned,
                                        const Moment& now, Effects& out) {
  write_member(change, out);
  Regexes followed;
  const Regexes* regexes = &regexes_;
  std::int32_t epoch = epoch_;
  const bool changed = change.is_new || change.replaces || change.subscription_changed;
  if (changed || topics_seen_ != facts_.version()) {
    followed = regexes_;
    epoch = follow_topics(change, followed, now, out);
    regexes = &followed;
  }
  TopicPartitions made;
  const TopicPartitions* target = target_so_far(change, change.member.id);
  if (target == nullptr) target = &made;
  std::int32_t target_epoch = assignment_epoch_;
  if (epoch > assignment_epoch_ && may_assign(now)) {
    made = retarget(change, *regexes, epoch, now, out);
    target = &made;
    target_epoch = epoch;
  }
  const ConsumerProgress next = step(change, owned, *regexes, target_epoch, *target);
  if (next != change.member.progress || change.is_new) {
    out.records.emplace_back(
        ConsumerGroupRecord(ConsumerProgressRecord{{id_, change.member.id}, next.value()}));
  }
  set_deadlines(change, next, now);
  return next;
}

Result<ConsumerGroupHeartbeatResponse> ConsumerGroup::leave(const HeartbeatCall& call, const Moment& now,
                                                            Effects& out) {
  const ConsumerGroupHeartbeatRequest& request = call.request;
  const ConsumerMember* member = nullptr;
  if (request.instance_id) {
    member = static_member(*request.instance_id);
    if (member == nullptr) return unknown_instance(*request.instance_id);
    if (member->id != request.member_id)
      return fenced_instance(request.member_id, *request.instance_id, member->id);
  } else {
    const auto at = members_.find(request.member_id);
    if (at == members_.end()) return not_a_member(request.member_id, id_);
    member = &at->second;
  }
  if (request.member_epoch == kStaticLeaveEpoch) {
    // It will be back: until its session ends its partitions are kept for its instance.
    ConsumerProgress away = member->progress;
    away.epoch = kStaticLeaveEpoch;
    away.revoking.clear();
    out.records.emplace_back(ConsumerGroupRecord(ConsumerProgressRecord{{id_, member->id}, away.value()}));
  } else {
    remove({member->id}, RebalanceCause::kMemberLeft, "it leaves", now, out);
  }
  ConsumerGroupHeartbeatResponse response;
  response.member_id = request.member_id;
  response.member_epoch = request.member_epoch;
  return response;
}

Result<ConsumerGroup::Change> ConsumerGroup::member_of(const HeartbeatCall& call) const {
  const ConsumerGroupHeartbeatRequest& request = call.request;
  if (members_.size() >= config_.consumer_members_max && !members_.contains(request.member_id)) {
    return fail(ErrorCode::kGroupMaxSizeReached,
                fmt::format("The consumer group has reached its maximum capacity of {} members.",
                            config_.consumer_members_max));
  }
  if (request.instance_id) return static_member_of(call);
  const auto at = members_.find(request.member_id);
  if (at != members_.end()) {
    BROOK_CHECK(check_member_epoch(at->second, request));
    return Change{.member = at->second};
  }
  if (request.member_epoch != kJoinEpoch) return not_a_member(request.member_id, id_);
  Change change{.is_new = true};
  change.member.id = request.member_id.empty() ? std::string(call.fresh_id) : request.member_id;
  return change;
}

Result<ConsumerGroup::Change> ConsumerGroup::static_member_of(const HeartbeatCall& call) const {
  const ConsumerGroupHeartbeatRequest& request = call.request;
  const std::string& instance = *request.instance_id;
  const ConsumerMember* known = static_member(instance);
  if (known != nullptr && known->id == request.member_id) {
    BROOK_CHECK(check_member_epoch(*known, request));
    return Change{.member = *known};
  }
  if (request.member_epoch != kJoinEpoch) {
    if (known == nullptr) return unknown_instance(instance);
    return fenced_instance(request.member_id, instance, known->id);
  }
  Change change;
  change.is_new = known == nullptr;
  if (known != nullptr) {
    // One of the classic protocol does not say that it leaves for a while.
    if (!known->profile.classic && known->progress.epoch != kStaticLeaveEpoch) {
      return fail(
          ErrorCode::kUnreleasedInstanceId,
          fmt::format("Static member {} with instance id {} cannot join the group because the instance "
                      "id is owned by {} member.",
                      request.member_id, instance, known->id));
    }
    change.member = *known;
    change.member.progress.epoch = kJoinEpoch;
    change.member.progress.previous_epoch = kJoinEpoch;
    change.replaces = known->id;
  }
  change.member.id = request.member_id.empty() ? std::string(call.fresh_id) : request.member_id;
  return change;
}

Result<void> ConsumerGroup::update(Change& change, const HeartbeatCall& call) const {
  const ConsumerGroupHeartbeatRequest& request = call.request;
  const ConsumerProfile before = change.member.profile;
  ConsumerProfile& profile = change.member.profile;
  if (request.instance_id) profile.instance_id = request.instance_id;
  if (request.rack_id) profile.rack_id = request.rack_id;
  if (request.rebalance_timeout_ms != -1)
    profile.rebalance_timeout = std::chrono::milliseconds(request.rebalance_timeout_ms);
  if (request.server_assignor) profile.assignor = request.server_assignor;
  if (request.subscribed_topic_names)
    profile.topics = {request.subscribed_topic_names->begin(), request.subscribed_topic_names->end()};
  if (request.subscribed_topic_regex) profile.regex = *request.subscribed_topic_regex;
  profile.client_id = call.caller.client_id;
  profile.client_host = call.caller.host;
  profile.classic.reset();
  const bool new_regex = profile.regex != before.regex;
  if (new_regex && !profile.regex.empty() && !regexes_.contains(profile.regex))
    BROOK_CHECK(check_topic_regex(profile.regex));
  change.profile_changed = profile != before;
  change.subscription_changed = new_regex || profile.topics != before.topics;
  return {};
}

void ConsumerGroup::write_member(const Change& change, Effects& out) const {
  const std::string& id = change.member.id;
  if (change.replaces) write_removal(*change.replaces, out);
  if (change.is_new || change.replaces || change.profile_changed)
    out.records.emplace_back(
        ConsumerGroupRecord(ConsumerProfileRecord{{id_, id}, change.member.profile.value()}));
  if (!change.replaces) return;
  const TopicPartitions* target = target_so_far(change, id);
  if (target != nullptr)
    out.records.emplace_back(ConsumerGroupRecord(ConsumerTargetRecord{{id_, id}, target_value(*target)}));
  out.records.emplace_back(
      ConsumerGroupRecord(ConsumerProgressRecord{{id_, id}, change.member.progress.value()}));
}

std::int32_t ConsumerGroup::follow_topics(const Change& change, Regexes& regexes, const Moment& now,
                                          Effects& out) {
  const Members members = members_with(change);
  const bool other_regexes = follow_regexes(members, regexes, now, out);
  const std::int64_t hash = topics_hash(topics_of(members, regexes), facts_);
  topics_seen_ = facts_.version();
  const bool other_topics = other_regexes || hash != topics_hash_;
  if (epoch_ != 0 && !change.subscription_changed && !other_topics) return epoch_;
  const std::int32_t epoch = std::max(epoch_, kEpochBeforeMembers) + 1;
  write_epoch(epoch, hash, out);
  RebalanceCause cause = RebalanceCause::kTopicsChanged;
  std::string detail = "the topics that it reads came, went or grew";
  if (change.is_new) {
    cause = RebalanceCause::kMemberJoined;
    detail = "a new member joins";
  } else if (change.replaces) {
    cause = RebalanceCause::kMemberReplaced;
    detail = fmt::format("{} comes back with another subscription", *change.member.profile.instance_id);
  } else if (change.subscription_changed) {
    cause = RebalanceCause::kMemberChanged;
    detail = "a member changes its subscription";
  }
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = change.member.id,
                        .cause = cause,
                        .detail = std::move(detail),
                        .generation = epoch,
                        .members = members.size()});
  return epoch;
}

bool ConsumerGroup::follow_regexes(const Members& members, Regexes& regexes, const Moment& now,
                                   Effects& out) const {
  std::set<std::string> used;
  for (const ConsumerMember* member : members) {
    if (!member->profile.regex.empty()) used.insert(member->profile.regex);
  }
  bool other = false;
  for (const auto& [regex, resolved] : regexes_) {
    if (used.contains(regex)) continue;
    out.records.emplace_back(ConsumerGroupRecord(ConsumerRegexRecord{{id_, regex}, {}}));
    regexes.erase(regex);
    other = true;
  }
  for (const std::string& regex : used) {
    const auto known = regexes.find(regex);
    if (known != regexes.end() && topics_seen_ == facts_.version()) continue;
    auto topics = topics_matching(regex, facts_);
    if (known != regexes.end() && known->second.topics == topics) continue;
    const ResolvedRegex& resolved = regexes[regex] = {std::move(topics), facts_.version(), now.wall.value()};
    protocol::ConsumerGroupRegularExpressionValue value;
    value.topics.assign(resolved.topics.begin(), resolved.topics.end());
    value.version = resolved.version;
    value.timestamp = resolved.timestamp;
    out.records.emplace_back(ConsumerGroupRecord(ConsumerRegexRecord{{id_, regex}, std::move(value)}));
    other = true;
  }
  return other;
}

bool ConsumerGroup::may_assign(const Moment& now) const {
  const auto interval = facts_.settings_of(id_).assignment_interval;
  // A clock that has been set back does not hold the group up for longer than the interval.
  return !assigned_at_ || now.wall - *assigned_at_ >= interval.count() || now.wall < *assigned_at_;
}

TopicPartitions ConsumerGroup::retarget(const Change& change, const Regexes& regexes, std::int32_t epoch,
                                        const Moment& now, Effects& out) const {
  const Members members = members_with(change);
  // Most members read the same: each subscription is looked up once.
  std::map<std::pair<std::set<std::string, std::less<>>, std::string>, std::set<TopicId>> subscriptions;
  std::map<TopicId, std::int32_t> partitions;
  std::vector<AssignorMember> asked;
  asked.reserve(members.size());
  for (const ConsumerMember* member : members) {
    const ConsumerProfile& profile = member->profile;
    const auto [ids, first] = subscriptions.try_emplace({profile.topics, profile.regex});
    if (first) {
      ids->second = subscribed_ids(profile, regexes);
      for (const TopicId& id : ids->second) partitions[id] = facts_.topic(id)->partitions;
    }
    asked.push_back({member->id, profile.instance_id, &ids->second, target_so_far(change, member->id)});
  }
  const Assignor assignor = preferred_assignor(members);
  std::vector<TopicPartitions> shares = assign(assignor, asked, partitions);
  TopicPartitions own;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (asked[i].current == nullptr || *asked[i].current != shares[i])
      out.records.emplace_back(
          ConsumerGroupRecord(ConsumerTargetRecord{{id_, members[i]->id}, target_value(shares[i])}));
    if (members[i] == &change.member) own = std::move(shares[i]);
  }
  protocol::ConsumerGroupTargetAssignmentMetadataValue value;
  value.assignment_epoch = epoch;
  value.assignment_timestamp = now.wall.value();
  out.records.emplace_back(ConsumerGroupRecord(ConsumerTargetEpochRecord{{id_}, value}));
  out.events.push_back({.kind = GroupEvent::Kind::kTargeted,
                        .group = id_,
                        .detail = std::string(assignor_name(assignor)),
                        .generation = epoch,
                        .members = members.size()});
  return own;
}

const TopicPartitions* ConsumerGroup::target_so_far(const Change& change, const std::string& id) const {
  const bool came_back = change.replaces && id == change.member.id;
  const auto at = targets_.find(came_back ? *change.replaces : id);
  return at == targets_.end() ? nullptr : &at->second;
}

ConsumerProgress ConsumerGroup::step(const Change& change, const std::optional<TopicPartitions>& owned,
                                     const Regexes& regexes, std::int32_t target_epoch,
                                     const TopicPartitions& target) const {
  const ConsumerMember& member = change.member;
  if (!change.subscription_changed && member.progress.reconciled(target_epoch)) return member.progress;
  const std::set<TopicId> subscribed = subscribed_ids(member.profile, regexes);
  const std::function<bool(const TopicId&, std::int32_t)> held_elsewhere = [&](const TopicId& topic,
                                                                               std::int32_t partition) {
    const auto holder = holders_.find({topic, PartitionIndex(partition)});
    return holder != holders_.end() && holder->second != member.id && holder->second != change.replaces;
  };
  return reconcile(member.progress, {.target_epoch = target_epoch,
                                     .target = target,
                                     .subscribed = subscribed,
                                     .owned = owned ? &*owned : nullptr,
                                     .subscription_changed = change.subscription_changed,
                                     .held_elsewhere = held_elsewhere});
}

void ConsumerGroup::set_deadlines(const Change& change, const ConsumerProgress& next, const Moment& now) {
  if (change.replaces) deadlines_.erase(*change.replaces);
  begin_session(change.member, now);
  if (next == change.member.progress) return;
  Deadlines& ends = deadlines_[change.member.id];
  ends.revocation_end = runtime::Instant::max();
  if (next.state != ConsumerProgress::State::kUnrevoked) return;
  ends.revocation_end = now.instant + change.member.profile.rebalance_timeout;
  ends.revocation_epoch = next.epoch;
  due(ends.revocation_end);
}

}  // namespace brook::coordinator

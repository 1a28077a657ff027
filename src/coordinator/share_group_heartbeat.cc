// What a heartbeat of a share group's member does: it joins, changes what it reads, is given partitions,
// leaves.
#include <fmt/core.h>

#include <utility>

#include "coordinator/java_string.h"
#include "coordinator/share_assignor.h"
#include "coordinator/share_group.h"

namespace brook::coordinator {

using protocol::ShareGroupHeartbeatRequest;
using protocol::ShareGroupHeartbeatResponse;

namespace {

/// What a heartbeat says in place of an epoch.
constexpr std::int32_t kJoining = 0;
constexpr std::int32_t kLeaving = -1;

std::unexpected<Error> not_a_member(const std::string& member, const std::string& group) {
  return fail(ErrorCode::kUnknownMemberId,
              fmt::format("Member {} is not a member of group {}.", member, group));
}

Result<void> check_epoch(const ShareProgress& progress, std::int32_t told) {
  // Where the answer with the new epoch was lost, the member comes with the one before.
  if (told == kJoining || told == progress.epoch ||
      (told < progress.epoch && told == progress.previous_epoch))
    return {};
  return fail(ErrorCode::kFencedMemberEpoch,
              fmt::format("The share group member has a {} member epoch ({}) than the one known by the group "
                          "coordinator ({}). The member must abandon all its partitions and rejoin.",
                          told > progress.epoch ? "greater" : "smaller", told, progress.epoch));
}

TopicPartitions only(const TopicPartitions& partitions, const std::set<TopicId>& topics) {
  TopicPartitions out;
  for (const auto& [topic, of_topic] : partitions) {
    if (topics.contains(topic)) out.emplace(topic, of_topic);
  }
  return out;
}

}  // namespace

Result<void> check_share_heartbeat(const ShareGroupHeartbeatRequest& request) {
  const auto invalid = [](std::string why) { return fail(ErrorCode::kInvalidRequest, std::move(why)); };
  if (java_blank(request.member_id)) return invalid("MemberId can't be empty.");
  if (java_blank(request.group_id)) return invalid("GroupId can't be empty.");
  if (request.rack_id && java_blank(*request.rack_id)) return invalid("RackId can't be empty.");
  const bool subscribes = request.subscribed_topic_names && !request.subscribed_topic_names->empty();
  if (request.member_epoch == kJoining && !subscribes)
    return invalid("SubscribedTopicNames must be set in first request.");
  if (request.member_epoch < kLeaving) return invalid("MemberEpoch is invalid.");
  return {};
}

Result<ShareHeartbeatAnswer> ShareGroup::heartbeat(const ShareHeartbeatCall& call, const Moment& now,
                                                   Effects& out) {
  const ShareGroupHeartbeatRequest& request = call.request;
  if (request.member_epoch == kLeaving) return leave(request, out);
  BROOK_TRY(const Change change, member_of(call));
  // From here on nothing is refused.
  const std::string& id = change.member.id;
  if (change.profile_changed)
    out.records.emplace_back(ShareGroupRecord(ShareProfileRecord{{id_, id}, change.member.profile.value()}));
  const std::int32_t epoch = follow_topics(change, out);
  TopicPartitions made;
  const auto known = targets_.find(id);
  const TopicPartitions* target = known == targets_.end() ? &made : &known->second;
  std::int32_t target_epoch = assignment_epoch_;
  if (epoch > assignment_epoch_ && may_assign(now)) {
    made = retarget(change, epoch, now, out);
    target = &made;
    target_epoch = epoch;
  }
  const ShareProgress next = step(change, target_epoch, *target);
  if (next != change.member.progress || change.is_new)
    out.records.emplace_back(ShareGroupRecord(ShareProgressRecord{{id_, id}, next.value()}));
  begin_session(id, now);

  ShareHeartbeatAnswer answer;
  answer.initialise = missing_states(change, epoch, out);
  ShareGroupHeartbeatResponse& response = answer.response;
  response.member_id = id;
  response.member_epoch = next.epoch;
  response.heartbeat_interval_ms =
      static_cast<std::int32_t>(facts_.share_settings_of(id_).heartbeat_interval.count());
  const bool full = request.member_epoch == kJoining || request.subscribed_topic_names;
  if (full || next.assigned != change.member.progress.assigned) {
    using Assignment = ShareGroupHeartbeatResponse::Assignment;
    response.assignment = Assignment{listed<decltype(Assignment::topic_partitions)>(next.assigned)};
  }
  return answer;
}

Result<ShareGroup::Change> ShareGroup::member_of(const ShareHeartbeatCall& call) const {
  const ShareGroupHeartbeatRequest& request = call.request;
  const auto at = members_.find(request.member_id);
  Change change;
  if (at != members_.end()) {
    BROOK_CHECK(check_epoch(at->second.progress, request.member_epoch));
    change.member = at->second;
  } else if (members_.size() >= config_.share_members_max) {
    return fail(ErrorCode::kGroupMaxSizeReached,
                fmt::format("The share group has reached its maximum capacity of {} members.",
                            config_.share_members_max));
  } else if (request.member_epoch != kJoining) {
    return not_a_member(request.member_id, id_);
  } else {
    change.is_new = true;
    change.member.id = request.member_id;
  }
  const ShareProfile before = change.member.profile;
  ShareProfile& profile = change.member.profile;
  if (request.rack_id) profile.rack_id = request.rack_id;
  if (request.subscribed_topic_names)
    profile.topics = {request.subscribed_topic_names->begin(), request.subscribed_topic_names->end()};
  profile.client_id = call.caller.client_id;
  profile.client_host = call.caller.host;
  change.profile_changed = change.is_new || profile != before;
  change.subscription_changed = change.is_new || profile.topics != before.topics;
  return change;
}

Result<ShareHeartbeatAnswer> ShareGroup::leave(const ShareGroupHeartbeatRequest& request, Effects& out) {
  if (!members_.contains(request.member_id)) return not_a_member(request.member_id, id_);
  remove({request.member_id}, RebalanceCause::kMemberLeft, "it leaves", out);
  ShareHeartbeatAnswer answer;
  answer.response.member_id = request.member_id;
  answer.response.member_epoch = kLeaving;
  return answer;
}

std::int32_t ShareGroup::follow_topics(const Change& change, Effects& out) {
  // Partitions that have a state now are to be given to somebody; once for all that came since the targets.
  const bool more_to_give = states_changed_ && epoch_ <= assignment_epoch_;
  if (!change.subscription_changed && !more_to_give && topics_seen_ == facts_.version()) return epoch_;
  const Members members = members_with(change);
  const std::int64_t hash = topics_hash(topics_of(members), facts_);
  topics_seen_ = facts_.version();
  if (!change.subscription_changed && !more_to_give && hash == topics_hash_) return epoch_;
  const std::int32_t epoch = epoch_ + 1;
  write_epoch(epoch, hash, out);
  const bool joins = change.is_new;
  const bool changes = change.subscription_changed && !joins;
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = change.member.id,
                        .cause = joins     ? RebalanceCause::kMemberJoined
                                 : changes ? RebalanceCause::kMemberChanged
                                           : RebalanceCause::kTopicsChanged,
                        .detail = joins     ? "a new member joins"
                                  : changes ? "a member changes its subscription"
                                            : "the topics that it reads came, went or grew",
                        .generation = epoch,
                        .members = members.size()});
  return epoch;
}

bool ShareGroup::may_assign(const Moment& now) const {
  // As long as nobody has anything nothing moves back and forth.
  const bool nothing_given =
      std::ranges::all_of(targets_, [](const auto& one) { return one.second.empty(); });
  if (nothing_given || !assigned_at_) return true;
  const auto interval = facts_.share_settings_of(id_).assignment_interval;
  // A clock that has been set back does not hold the group up for longer than the interval.
  return now.wall - *assigned_at_ >= interval.count() || now.wall < *assigned_at_;
}

TopicPartitions ShareGroup::retarget(const Change& change, std::int32_t epoch, const Moment& now,
                                     Effects& out) const {
  const Members members = members_with(change);
  // Most members read the same: each subscription is looked up once.
  std::map<TopicNames, std::set<TopicId>> subscriptions;
  std::vector<AssignorMember> asked;
  asked.reserve(members.size());
  for (const ShareMember* member : members) {
    const auto [ids, first] = subscriptions.try_emplace(member->profile.topics);
    if (first) ids->second = ids_of(member->profile.topics, facts_);
    const auto current = targets_.find(member->id);
    asked.push_back({member->id, {}, &ids->second, current == targets_.end() ? nullptr : &current->second});
  }
  std::vector<TopicPartitions> shares = assign_shares(asked, assignable());
  TopicPartitions own;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (asked[i].current == nullptr || *asked[i].current != shares[i]) {
      using Value = protocol::ShareGroupTargetAssignmentMemberValue;
      out.records.emplace_back(ShareGroupRecord(ShareTargetRecord{
          {id_, members[i]->id}, Value{listed<decltype(Value::topic_partitions)>(shares[i])}}));
    }
    if (members[i] == &change.member) own = std::move(shares[i]);
  }
  out.records.emplace_back(ShareGroupRecord(ShareTargetEpochRecord{
      {id_}, protocol::ShareGroupTargetAssignmentMetadataValue{epoch, now.wall.value()}}));
  out.events.push_back({.kind = GroupEvent::Kind::kTargeted,
                        .group = id_,
                        .detail = std::string(kShareAssignor),
                        .generation = epoch,
                        .members = members.size()});
  return own;
}

ShareProgress ShareGroup::step(const Change& change, std::int32_t target_epoch,
                               const TopicPartitions& target) const {
  ShareProgress next = change.member.progress;
  if (!change.subscription_changed && next.epoch == target_epoch) return next;
  next.assigned = only(target, ids_of(change.member.profile.topics, facts_));
  if (next.epoch == target_epoch) return next;
  next.previous_epoch = next.epoch;
  next.epoch = target_epoch;
  return next;
}

std::optional<ShareInitialisation> ShareGroup::missing_states(const Change& change, std::int32_t epoch,
                                                              Effects& out) {
  if (initialising_ || (states_seen_ == facts_.version() && !change.subscription_changed))
    return std::nullopt;
  ShareTopics::Topics missing;
  ShareInitialisation asked{epoch, {}};
  for (const std::string& name : topics_of(members_with(change))) {
    const auto topic = facts_.topic(name);
    if (!topic) continue;
    const auto known = topics_.initialised.find(topic->id);
    for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
      if (known != topics_.initialised.end() && known->second.partitions.contains(partition)) continue;
      missing[topic->id].name = name;
      missing[topic->id].partitions.insert(partition);
      asked.starts.push_back({{topic->id, PartitionIndex(partition)}, {}});
    }
  }
  if (missing.empty()) {
    states_seen_ = facts_.version();
    return std::nullopt;
  }
  ShareTopics next = topics_;
  next.begin(missing);
  if (next != topics_) write_states(next, out);
  initialising_ = true;
  states_seen_.reset();
  return asked;
}

}  // namespace brook::coordinator

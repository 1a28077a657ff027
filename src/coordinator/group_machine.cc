#include "coordinator/group_machine.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/subscription.h"

namespace brook::coordinator {
namespace {

/// Groups whose time-outs one tick() handles, so that a thousand at once don't stop the shard.
constexpr std::size_t kGroupsPerTick = 256;

bool equal_in_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool among(std::string_view name, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::ranges::any_of(wanted, [&](const std::string& one) { return equal_in_any_case(one, name); });
}

constexpr std::string_view kClassicType = "classic";
constexpr std::string_view kConsumerType = "consumer";
constexpr std::string_view kShareType = "share";
constexpr std::string_view kStreamsType = "streams";

}  // namespace

GroupMachine::Group* GroupMachine::at(const std::string& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

const GroupMachine::Group* GroupMachine::at(const std::string& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

GroupMachine::Group& GroupMachine::make(const std::string& group) {
  return groups_.try_emplace(group, group, config_, *classic_counts_).first->second;
}

GroupMachine::Group::~Group() {
  if (counted) --counts.at(static_cast<std::size_t>(*counted));
}

void GroupMachine::Group::recount() {
  const bool is_classic = !consumer && !share && !streams;
  const auto state = is_classic ? std::optional(classic.state()) : std::nullopt;
  if (state == counted) return;
  if (counted) --counts.at(static_cast<std::size_t>(*counted));
  if (state) ++counts.at(static_cast<std::size_t>(*state));
  counted = state;
}

const ClassicGroup* GroupMachine::find(const std::string& group) const {
  const Group* found = at(group);
  return found == nullptr ? nullptr : &found->classic;
}

const CommittedOffsets* GroupMachine::offsets(const std::string& group) const {
  const Group* found = at(group);
  return found == nullptr ? nullptr : &found->offsets;
}

bool GroupMachine::nothing_in(const Group& group) {
  return group.offsets.empty() && !group.recorded && !group.consumer && !group.share && !group.streams &&
         !group.owes_rebalance && !has_members(group);
}

bool GroupMachine::has_members(const Group& group) {
  return !group.classic.empty() || group.classic.has_pending_members() ||
         (group.consumer && !group.consumer->empty()) || (group.share && !group.share->empty()) ||
         (group.streams && !group.streams->empty());
}

/// After each decision.
void GroupMachine::arm(Group& group) {
  group.recount();
  runtime::Instant when = group.classic.next_tick();
  if (group.consumer) when = std::min(when, group.consumer->next_tick());
  if (group.share) when = std::min(when, group.share->next_tick());
  if (group.streams) when = std::min(when, group.streams->next_tick());
  arm_at(group, when);
}

void GroupMachine::arm_at(Group& group, runtime::Instant when) {
  if (when >= group.armed) return;
  group.armed = when;
  timers_.emplace(when, group.classic.id());
}

void GroupMachine::join(const JoinCall& call, const Moment& now, Effects& out) {
  const auto refuse = [&](ErrorCode code) {
    protocol::JoinGroupResponse refusal;
    refusal.error_code = wire(code);
    refusal.member_id = call.request.member_id;
    out.joins.push_back({call.token, std::move(refusal)});
  };
  const std::chrono::milliseconds session(call.request.session_timeout_ms);
  if (call.request.group_id.empty()) return refuse(ErrorCode::kInvalidGroupId);
  if (session < config_.session_timeout_min || session > config_.session_timeout_max)
    return refuse(ErrorCode::kInvalidSessionTimeout);
  Group* group = at(call.request.group_id);
  const bool made = group == nullptr;
  if (made) {
    // Only a member that we gave no id to makes a group.
    if (!call.request.member_id.empty()) return refuse(ErrorCode::kUnknownMemberId);
    group = &make(call.request.group_id);
  }
  if (group->share || (group->streams && !group->streams->empty()))
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  if (group->streams) group->streams->bury(out);
  if (group->consumer) {
    if (!group->consumer->empty()) {
      group->consumer->classic_join(call, now, out);
      follow_up(*group, now);
      return arm(*group);
    }
    group->consumer->bury(out);
  }
  group->classic.join(call, now, out);
  if (made && nothing_in(*group)) {
    groups_.erase(call.request.group_id);  // Its only member was refused.
  } else {
    arm(*group);
  }
}

void GroupMachine::sync(const protocol::SyncGroupRequest& request, Token token, const Moment& now,
                        Effects& out) {
  Group* group = at(request.group_id);
  if (request.group_id.empty() || group == nullptr) {
    protocol::SyncGroupResponse refusal;
    refusal.error_code =
        wire(request.group_id.empty() ? ErrorCode::kInvalidGroupId : ErrorCode::kUnknownMemberId);
    out.syncs.push_back({token, std::move(refusal)});
    return;
  }
  if (group->consumer) {
    group->consumer->classic_sync(request, token, now, out);
  } else {
    group->classic.sync(request, token, now, out);
  }
  arm(*group);
}

ErrorCode GroupMachine::heartbeat(const std::string& group, const std::string& member,
                                  const std::optional<std::string>& instance, std::int32_t generation,
                                  const Moment& now) {
  if (group.empty()) return ErrorCode::kInvalidGroupId;
  Group* found = at(group);
  if (found == nullptr) return ErrorCode::kUnknownMemberId;
  const ErrorCode code = found->consumer
                             ? found->consumer->classic_heartbeat(member, instance, generation, now)
                             : found->classic.heartbeat(member, instance, generation, now);
  arm(*found);
  return code;
}

std::vector<ErrorCode> GroupMachine::leave(const std::string& group,
                                           const std::vector<ClassicGroup::Leaver>& leavers,
                                           const Moment& now, Effects& out) {
  Group* found = at(group);
  if (found == nullptr) return {leavers.size(), ErrorCode::kUnknownMemberId};
  std::vector<ErrorCode> codes =
      found->consumer ? found->consumer->leave(leavers, now, out) : found->classic.leave(leavers, now, out);
  follow_up(*found, now);
  arm(*found);
  return codes;
}

Result<protocol::DescribeGroupsResponse::DescribedGroup> GroupMachine::describe(
    const std::string& group) const {
  const Group* found = at(group);
  if (found == nullptr) return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found.", group));
  if (found->consumer || found->share || found->streams)
    return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} is not a classic group.", group));
  return found->classic.describe();
}

std::vector<protocol::ListGroupsResponse::ListedGroup> GroupMachine::list(
    const std::vector<std::string>& states, const std::vector<std::string>& types) const {
  std::vector<protocol::ListGroupsResponse::ListedGroup> out;
  for (const auto& [id, group] : groups_) {
    const std::string_view type = group.share      ? kShareType
                                  : group.streams  ? kStreamsType
                                  : group.consumer ? kConsumerType
                                                   : kClassicType;
    const std::string_view state = group.share      ? ShareGroup::state_name(group.share->state())
                                   : group.streams  ? StreamsGroup::state_name(group.streams->state())
                                   : group.consumer ? ConsumerGroup::state_name(group.consumer->state())
                                                    : ClassicGroup::state_name(group.classic.state());
    if (!among(type, types) || !among(state, states)) continue;
    auto& listed = out.emplace_back();
    listed.group_id = id;
    listed.protocol_type = group.share      ? std::string(kShareType)
                           : group.streams  ? std::string(kStreamsType)
                           : group.consumer ? std::string(kConsumerProtocolType)
                                            : group.classic.protocol_type();
    listed.group_state = state;
    listed.group_type = type;
  }
  return out;
}

void GroupMachine::not_stored(const std::vector<GroupRecord>& records, const Moment& now, Effects& out) {
  for (const GroupRecord& record : records) {
    if (const auto* consumer = std::get_if<ConsumerGroupRecord>(&record)) {
      consumer_not_stored(*consumer);
      continue;
    }
    if (const auto* share = std::get_if<ShareGroupRecord>(&record)) {
      share_not_stored(*share);
      continue;
    }
    if (const auto* streams = std::get_if<StreamsGroupRecord>(&record)) {
      streams_not_stored(*streams);
      continue;
    }
    const auto* metadata = std::get_if<GroupMetadataRecord>(&record);
    Group* group = metadata == nullptr ? nullptr : at(metadata->group);
    if (group == nullptr) continue;
    group->classic.assignment_not_stored(now, out);
    arm(*group);
  }
}

void GroupMachine::tick(const Moment& now, Effects& out) {
  for (std::size_t i = 0; i < kGroupsPerTick; ++i) {
    const auto first = timers_.begin();
    if (first == timers_.end() || first->first > now.instant) return;
    auto node = timers_.extract(first);
    Group* group = at(node.mapped());
    if (group == nullptr || group->armed != node.key()) continue;
    group->armed = runtime::Instant::max();
    if (group->owes_rebalance && !group->consumer) {
      group->owes_rebalance = false;
      group->classic.loaded(now, out);
      group->classic.rebalance(RebalanceCause::kMemberLeft,
                               "the last member of the consumer protocol has gone", now, out);
    }
    group->classic.tick(now, out);
    if (group->consumer) group->consumer->tick(now, out);
    if (group->share) group->share->tick(now, out);
    if (group->streams) group->streams->tick(now, out);
    follow_up(*group, now);
    arm(*group);
  }
}

runtime::Instant GroupMachine::next_tick() const {
  return timers_.empty() ? runtime::Instant::max() : timers_.begin()->first;
}

void GroupMachine::replay(const GroupRecord& record) {
  if (const auto* commit = std::get_if<OffsetCommitRecord>(&record)) {
    pending_.supersede({commit->group, commit->topic, commit->partition});
    if (commit->value) {
      make(commit->group).offsets.put(commit->topic, commit->partition, CommittedOffset::of(*commit->value));
    } else if (Group* group = at(commit->group)) {
      group->offsets.erase(commit->topic, commit->partition);
      if (nothing_in(*group)) groups_.erase(commit->group);
    }
    return;
  }
  if (const auto* consumer = std::get_if<ConsumerGroupRecord>(&record)) return replay_consumer(*consumer);
  if (const auto* share = std::get_if<ShareGroupRecord>(&record)) return replay_share(*share);
  if (const auto* streams = std::get_if<StreamsGroupRecord>(&record)) return replay_streams(*streams);
  const auto& metadata = std::get<GroupMetadataRecord>(record);
  if (metadata.value) {
    Group& group = make(metadata.group);
    group.classic.install(*metadata.value);
    group.recorded = true;
    group.recount();
    return;
  }
  Group* group = at(metadata.group);
  if (group == nullptr) return;
  // What is committed without members outlives the members' record.
  group->classic.install({});
  group->recorded = false;
  group->recount();
  if (nothing_in(*group)) groups_.erase(metadata.group);
}

void GroupMachine::loaded(const Moment& now, Effects& out) {
  for (auto& [id, group] : groups_) {
    group.classic.loaded(now, out);
    if (group.consumer) group.consumer->loaded(now);
    if (group.share) group.share->loaded(now);
    if (group.streams) group.streams->loaded(now);
    arm(group);
  }
}

void GroupMachine::refuse_all(ErrorCode code, Effects& out) {
  for (auto& [id, group] : groups_) group.classic.refuse_all(code, out);
}

}  // namespace brook::coordinator

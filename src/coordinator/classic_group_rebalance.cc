// How a classic group comes to a new generation and its assignment, and what makes it seek one.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "coordinator/classic_group.h"

namespace brook::coordinator {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using std::chrono::milliseconds;

void ClassicGroup::rebalance_or_complete(Cause cause, const Moment& now, Effects& out) {
  if (state_ == State::kPreparingRebalance) return complete_if_all_joined(now, out);
  prepare_rebalance(std::move(cause), now, out);
}

void ClassicGroup::prepare_rebalance(Cause cause, const Moment& now, Effects& out) {
  for (auto& [id, member] : members_) {
    if (!member.sync) continue;
    refuse_sync(member, ErrorCode::kRebalanceInProgress, out);
    begin_session(member, now);
  }
  for (auto& [id, member] : members_) member.owes_sync = false;
  sync_end_ = runtime::Instant::max();
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = std::move(cause.member),
                        .cause = cause.cause,
                        .detail = std::move(cause.detail),
                        .generation = generation_,
                        .members = members_.size()});
  initial_ = state_ == State::kEmpty;
  state_ = State::kPreparingRebalance;
  if (initial_) {
    came_meanwhile_ = false;
    initial_delay_ = config_.initial_rebalance_delay;
    initial_left_ = std::max(rebalance_timeout() - initial_delay_, milliseconds(0));
    join_end_ = now.instant + initial_delay_;
    due(join_end_);
    return;
  }
  if (all_joined()) return complete_join(now, out);
  join_end_ = now.instant + rebalance_timeout();
  due(join_end_);
}

void ClassicGroup::complete_if_all_joined(const Moment& now, Effects& out) {
  if (state_ == State::kPreparingRebalance && !initial_ && all_joined()) complete_join(now, out);
}

void ClassicGroup::initial_delay_over(const Moment& now, Effects& out) {
  if (!came_meanwhile_ || initial_left_ == milliseconds(0)) return complete_join(now, out);
  came_meanwhile_ = false;
  const milliseconds waited = initial_delay_;
  initial_delay_ = std::min(config_.initial_rebalance_delay, initial_left_);
  initial_left_ = std::max(initial_left_ - waited, milliseconds(0));
  join_end_ = now.instant + initial_delay_;
  due(join_end_);
}

void ClassicGroup::complete_join(const Moment& now, Effects& out) {
  std::vector<std::string> absent;
  for (const auto& [id, member] : members_) {
    if (!member.join && !member.instance_id) absent.push_back(id);
  }
  for (const std::string& id : absent) {
    remove_member(id, out);
    out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                          .group = id_,
                          .member = id,
                          .detail = "it did not join again within the rebalance timeout",
                          .generation = generation_,
                          .members = members_.size()});
  }
  if (!members_.empty() && !elect_leader()) {
    // Only static members that have not come back: they have until their sessions end.
    join_end_ = now.instant + rebalance_timeout();
    due(join_end_);
    return;
  }
  join_end_ = runtime::Instant::max();
  initial_ = false;
  ++generation_;
  state_since_ = now.wall;
  if (members_.empty()) {
    state_ = State::kEmpty;
    protocol_.reset();
    leader_.reset();
    out.records.emplace_back(GroupMetadataRecord{id_, metadata()});
    out.events.push_back({.kind = GroupEvent::Kind::kEmptied, .group = id_, .generation = generation_});
    return;
  }
  state_ = State::kCompletingRebalance;
  protocol_ = choose_protocol();
  for (auto& [id, member] : members_) {
    reply_join(member, current_generation(member, leader_ == id), out);
    member.is_new = false;
    member.owes_sync = true;
    begin_session(member, now);
  }
  sync_end_ = now.instant + rebalance_timeout();
  due(sync_end_);
}

bool ClassicGroup::elect_leader() {
  const auto leader = leader_ ? members_.find(*leader_) : members_.end();
  if (leader != members_.end() && leader->second.join) return true;
  const auto present =
      std::ranges::find_if(members_, [](const auto& entry) { return entry.second.join.has_value(); });
  if (present == members_.end()) return false;
  leader_ = present->first;
  return true;
}

milliseconds ClassicGroup::rebalance_timeout() const {
  milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

void ClassicGroup::sync(const SyncGroupRequest& request, Token token, const Moment& now, Effects& out) {
  const auto refuse = [&](ErrorCode code) {
    SyncGroupResponse refusal;
    refusal.error_code = wire(code);
    out.syncs.push_back({token, std::move(refusal)});
  };
  const ErrorCode code = check_member(request.member_id, request.group_instance_id);
  if (code != ErrorCode::kNone) return refuse(code);
  if (request.generation_id != generation_) return refuse(ErrorCode::kIllegalGeneration);
  const bool other_type = request.protocol_type && *request.protocol_type != protocol_type_;
  const bool other_protocol = request.protocol_name && request.protocol_name != protocol_;
  if (other_type || other_protocol) return refuse(ErrorCode::kInconsistentGroupProtocol);
  ClassicMember& member = members_.at(request.member_id);
  switch (state_) {
    case State::kEmpty:
      return refuse(ErrorCode::kUnknownMemberId);
    case State::kPreparingRebalance:
      return refuse(ErrorCode::kRebalanceInProgress);
    case State::kCompletingRebalance:
      refuse_sync(member, ErrorCode::kRebalanceInProgress, out);
      member.sync = token;
      member.owes_sync = false;
      if (leader_ == member.id) assign(request, now, out);
      return;
    case State::kStable:
      member.owes_sync = false;
      begin_session(member, now);
      SyncGroupResponse response;
      response.protocol_type = protocol_type_;
      response.protocol_name = protocol_;
      response.assignment = member.assignment;
      out.syncs.push_back({token, std::move(response)});
      return;
  }
}

void ClassicGroup::assign(const SyncGroupRequest& request, const Moment& now, Effects& out) {
  std::map<std::string_view, const protocol::Bytes*> assigned;
  for (const auto& one : request.assignments) assigned[one.member_id] = &one.assignment;
  protocol::GroupMetadataValue value = metadata();
  value.current_state_timestamp = now.wall.value();
  for (auto& stored : value.members) {
    const auto at = assigned.find(stored.member_id);
    stored.assignment = at == assigned.end() ? protocol::Bytes{} : *at->second;
    ClassicMember& member = members_.at(stored.member_id);
    if (!member.sync) continue;
    SyncGroupResponse response;
    response.protocol_type = protocol_type_;
    response.protocol_name = protocol_;
    response.assignment = stored.assignment;
    out.syncs.push_back({*member.sync, std::move(response)});
    member.sync.reset();
    begin_session(member, now);
  }
  out.records.emplace_back(GroupMetadataRecord{id_, std::move(value)});
  out.events.push_back({.kind = GroupEvent::Kind::kStabilised,
                        .group = id_,
                        .member = *leader_,
                        .generation = generation_,
                        .members = members_.size()});
}

void ClassicGroup::rebalance(RebalanceCause cause, std::string detail, const Moment& now, Effects& out) {
  if (!empty()) rebalance_or_complete({cause, {}, std::move(detail)}, now, out);
}

void ClassicGroup::assignment_not_stored(const Moment& now, Effects& out) {
  if (state_ != State::kCompletingRebalance) return;
  prepare_rebalance({RebalanceCause::kAssignmentNotStored, leader_.value_or(std::string()),
                     "the log did not take the assignment"},
                    now, out);
}

std::vector<ErrorCode> ClassicGroup::leave(const std::vector<Leaver>& leavers, const Moment& now,
                                           Effects& out) {
  std::vector<ErrorCode> codes;
  std::string last;
  std::string reasons;
  for (const Leaver& leaver : leavers) {
    std::string id = leaver.member;
    if (pending_.contains(id)) {
      pending_.erase(id);
      codes.push_back(ErrorCode::kNone);
      last = id;
      continue;
    }
    // An administrator names a static member by its instance id alone.
    const auto by_instance = leaver.instance ? static_ids_.find(*leaver.instance) : static_ids_.end();
    if (id.empty() && by_instance != static_ids_.end()) id = by_instance->second;
    const ErrorCode code = check_member(id, leaver.instance);
    codes.push_back(code);
    if (code != ErrorCode::kNone) continue;
    remove_member(id, out);
    last = id;
    reasons += fmt::format("{}{}", reasons.empty() ? "" : ", ",
                           leaver.reason.empty() ? "not provided" : leaver.reason);
  }
  if (last.empty() || state_ == State::kEmpty) return codes;
  if (state_ != State::kPreparingRebalance && reasons.empty()) return codes;  // A pending one is no member.
  rebalance_or_complete({RebalanceCause::kMemberLeft, last, fmt::format("client reason: {}", reasons)}, now,
                        out);
  return codes;
}

void ClassicGroup::tick(const Moment& now, Effects& out) {
  if (now.instant < next_tick_) return;
  expire_sessions(now, out);
  if (state_ == State::kPreparingRebalance && now.instant >= join_end_) {
    if (initial_) {
      initial_delay_over(now, out);
    } else {
      complete_join(now, out);
    }
  }
  expire_syncs(now, out);
  note_next_tick();
}

void ClassicGroup::expire_sessions(const Moment& now, Effects& out) {
  const std::size_t had_pending = pending_.size();
  std::erase_if(pending_, [&](const auto& entry) { return entry.second <= now.instant; });
  std::vector<std::string> expired;
  for (const auto& [id, member] : members_) {
    // Whoever waits for us is there; a new member may have gone before its first generation.
    const bool excused = !member.is_new && (member.join || member.sync);
    if (!excused && member.session_end <= now.instant) expired.push_back(id);
  }
  for (const std::string& id : expired) {
    remove_member(id, out);
    out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                          .group = id_,
                          .member = id,
                          .detail = "its session timed out",
                          .generation = generation_,
                          .members = members_.size()});
  }
  if (!expired.empty()) {
    rebalance_or_complete({RebalanceCause::kSessionExpired, expired.front(),
                           fmt::format("{} of the members sent no heartbeat in time", expired.size())},
                          now, out);
  } else if (pending_.size() != had_pending) {
    complete_if_all_joined(now, out);
  }
}

void ClassicGroup::expire_syncs(const Moment& now, Effects& out) {
  if (now.instant < sync_end_) return;
  sync_end_ = runtime::Instant::max();
  std::vector<std::string> absent;
  for (const auto& [id, member] : members_) {
    if (member.owes_sync) absent.push_back(id);
  }
  if (absent.empty()) return;
  for (const std::string& id : absent) {
    remove_member(id, out);
    out.events.push_back({.kind = GroupEvent::Kind::kMemberRemoved,
                          .group = id_,
                          .member = id,
                          .detail = "it did not come for its assignment within the rebalance timeout",
                          .generation = generation_,
                          .members = members_.size()});
  }
  prepare_rebalance({RebalanceCause::kSyncMissed, absent.front(),
                     fmt::format("{} of the members did not come for their assignment", absent.size())},
                    now, out);
}

void ClassicGroup::note_next_tick() {
  next_tick_ = std::min(join_end_, sync_end_);
  for (const auto& [id, end] : pending_) due(end);
  for (const auto& [id, member] : members_) {
    const bool excused = !member.is_new && (member.join || member.sync);
    if (!excused) due(member.session_end);
  }
}

}  // namespace brook::coordinator

// How members come into a classic group: new ones, known ones, and static ones that come back.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/classic_group.h"

namespace brook::coordinator {
namespace {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using std::chrono::milliseconds;

/// From here on a new member is first given an id, with which it comes again (KIP-394).
constexpr std::int16_t kFirstVersionWithRequiredId = 4;
/// From here on a leader can be told that its assignment stands (KIP-814).
constexpr std::int16_t kFirstVersionWithSkippedAssignment = 9;
/// How long a new member may wait for its first generation: its client may be gone, and nothing else tells.
constexpr milliseconds kNewMemberWait = std::chrono::minutes(5);

JoinGroupResponse refusal(std::string member_id, ErrorCode code) {
  JoinGroupResponse out;
  out.error_code = wire(code);
  out.member_id = std::move(member_id);
  return out;
}

std::string why(const JoinGroupRequest& request) {
  return request.reason.value_or(std::string()).empty() ? "not provided" : *request.reason;
}

std::vector<MemberProtocol> protocols_of(const JoinGroupRequest& request) {
  std::vector<MemberProtocol> out;
  out.reserve(request.protocols.size());
  for (const auto& one : request.protocols) out.push_back({one.name, one.metadata});
  return out;
}

bool same_protocols(const ClassicMember& member, const JoinGroupRequest& request) {
  return std::ranges::equal(member.protocols, request.protocols, [](const auto& one, const auto& asked) {
    return one.name == asked.name && one.metadata == asked.metadata;
  });
}

}  // namespace

void ClassicGroup::join(const JoinCall& call, const Moment& now, Effects& out) {
  const JoinGroupRequest& request = call.request;
  const auto refuse = [&](ErrorCode code) {
    out.joins.push_back({call.token, refusal(request.member_id, code)});
  };
  const bool is_new = request.member_id.empty();
  if (!accepts(request.member_id)) {
    remove_member(request.member_id, out);
    out.joins.push_back({call.token, refusal("", ErrorCode::kGroupMaxSizeReached)});
    complete_if_all_joined(now, out);
  } else if (!supports(request)) {
    refuse(ErrorCode::kInconsistentGroupProtocol);
  } else if (is_new) {
    join_as_new(call, now, out);
  } else if (pending_.contains(request.member_id)) {
    // No static member is ever pending.
    if (request.group_instance_id) return refuse(ErrorCode::kUnknownMemberId);
    add_member(call, request.member_id, now, out);
  } else {
    const ErrorCode code = check_member(request.member_id, request.group_instance_id);
    if (code != ErrorCode::kNone) return refuse(code);
    join_as_known(call, now, out);
  }
}

bool ClassicGroup::accepts(const std::string& member) const {
  const auto at = members_.find(member);
  switch (state_) {
    case State::kEmpty:
      return true;
    case State::kPreparingRebalance:
      // Those who wait count, not those who are members: a group that has become too large loses its last
      // ones.
      return (at != members_.end() && at->second.join) || joins_waiting_ < config_.members_max;
    case State::kCompletingRebalance:
    case State::kStable:
      return at != members_.end() || members_.size() < config_.members_max;
  }
  return false;
}

void ClassicGroup::join_as_new(const JoinCall& call, const Moment& now, Effects& out) {
  const JoinGroupRequest& request = call.request;
  const std::string id =
      fmt::format("{}-{}", request.group_instance_id ? *request.group_instance_id : call.caller.client_id,
                  call.fresh_uuid);
  if (request.group_instance_id) {
    const auto known = static_ids_.find(*request.group_instance_id);
    if (known == static_ids_.end()) return add_member(call, id, now, out);
    return replace_static(call, std::string(known->second), id, now, out);
  }
  if (call.caller.version < kFirstVersionWithRequiredId) return add_member(call, id, now, out);
  const runtime::Instant end = now.instant + milliseconds(request.session_timeout_ms);
  pending_.insert_or_assign(id, end);
  due(end);
  out.joins.push_back({call.token, refusal(id, ErrorCode::kMemberIdRequired)});
}

void ClassicGroup::join_as_known(const JoinCall& call, const Moment& now, Effects& out) {
  ClassicMember& member = members_.at(call.request.member_id);
  const bool same = same_protocols(member, call.request);
  const bool leads = leader_ == member.id;
  const auto rebalance = [&](std::string_view what) {
    update_member(member, call, out);
    rebalance_or_complete({RebalanceCause::kMemberChanged, member.id,
                           fmt::format("{}; client reason: {}", what, why(call.request))},
                          now, out);
  };
  switch (state_) {
    case State::kPreparingRebalance:
      update_member(member, call, out);
      return complete_if_all_joined(now, out);
    case State::kCompletingRebalance:
      if (!same) return rebalance("a member changed its subscription before the assignment");
      // Its reply may have been lost: the same again.
      out.joins.push_back({call.token, current_generation(member, leads)});
      return;
    case State::kStable:
      // A leader joins again when what it assigns has changed, such as a topic's partitions.
      if (leads) return rebalance("the leader asks for a new assignment");
      if (!same) return rebalance("a member changed its subscription");
      out.joins.push_back({call.token, current_generation(member, false)});
      return;
    case State::kEmpty:
      out.joins.push_back({call.token, refusal(member.id, ErrorCode::kUnknownMemberId)});
      return;
  }
}

void ClassicGroup::replace_static(const JoinCall& call, const std::string& old_id, const std::string& new_id,
                                  const Moment& now, Effects& out) {
  ClassicMember& member = members_.at(old_id);
  const bool leads = leader_ == old_id;
  // Whoever still waits under the old id is a duplicate.
  refuse_join(member, ErrorCode::kFencedInstanceId, out);
  refuse_sync(member, ErrorCode::kFencedInstanceId, out);
  const Cause cause{RebalanceCause::kMemberReplaced, new_id,
                    fmt::format("static member {} came back instead of {}; client reason: {}",
                                *call.request.group_instance_id, old_id, why(call.request))};
  if (state_ == State::kStable) {
    member.protocols = protocols_of(call.request);
    if (choose_protocol() == protocol_) {
      // Nothing changes but its id: the assignment goes on, once the log has the new id.
      protocol::GroupMetadataValue value = metadata();
      const auto stored =
          std::ranges::find(value.members, old_id, &protocol::GroupMetadataValue::MemberMetadata::member_id);
      stored->member_id = new_id;
      stored->session_timeout = call.request.session_timeout_ms;
      stored->rebalance_timeout = static_cast<std::int32_t>(call.rebalance_timeout().count());
      if (leads) value.leader = new_id;
      out.records.emplace_back(GroupMetadataRecord{id_, std::move(value)});
      const bool can_skip = call.caller.version >= kFirstVersionWithSkippedAssignment;
      JoinGroupResponse response = current_generation(member, leads && can_skip);
      response.member_id = new_id;
      response.skip_assignment = leads && can_skip;
      // An older client that is told that it leads would assign anew: it is told the leader's old id.
      if (leads) response.leader = can_skip ? new_id : old_id;
      for (auto& listed : response.members) {
        if (listed.member_id == old_id) listed.member_id = new_id;
      }
      out.joins.push_back({call.token, std::move(response)});
      begin_session(member, now);
      return;
    }
  }
  rename_member(old_id, new_id);
  ClassicMember& renamed = members_.at(new_id);
  renamed.is_new = false;  // its client is there: it waits as long as the others
  update_member(renamed, call, out);
  begin_session(renamed, now);
  if (state_ == State::kPreparingRebalance) return complete_if_all_joined(now, out);
  prepare_rebalance(cause, now, out);
}

void ClassicGroup::add_member(const JoinCall& call, const std::string& id, const Moment& now, Effects& out) {
  if (members_.empty()) protocol_type_ = call.request.protocol_type;
  if (initial_) came_meanwhile_ = true;
  pending_.erase(id);
  ClassicMember& member = members_[id];
  member.id = id;
  member.instance_id = call.request.group_instance_id;
  member.client_id = call.caller.client_id;
  member.client_host = call.caller.host;
  member.is_new = true;
  update_member(member, call, out);
  if (member.instance_id) static_ids_[*member.instance_id] = id;
  if (!leader_) leader_ = id;
  member.session_end = now.instant + kNewMemberWait;
  due(member.session_end);
  rebalance_or_complete({RebalanceCause::kMemberJoined, id,
                         fmt::format("a new member joins; client reason: {}", why(call.request))},
                        now, out);
}

void ClassicGroup::update_member(ClassicMember& member, const JoinCall& call, Effects& out) {
  if (!same_protocols(member, call.request)) member.protocols = protocols_of(call.request);
  member.rebalance_timeout = call.rebalance_timeout();
  member.session_timeout = milliseconds(call.request.session_timeout_ms);
  // An earlier request of its own that still waits came from a connection that it has left.
  refuse_join(member, ErrorCode::kRebalanceInProgress, out);
  set_join(member, call.token);
}

JoinGroupResponse ClassicGroup::current_generation(const ClassicMember& member, bool tell_leader) const {
  JoinGroupResponse out;
  out.generation_id = generation_;
  out.protocol_type = protocol_type_;
  out.protocol_name = protocol_;
  out.leader = leader_.value_or(std::string());
  out.member_id = member.id;
  if (!tell_leader) return out;
  for (const auto& [id, other] : members_) {
    auto& listed = out.members.emplace_back();
    listed.member_id = id;
    listed.group_instance_id = other.instance_id;
    if (const protocol::Bytes* metadata = other.metadata_for(protocol_.value_or(std::string())))
      listed.metadata = *metadata;
  }
  return out;
}

bool ClassicGroup::supports(const JoinGroupRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) return false;
  if (members_.empty()) return true;
  if (request.protocol_type != protocol_type_) return false;
  // All members have a protocol in common, so what one of them had before still has.
  const auto known = members_.find(request.member_id);
  if (known != members_.end() && same_protocols(known->second, request)) return true;
  return std::ranges::any_of(request.protocols, [&](const auto& asked) {
    return std::ranges::all_of(
        members_, [&](const auto& entry) { return entry.second.metadata_for(asked.name) != nullptr; });
  });
}

std::string ClassicGroup::choose_protocol() const {
  // Each member votes for what it likes best among what all support; the first of equals wins.
  std::vector<std::pair<std::string_view, std::size_t>> votes;
  for (const MemberProtocol& one : members_.begin()->second.protocols) {
    const bool everyone = std::ranges::all_of(
        members_, [&](const auto& entry) { return entry.second.metadata_for(one.name) != nullptr; });
    if (everyone) votes.emplace_back(one.name, 0);
  }
  for (const auto& [id, member] : members_) {
    for (const MemberProtocol& one : member.protocols) {
      const auto at = std::ranges::find(votes, one.name, &std::pair<std::string_view, std::size_t>::first);
      if (at == votes.end()) continue;
      ++at->second;
      break;
    }
  }
  const auto best = std::ranges::max_element(votes, {}, &std::pair<std::string_view, std::size_t>::second);
  return best == votes.end() ? std::string() : std::string(best->first);
}

}  // namespace brook::coordinator

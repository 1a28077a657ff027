#include "coordinator/classic_group.h"

#include <algorithm>
#include <array>
#include <utility>

#include "coordinator/subscription.h"

namespace brook::coordinator {

using protocol::DescribeGroupsResponse;
using protocol::GroupMetadataValue;
using std::chrono::milliseconds;

const protocol::Bytes* ClassicMember::metadata_for(std::string_view protocol) const {
  const auto at = std::ranges::find(protocols, protocol, &MemberProtocol::name);
  return at == protocols.end() ? nullptr : &at->metadata;
}

std::string_view ClassicGroup::state_name(State state) {
  constexpr std::array<std::string_view, kStates> kNames{"Empty", "PreparingRebalance", "CompletingRebalance",
                                                         "Stable"};
  return kNames.at(static_cast<std::size_t>(state));
}

ErrorCode ClassicGroup::check_member(const std::string& member,
                                     const std::optional<std::string>& instance) const {
  if (instance) {
    const auto known = static_ids_.find(*instance);
    if (known == static_ids_.end()) return ErrorCode::kUnknownMemberId;
    if (known->second != member) return ErrorCode::kFencedInstanceId;
  }
  return members_.contains(member) ? ErrorCode::kNone : ErrorCode::kUnknownMemberId;
}

ErrorCode ClassicGroup::heartbeat(const std::string& member, const std::optional<std::string>& instance,
                                  std::int32_t generation, const Moment& now) {
  if (const ErrorCode code = check_member(member, instance); code != ErrorCode::kNone) return code;
  if (generation != generation_) return ErrorCode::kIllegalGeneration;
  begin_session(members_.at(member), now);
  return state_ == State::kPreparingRebalance ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

ErrorCode ClassicGroup::check_commit(const std::string& member, const std::optional<std::string>& instance,
                                     std::int32_t generation) const {
  if (generation < 0 && empty()) return ErrorCode::kNone;
  const bool from_member = generation >= 0 || !member.empty() || instance;
  // Somebody who is no member commits into a group that has some.
  if (!from_member) return ErrorCode::kUnknownMemberId;
  if (const ErrorCode code = check_member(member, instance); code != ErrorCode::kNone) return code;
  if (generation != generation_) return ErrorCode::kIllegalGeneration;
  // It knows the new generation and does not have its assignment yet.
  return state_ == State::kCompletingRebalance ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

void ClassicGroup::note_commit(const std::string& member, const Moment& now) {
  const auto at = members_.find(member);
  if (at == members_.end()) return;
  if (state_ == State::kStable || state_ == State::kPreparingRebalance) begin_session(at->second, now);
}

void ClassicGroup::install(const GroupMetadataValue& value) {
  for (const auto& stored : value.members) {
    if (!stored.group_instance_id) continue;
    const auto known = static_ids_.find(*stored.group_instance_id);
    if (known != static_ids_.end() && known->second != stored.member_id)
      rename_member(std::string(known->second), stored.member_id);
  }
  std::map<std::string, ClassicMember> installed;
  static_ids_.clear();
  joins_waiting_ = 0;
  for (const auto& stored : value.members) {
    const auto known = members_.find(stored.member_id);
    ClassicMember member = known == members_.end() ? ClassicMember{} : std::move(known->second);
    if (known == members_.end())
      member.protocols = {{value.protocol.value_or(std::string()), stored.subscription}};
    member.id = stored.member_id;
    member.instance_id = stored.group_instance_id;
    member.client_id = stored.client_id;
    member.client_host = stored.client_host;
    member.session_timeout = milliseconds(stored.session_timeout);
    member.rebalance_timeout =
        milliseconds(stored.rebalance_timeout < 0 ? stored.session_timeout : stored.rebalance_timeout);
    member.assignment = stored.assignment;
    if (member.join) ++joins_waiting_;
    if (member.instance_id) static_ids_[*member.instance_id] = member.id;
    installed.insert_or_assign(stored.member_id, std::move(member));
  }
  members_ = std::move(installed);
  protocol_type_ = value.protocol_type;
  generation_ = value.generation;
  protocol_ = value.protocol;
  leader_ = value.leader;
  state_since_.reset();
  if (value.current_state_timestamp >= 0) state_since_ = Timestamp(value.current_state_timestamp);
  state_ = members_.empty() ? State::kEmpty : State::kStable;
  // A rebalance that was under way is over: the group has become one of another protocol, or nothing.
  join_end_ = runtime::Instant::max();
  initial_ = false;
  if (members_.empty()) sync_end_ = runtime::Instant::max();
}

void ClassicGroup::loaded(const Moment& now, Effects& out) {
  for (auto& [id, member] : members_) begin_session(member, now);
  if (members_.size() > config_.members_max) {
    prepare_rebalance({RebalanceCause::kGroupTooLarge, {}, "group.max.size is smaller than the group"}, now,
                      out);
  }
}

void ClassicGroup::refuse_all(ErrorCode code, Effects& out) {
  for (auto& [id, member] : members_) {
    refuse_join(member, code, out);
    refuse_sync(member, code, out);
  }
}

GroupMetadataValue ClassicGroup::metadata() const {
  GroupMetadataValue value;
  value.protocol_type = protocol_type_;
  value.generation = generation_;
  value.protocol = protocol_;
  value.leader = leader_;
  if (state_since_) value.current_state_timestamp = state_since_->value();
  for (const auto& [id, member] : members_) {
    auto& stored = value.members.emplace_back();
    stored.member_id = id;
    stored.group_instance_id = member.instance_id;
    stored.client_id = member.client_id;
    stored.client_host = member.client_host;
    stored.rebalance_timeout = static_cast<std::int32_t>(member.rebalance_timeout.count());
    stored.session_timeout = static_cast<std::int32_t>(member.session_timeout.count());
    if (const protocol::Bytes* metadata = member.metadata_for(protocol_.value_or(std::string())))
      stored.subscription = *metadata;
    stored.assignment = member.assignment;
  }
  return value;
}

DescribeGroupsResponse::DescribedGroup ClassicGroup::describe() const {
  DescribeGroupsResponse::DescribedGroup out;
  out.group_id = id_;
  out.group_state = state_name(state_);
  out.protocol_type = protocol_type_;
  const bool stable = state_ == State::kStable;
  if (stable) out.protocol_data = protocol_.value_or(std::string());
  for (const auto& [id, member] : members_) {
    auto& one = out.members.emplace_back();
    one.member_id = id;
    one.group_instance_id = member.instance_id;
    one.client_id = member.client_id;
    one.client_host = member.client_host;
    if (!stable) continue;
    if (const protocol::Bytes* metadata = member.metadata_for(out.protocol_data))
      one.member_metadata = *metadata;
    one.member_assignment = member.assignment;
  }
  return out;
}

std::optional<std::set<std::string>> ClassicGroup::subscribed_topics() const {
  std::set<std::string> topics;
  if (members_.empty()) return topics;
  if (protocol_type_ != kConsumerProtocolType || !protocol_) return std::nullopt;
  for (const auto& [id, member] : members_) {
    const protocol::Bytes* metadata = member.metadata_for(*protocol_);
    if (metadata == nullptr) return std::nullopt;
    auto own = coordinator::subscribed_topics(*metadata);
    if (!own) return std::nullopt;
    topics.insert(own->begin(), own->end());
  }
  return topics;
}

void ClassicGroup::remove_member(const std::string& id, Effects& out) {
  pending_.erase(id);
  const auto at = members_.find(id);
  if (at == members_.end()) return;
  ClassicMember& member = at->second;
  refuse_join(member, ErrorCode::kUnknownMemberId, out);
  refuse_sync(member, ErrorCode::kUnknownMemberId, out);
  if (member.instance_id) static_ids_.erase(*member.instance_id);
  members_.erase(at);
  if (leader_ == id) leader_ = members_.empty() ? std::nullopt : std::optional(members_.begin()->first);
}

void ClassicGroup::rename_member(const std::string& old_id, const std::string& new_id) {
  auto node = members_.extract(old_id);
  node.key() = new_id;
  ClassicMember& member = node.mapped();
  member.id = new_id;
  member.owes_sync = false;
  if (member.instance_id) static_ids_[*member.instance_id] = new_id;
  if (leader_ == old_id) leader_ = new_id;
  members_.insert(std::move(node));
}

void ClassicGroup::set_join(ClassicMember& member, std::optional<Token> token) {
  if (member.join) --joins_waiting_;
  if (token) ++joins_waiting_;
  member.join = token;
}

void ClassicGroup::reply_join(ClassicMember& member, protocol::JoinGroupResponse response, Effects& out) {
  if (!member.join) return;
  out.joins.push_back({*member.join, std::move(response)});
  set_join(member, std::nullopt);
}

void ClassicGroup::refuse_join(ClassicMember& member, ErrorCode code, Effects& out) {
  protocol::JoinGroupResponse refusal;
  refusal.error_code = wire(code);
  refusal.member_id = member.id;
  reply_join(member, std::move(refusal), out);
}

void ClassicGroup::refuse_sync(ClassicMember& member, ErrorCode code, Effects& out) {
  if (!member.sync) return;
  protocol::SyncGroupResponse refusal;
  refusal.error_code = wire(code);
  out.syncs.push_back({*member.sync, std::move(refusal)});
  member.sync.reset();
}

void ClassicGroup::begin_session(ClassicMember& member, const Moment& now) {
  member.session_end = now.instant + member.session_timeout;
  due(member.session_end);
}

}  // namespace brook::coordinator

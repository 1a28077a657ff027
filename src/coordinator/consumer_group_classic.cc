// Members of the classic protocol in a consumer group, and how a group goes from one protocol to the other
// while its members are there (KIP-848, group.consumer.migration.policy). To such a member JoinGroup,
// SyncGroup and Heartbeat are the parts of one heartbeat: it joins with what it owns, its generation is its
// epoch, and instead of electing a leader it is given its assignment.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "coordinator/consumer_group.h"
#include "coordinator/consumer_protocol.h"
#include "coordinator/subscription.h"

namespace brook::coordinator {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

namespace {

/// From here on a new member is first given an id, with which it comes again (KIP-394).
constexpr std::int16_t kFirstVersionWithRequiredId = 4;

using ClassicMetadata = protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata;

TopicPartitions with_ids(const NamedPartitions& named, const ClusterFacts& facts) {
  TopicPartitions out;
  for (const auto& [name, partitions] : named) {
    if (const auto topic = facts.topic(name)) out[topic->id] = partitions;
  }
  return out;
}

NamedPartitions with_names(const HeldPartitions& held, const ClusterFacts& facts) {
  NamedPartitions out;
  for (const auto& [id, partitions] : held) {
    const auto topic = facts.topic(id);
    if (!topic) continue;
    auto& named = out[std::string(topic->name)];
    for (const auto& [partition, epoch] : partitions) named.insert(partition);
  }
  return out;
}

std::int16_t version_of(const ClassicMetadata& classic) {
  const auto subscription = read_subscription(classic.supported_protocols.front().metadata);
  return subscription ? subscription->version : std::int16_t{0};
}

bool supports(const ClassicMetadata& classic, const std::string& protocol) {
  return std::ranges::any_of(classic.supported_protocols,
                             [&](const auto& one) { return one.name == protocol; });
}

}  // namespace

void ConsumerGroup::classic_join(const JoinCall& call, const Moment& now, Effects& out) {
  const JoinGroupRequest& request = call.request;
  const auto reply = [&](JoinGroupResponse response) {
    out.joins.push_back({call.token, std::move(response)});
  };
  const auto refuse = [&](ErrorCode code, std::string member_id) {
    JoinGroupResponse refusal;
    refusal.error_code = wire(code);
    refusal.member_id = std::move(member_id);
    reply(std::move(refusal));
  };
  if (members_.size() >= config_.consumer_members_max && !members_.contains(request.member_id))
    return refuse(ErrorCode::kGroupMaxSizeReached, "");
  const auto subscription =
      request.protocols.empty() ? std::nullopt : read_subscription(request.protocols.front().metadata);
  if (!subscription || !speaks_with_all(request))
    return refuse(ErrorCode::kInconsistentGroupProtocol, request.member_id);
  if (request.member_id.empty() && !request.group_instance_id &&
      call.caller.version >= kFirstVersionWithRequiredId)
    return refuse(ErrorCode::kMemberIdRequired, std::string(call.fresh_uuid));
  auto found = classic_member_of(call);
  if (!found) return refuse(found.error().code, request.member_id);
  Change change = *std::move(found);
  const ConsumerProfile before = change.member.profile;
  ConsumerProfile& profile = change.member.profile;
  profile.instance_id = request.group_instance_id;
  if (subscription->rack) profile.rack_id = subscription->rack;
  profile.rebalance_timeout = call.rebalance_timeout();
  profile.topics = {subscription->topics.begin(), subscription->topics.end()};
  profile.regex.clear();
  profile.assignor.reset();
  profile.client_id = call.caller.client_id;
  profile.client_host = call.caller.host;
  profile.classic.emplace();
  profile.classic->session_timeout_ms = request.session_timeout_ms;
  for (const auto& one : request.protocols)
    profile.classic->supported_protocols.push_back({one.name, one.metadata});
  change.profile_changed = profile != before;
  change.subscription_changed = profile.topics != before.topics || profile.regex != before.regex;

  const ConsumerProgress next = advance(change, with_ids(subscription->owned, facts_), now, out);
  Deadlines& ends = deadlines_[change.member.id];
  ends.rejoin_end = runtime::Instant::max();
  ends.sync_end = now.instant + profile.rebalance_timeout;
  due(ends.sync_end);
  JoinGroupResponse response;
  response.member_id = change.member.id;
  response.generation_id = next.epoch;
  response.protocol_type = std::string(kConsumerProtocolType);
  response.protocol_name = request.protocols.front().name;
  reply(std::move(response));
  if (!change.replaces) return;
  // Where it came back instead of the last member of the consumer protocol, the group has those no more.
  change.member.progress = next;
  const Members members = members_with(change);
  if (!may_downgrade(members)) return;
  write_removal(change.member.id, out);
  downgrade(members, std::max(epoch_, next.epoch), now, out);
  becomes_classic_ = true;
}

bool ConsumerGroup::speaks_with_all(const JoinGroupRequest& request) const {
  if (request.protocol_type != kConsumerProtocolType) return false;
  return std::ranges::any_of(request.protocols, [&](const auto& asked) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      const auto& classic = entry.second.profile.classic;
      return !classic || entry.first == request.member_id || supports(*classic, asked.name);
    });
  });
}

Result<ConsumerGroup::Change> ConsumerGroup::classic_member_of(const JoinCall& call) const {
  const JoinGroupRequest& request = call.request;
  const std::string id = request.member_id.empty() ? std::string(call.fresh_uuid) : request.member_id;
  const ConsumerMember* known = nullptr;
  if (request.group_instance_id) {
    known = static_member(*request.group_instance_id);
    if (!request.member_id.empty() && known == nullptr)
      return fail(ErrorCode::kUnknownMemberId, "no such instance");
    if (!request.member_id.empty() && known->id != request.member_id)
      return fail(ErrorCode::kFencedInstanceId, "another member has the instance");
  } else if (const auto at = members_.find(request.member_id); at != members_.end()) {
    known = &at->second;
  }
  Change change;
  change.is_new = known == nullptr;
  if (known != nullptr) {
    change.member = *known;
    if (known->id != id) {
      change.member.progress.epoch = kJoinEpoch;
      change.member.progress.previous_epoch = kJoinEpoch;
      change.replaces = known->id;
    }
  }
  change.member.id = id;
  return change;
}

ErrorCode ConsumerGroup::check_classic(const std::string& member, const std::optional<std::string>& instance,
                                       std::int32_t generation) const {
  if (instance) {
    const ConsumerMember* known = static_member(*instance);
    if (known == nullptr) return ErrorCode::kUnknownMemberId;
    if (known->id != member) return ErrorCode::kFencedInstanceId;
  }
  const auto at = members_.find(member);
  if (at == members_.end() || !at->second.profile.classic) return ErrorCode::kUnknownMemberId;
  return check_epoch(at->second, generation);
}

void ConsumerGroup::classic_sync(const SyncGroupRequest& request, Token token, const Moment& now,
                                 Effects& out) {
  SyncGroupResponse response;
  const auto answer = [&](ErrorCode code) {
    response.error_code = wire(code);
    out.syncs.push_back({token, std::move(response)});
  };
  const ErrorCode code = check_classic(request.member_id, request.group_instance_id, request.generation_id);
  if (code != ErrorCode::kNone) return answer(code);
  const ConsumerMember& member = members_.find(request.member_id)->second;
  const std::string& protocol = member.profile.classic->supported_protocols.front().name;
  const bool other_type = request.protocol_type && *request.protocol_type != kConsumerProtocolType;
  if (other_type || (request.protocol_name && *request.protocol_name != protocol))
    return answer(ErrorCode::kInconsistentGroupProtocol);
  if (member.progress.state != ConsumerProgress::State::kUnrevoked && is_behind(member, now)) {
    await_rejoin(member, now);
    return answer(ErrorCode::kRebalanceInProgress);
  }
  Deadlines& ends = deadlines_[member.id];
  ends.sync_end = runtime::Instant::max();
  begin_session(member, now);
  response.protocol_type = std::string(kConsumerProtocolType);
  response.protocol_name = protocol;
  response.assignment =
      write_assignment(version_of(*member.profile.classic), with_names(member.progress.assigned, facts_));
  answer(ErrorCode::kNone);
}

ErrorCode ConsumerGroup::classic_heartbeat(const std::string& id, const std::optional<std::string>& instance,
                                           std::int32_t generation, const Moment& now) {
  if (const ErrorCode code = check_classic(id, instance, generation); code != ErrorCode::kNone) return code;
  const ConsumerMember& member = members_.find(id)->second;
  begin_session(member, now);
  // It comes again to catch up, to say that it has given up what it was to, or to take what has become free.
  const auto state = member.progress.state;
  const bool rejoins = is_behind(member, now) || state == ConsumerProgress::State::kUnrevoked ||
                       (state == ConsumerProgress::State::kUnreleased && !waits_for_others(member));
  if (!rejoins) return ErrorCode::kNone;
  await_rejoin(member, now);
  return ErrorCode::kRebalanceInProgress;
}

bool ConsumerGroup::is_behind(const ConsumerMember& member, const Moment& now) const {
  return member.progress.epoch < assignment_epoch_ || (epoch_ > assignment_epoch_ && may_assign(now));
}

bool ConsumerGroup::waits_for_others(const ConsumerMember& member) const {
  const auto target = targets_.find(member.id);
  if (target == targets_.end()) return false;
  return std::ranges::any_of(target->second, [&](const auto& entry) {
    return std::ranges::any_of(entry.second, [&](std::int32_t partition) {
      const auto holder = holders_.find({entry.first, PartitionIndex(partition)});
      return holder != holders_.end() && holder->second != member.id;
    });
  });
}

void ConsumerGroup::await_rejoin(const ConsumerMember& member, const Moment& now) {
  Deadlines& ends = deadlines_[member.id];
  if (ends.rejoin_end != runtime::Instant::max()) return;
  ends.rejoin_end = now.instant + member.profile.rebalance_timeout;
  due(ends.rejoin_end);
}

Result<std::vector<ConsumerGroupRecord>> ConsumerGroup::upgrade(const ClassicGroup& classic,
                                                                const ClusterFacts& facts) {
  const std::string& group = classic.id();
  const protocol::GroupMetadataValue stored = classic.metadata();
  std::vector<ConsumerGroupRecord> out;
  std::set<std::pair<TopicId, std::int32_t>> taken;
  for (const auto& [id, member] : classic.members()) {
    const protocol::Bytes* metadata = member.metadata_for(stored.protocol.value_or(std::string()));
    if (metadata == nullptr) metadata = &member.protocols.front().metadata;
    const auto subscription = read_subscription(*metadata);
    const auto assigned = read_assignment(member.assignment);
    if (assigned && has_user_data(member.assignment)) {
      // It would be lost, and an assignor that gives some, as Kafka Streams' does, needs it.
      return fail(ErrorCode::kGroupIdNotFound,
                  fmt::format("Cannot upgrade classic group {} to consumer group because an unsupported "
                              "custom assignor is in use.",
                              group));
    }
    if (!subscription || !assigned) {
      return fail(
          ErrorCode::kGroupIdNotFound,
          fmt::format("Cannot upgrade classic group {} to consumer group because the embedded consumer "
                      "protocol is malformed.",
                      group));
    }
    ConsumerProfile profile;
    profile.instance_id = member.instance_id;
    profile.rack_id = subscription->rack;
    profile.client_id = member.client_id;
    profile.client_host = member.client_host;
    profile.topics = {subscription->topics.begin(), subscription->topics.end()};
    profile.rebalance_timeout = member.rebalance_timeout;
    profile.classic.emplace();
    profile.classic->session_timeout_ms = static_cast<std::int32_t>(member.session_timeout.count());
    for (const MemberProtocol& one : member.protocols)
      profile.classic->supported_protocols.push_back({one.name, one.metadata});
    ConsumerProgress progress;
    progress.epoch = stored.generation;
    progress.previous_epoch = stored.generation;
    for (const auto& [topic, partitions] : with_ids(*assigned, facts)) {
      for (const std::int32_t partition : partitions) {
        // A client's assignor may have given it to two.
        if (taken.emplace(topic, partition).second) progress.assigned[topic][partition] = stored.generation;
      }
    }
    TopicPartitions target;
    for (const auto& [topic, partitions] : progress.assigned) {
      for (const auto& [partition, epoch] : partitions) target[topic].insert(partition);
    }
    out.emplace_back(ConsumerProfileRecord{{group, id}, profile.value()});
    out.emplace_back(ConsumerTargetRecord{{group, id}, target_value(target)});
    out.emplace_back(ConsumerProgressRecord{{group, id}, progress.value()});
  }
  protocol::ConsumerGroupMetadataValue epoch;
  epoch.epoch = stored.generation;
  out.emplace_back(ConsumerGroupEpochRecord{{group}, epoch});
  protocol::ConsumerGroupTargetAssignmentMetadataValue target_epoch;
  target_epoch.assignment_epoch = stored.generation;
  out.emplace_back(ConsumerTargetEpochRecord{{group}, target_epoch});
  return out;
}

void ConsumerGroup::downgrade(const Members& rest, std::int32_t generation, const Moment& now,
                              Effects& out) const {
  bury(out);
  protocol::GroupMetadataValue value;
  value.protocol_type = std::string(kConsumerProtocolType);
  value.generation = generation;
  value.leader = rest.front()->id;
  value.current_state_timestamp = now.wall.value();
  const auto& offers = rest.front()->profile.classic->supported_protocols;
  const auto common = std::ranges::find_if(offers, [&](const auto& offer) {
    return std::ranges::all_of(
        rest, [&](const ConsumerMember* member) { return supports(*member->profile.classic, offer.name); });
  });
  value.protocol = common == offers.end() ? offers.front().name : common->name;
  for (const ConsumerMember* member : rest) {
    const ClassicMetadata& classic = *member->profile.classic;
    auto& stored = value.members.emplace_back();
    stored.member_id = member->id;
    stored.group_instance_id = member->profile.instance_id;
    stored.client_id = member->profile.client_id;
    stored.client_host = member->profile.client_host;
    stored.rebalance_timeout = static_cast<std::int32_t>(member->profile.rebalance_timeout.count());
    stored.session_timeout = classic.session_timeout_ms;
    for (const auto& one : classic.supported_protocols) {
      if (one.name == value.protocol) stored.subscription = one.metadata;
    }
    stored.assignment = write_assignment(version_of(classic), with_names(member->progress.assigned, facts_));
  }
  out.records.emplace_back(GroupMetadataRecord{id_, std::move(value)});
}

}  // namespace brook::coordinator

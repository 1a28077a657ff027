// Groups of the consumer protocol among the others: how one comes to be, and to be classic again.
#include <fmt/core.h>

#include <iterator>
#include <utility>

#include "coordinator/group_machine.h"
#include "coordinator/subscription.h"

namespace brook::coordinator {

using protocol::ConsumerGroupDescribeResponse;
using protocol::ConsumerGroupHeartbeatResponse;

namespace {

Result<void> check_enabled(const GroupConfig& config) {
  if (config.consumer_protocol) return {};
  return fail(ErrorCode::kUnsupportedVersion,
              "group.coordinator.rebalance.protocols of the broker does not have consumer");
}

}  // namespace

Result<ConsumerGroupHeartbeatResponse> GroupMachine::consumer_heartbeat(const HeartbeatCall& call,
                                                                        const Moment& now, Effects& out) {
  BROOK_CHECK(check_enabled(config_));
  BROOK_CHECK(check_heartbeat(call.request, call.caller.version, config_.consumer_assignors));
  const std::string& id = call.request.group_id;
  Group* group = at(id);
  const bool made = group == nullptr;
  const bool becomes = made || !group->consumer;
  if (becomes && (call.request.member_epoch != kJoinEpoch || (!made && (group->share || group->streams)))) {
    return fail(ErrorCode::kGroupIdNotFound, made ? fmt::format("Consumer group {} not found.", id)
                                                  : fmt::format("Group {} is not a consumer group.", id));
  }
  Effects decided;
  const bool upgrades = !made && becomes && !group->classic.empty();
  if (made) group = &make(id);
  if (becomes && (group->recorded || upgrades)) decided.records.emplace_back(GroupMetadataRecord{id, {}});
  if (upgrades) BROOK_CHECK(upgrade(*group, decided));
  if (becomes && !upgrades) group->consumer.emplace(id, config_, facts_);
  auto response = group->consumer->heartbeat(call, now, decided);
  if (!response) {
    if (becomes) group->consumer.reset();
    if (made) groups_.erase(id);
    return response;
  }
  if (upgrades) {
    // Whoever waits comes again, as a member of the new group.
    group->classic.refuse_all(ErrorCode::kRebalanceInProgress, out);
    group->consumer->loaded(now);
  }
  std::ranges::move(decided.records, std::back_inserter(out.records));
  std::ranges::move(decided.events, std::back_inserter(out.events));
  follow_up(*group, now);
  arm(*group);
  return response;
}

Result<void> GroupMachine::upgrade(Group& group, Effects& out) {
  const ClassicGroup& classic = group.classic;
  const auto refuse = [&](std::string_view why) {
    return fail(
        ErrorCode::kGroupIdNotFound,
        fmt::format("Cannot upgrade classic group {} to consumer group because {}.", classic.id(), why));
  };
  if (!config_.consumer_upgrade) return refuse("online upgrade is disabled");
  if (classic.members().empty() || classic.protocol_type() != kConsumerProtocolType)
    return refuse("the group does not use the consumer embedded protocol");
  if (classic.members().size() > config_.consumer_members_max)
    return refuse("the group size exceeds the consumer group maximum size");
  BROOK_TRY(std::vector<ConsumerGroupRecord> records, ConsumerGroup::upgrade(classic, facts_));
  // The heartbeat that is the cause is decided over what these records make; replayed again, they make the
  // same.
  group.consumer.emplace(classic.id(), config_, facts_);
  for (const ConsumerGroupRecord& record : records) group.consumer->replay(record);
  std::ranges::move(records, std::back_inserter(out.records));
  return {};
}

void GroupMachine::follow_up(Group& group, const Moment& now) {
  if (!group.consumer || !group.consumer->becomes_classic()) return;
  group.owes_rebalance = true;
  arm_at(group, now.instant);
}

Result<ConsumerGroupDescribeResponse::DescribedGroup> GroupMachine::describe_consumer(
    const std::string& group) const {
  BROOK_CHECK(check_enabled(config_));
  const Group* found = at(group);
  if (found == nullptr) return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found.", group));
  if (!found->consumer)
    return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} is not a consumer group.", group));
  return found->consumer->describe();
}

const ConsumerGroup* GroupMachine::find_consumer(const std::string& group) const {
  const Group* found = at(group);
  return found == nullptr || !found->consumer ? nullptr : &*found->consumer;
}

void GroupMachine::bury(const std::string& id, const Group& group, Effects& out) {
  if (group.consumer) group.consumer->bury(out);
  if (group.share) group.share->bury(out);
  if (group.streams) group.streams->bury(out);
  if (group.recorded || (!group.consumer && !group.share && !group.streams))
    out.records.emplace_back(GroupMetadataRecord{id, {}});
}

}  // namespace brook::coordinator

// Streams groups among the others.
#include <fmt/core.h>

#include <iterator>
#include <utility>

#include "coordinator/group_machine.h"

namespace brook::coordinator {

using protocol::StreamsGroupDescribeResponse;

namespace {

Result<void> check_enabled(const GroupConfig& config) {
  if (config.streams_protocol) return {};
  return fail(ErrorCode::kUnsupportedVersion,
              "group.coordinator.rebalance.protocols of the broker does not have streams");
}

}  // namespace

const StreamsGroup* GroupMachine::find_streams(const std::string& group) const {
  const Group* found = at(group);
  return found == nullptr || !found->streams ? nullptr : &*found->streams;
}

Result<StreamsHeartbeatAnswer> GroupMachine::streams_heartbeat(const StreamsHeartbeatCall& call,
                                                               const Moment& now, Effects& out) {
  BROOK_CHECK(check_enabled(config_));
  BROOK_CHECK(check_streams_heartbeat(call.request));
  const std::string& id = call.request.group_id;
  Group* group = at(id);
  const bool made = group == nullptr;
  const bool becomes = made || !group->streams;
  if (made && call.request.member_epoch != 0)
    return fail(ErrorCode::kGroupIdNotFound, fmt::format("Streams group {} not found.", id));
  // Only a classic group without members gives way.
  if (!made && becomes &&
      (call.request.member_epoch != 0 || group->consumer || group->share || has_members(*group)))
    return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} is not a streams group.", id));
  Effects decided;
  if (made) group = &make(id);
  if (becomes) {
    if (group->recorded) decided.records.emplace_back(GroupMetadataRecord{id, {}});
    group->streams.emplace(id, config_, facts_);
  }
  auto answer = group->streams->heartbeat(call, now, decided);
  if (!answer) {
    if (becomes) group->streams.reset();
    if (made) groups_.erase(id);
    return answer;
  }
  std::ranges::move(decided.records, std::back_inserter(out.records));
  std::ranges::move(decided.events, std::back_inserter(out.events));
  arm(*group);
  return answer;
}

Result<StreamsGroupDescribeResponse::DescribedGroup> GroupMachine::describe_streams(
    const std::string& group) const {
  BROOK_CHECK(check_enabled(config_));
  const Group* found = at(group);
  if (found == nullptr) return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found.", group));
  if (!found->streams)
    return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} is not a streams group.", group));
  return found->streams->describe();
}

}  // namespace brook::coordinator

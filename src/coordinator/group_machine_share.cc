// Share groups among the others, and the states of what they read.
#include <fmt/core.h>

#include <iterator>
#include <utility>

#include "coordinator/group_machine.h"

namespace brook::coordinator {

using protocol::AlterShareGroupOffsetsRequest;
using protocol::DeleteShareGroupOffsetsRequest;
using protocol::ShareGroupDescribeResponse;

namespace {

std::unexpected<Error> not_found(const std::string& group) {
  return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found.", group));
}

std::unexpected<Error> not_a_share_group(const std::string& group) {
  return fail(ErrorCode::kGroupIdNotFound, fmt::format("Group {} is not a share group.", group));
}

}  // namespace

const ShareGroup* GroupMachine::find_share(const std::string& group) const {
  const Group* found = at(group);
  return found == nullptr || !found->share ? nullptr : &*found->share;
}

Result<const ShareGroup*> GroupMachine::share_group(const std::string& group) const {
  const Group* found = at(group);
  if (found == nullptr) return not_found(group);
  if (!found->share) return not_a_share_group(group);
  return &*found->share;
}

Result<ShareHeartbeatAnswer> GroupMachine::share_heartbeat(const ShareHeartbeatCall& call, const Moment& now,
                                                           Effects& out) {
  BROOK_CHECK(check_share_heartbeat(call.request));
  const std::string& id = call.request.group_id;
  Group* group = at(id);
  const bool made = group == nullptr;
  if (made) {
    if (call.request.member_epoch != 0)
      return fail(ErrorCode::kGroupIdNotFound, fmt::format("Share group {} not found.", id));
    group = &make(id);
    group->share.emplace(id, config_, facts_);
  }
  if (!group->share) return not_a_share_group(id);
  auto answer = group->share->heartbeat(call, now, out);
  if (!answer && made) {
    groups_.erase(id);
  } else {
    arm(*group);
  }
  return answer;
}

void GroupMachine::share_initialisation_ended(const std::string& group, const TopicPartitions& made,
                                              const TopicPartitions& failed, Effects& out) {
  Group* found = at(group);
  if (found != nullptr && found->share) found->share->initialisation_ended(made, failed, out);
}

void GroupMachine::share_initialisation_dropped(const std::string& group) {
  Group* found = at(group);
  if (found != nullptr && found->share) found->share->initialisation_dropped();
}

Result<ShareAlteration> GroupMachine::alter_share_offsets(const AlterShareGroupOffsetsRequest& request,
                                                          Effects& out) {
  const std::string& id = request.group_id;
  if (id.empty()) return fail(ErrorCode::kInvalidGroupId, "The group id is empty.");
  Group* group = at(id);
  const bool made = group == nullptr;
  if (made) {
    group = &make(id);
    group->share.emplace(id, config_, facts_);
  }
  if (!group->share) return not_a_share_group(id);
  auto altered = group->share->alter_offsets(request, out);
  if (made && out.records.empty()) groups_.erase(id);
  return altered;
}

Result<ShareErasure> GroupMachine::delete_share_offsets(const DeleteShareGroupOffsetsRequest& request,
                                                        Effects& out) const {
  if (request.group_id.empty()) return fail(ErrorCode::kInvalidGroupId, "The group id is empty.");
  BROOK_TRY(const ShareGroup* group, share_group(request.group_id));
  return group->delete_offsets(request, out);
}

void GroupMachine::share_states_erased(const std::string& group, const std::set<TopicId>& topics,
                                       Effects& out) const {
  if (const ShareGroup* found = find_share(group)) found->erased(topics, out);
}

Result<std::vector<TopicIdPartition>> GroupMachine::erase_share_group(const std::string& group,
                                                                      Effects& out) const {
  const ShareGroup* found = find_share(group);
  if (found == nullptr) return std::vector<TopicIdPartition>();
  if (!found->empty()) return fail(ErrorCode::kNonEmptyGroup, "The group is not empty.");
  return found->erase_all(out);
}

Result<ShareGroupDescribeResponse::DescribedGroup> GroupMachine::describe_share(
    const std::string& group) const {
  BROOK_TRY(const ShareGroup* found, share_group(group));
  return found->describe();
}

}  // namespace brook::coordinator

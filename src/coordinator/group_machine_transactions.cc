// What groups commit in transactions: TxnOffsetCommit, and the ends of those.
#include <utility>

#include "coordinator/group_machine.h"
#include "coordinator/java_string.h"

namespace brook::coordinator {

using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

namespace {

/// Any version of OffsetCommit that tells a member's epoch.
constexpr std::int16_t kVersionWithMemberEpoch = 9;

/// Who commits what, of what a commit in a transaction says.
protocol::OffsetCommitRequest as_commit(const TxnOffsetCommitRequest& request) {
  protocol::OffsetCommitRequest out;
  out.group_id = request.group_id;
  out.generation_id_or_member_epoch = request.generation_id;
  out.member_id = request.member_id;
  for (const auto& topic : request.topics) {
    auto& one = out.topics.emplace_back();
    one.name = topic.name;
    for (const auto& partition : topic.partitions)
      one.partitions.emplace_back().partition_index = partition.partition_index;
  }
  return out;
}

}  // namespace

ErrorCode GroupMachine::check_commit(const TxnOffsetCommitRequest& request, const Moment& now) {
  Group* group = at(request.group_id);
  if (group == nullptr) return request.generation_id < 0 ? ErrorCode::kNone : ErrorCode::kIllegalGeneration;
  if (group->share) return ErrorCode::kGroupIdNotFound;
  const bool names_member =
      request.generation_id >= 0 || !request.member_id.empty() || request.group_instance_id;
  if (!names_member) return ErrorCode::kNone;
  if (group->consumer || group->streams) {
    protocol::OffsetCommitRequest commit = as_commit(request);
    for (auto& topic : commit.topics) {
      if (const auto known = facts_.topic(topic.name)) topic.topic_id = known->id;
    }
    const ErrorCode code = group->consumer ? group->consumer->check_commit(commit, kVersionWithMemberEpoch)
                                           : group->streams->check_commit(commit, kVersionWithMemberEpoch);
    // No version of this request knows the newer protocols' error.
    return code == ErrorCode::kStaleMemberEpoch ? ErrorCode::kIllegalGeneration : code;
  }
  const ErrorCode code =
      group->classic.check_commit(request.member_id, request.group_instance_id, request.generation_id);
  // The transaction fences by its producer; an offset of the generation before its assignment is good.
  if (code != ErrorCode::kNone && code != ErrorCode::kRebalanceInProgress) return code;
  group->classic.note_commit(request.member_id, now);
  return ErrorCode::kNone;
}

TxnOffsetCommitResponse GroupMachine::commit_in_transaction(const TxnOffsetCommitRequest& request,
                                                            const Moment& now, Effects& out) {
  const ErrorCode refused = check_commit(request, now);
  TxnOffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& answer = answered.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.error_code = wire(refused);
      if (refused != ErrorCode::kNone) continue;
      CommittedOffset committed;
      committed.offset = partition.committed_offset;
      committed.leader_epoch = partition.committed_leader_epoch;
      committed.metadata = partition.committed_metadata.value_or(std::string());
      committed.commit_time = now.wall;
      if (java_length(committed.metadata) > config_.metadata_chars_max) {
        answer.error_code = wire(ErrorCode::kOffsetMetadataTooLarge);
        continue;
      }
      out.records.emplace_back(
          OffsetCommitRecord{request.group_id, topic.name, partition.partition_index, committed.value()});
    }
  }
  return response;
}

void GroupMachine::replay_pending(ProducerId producer, const GroupRecord& record) {
  const auto* commit = std::get_if<OffsetCommitRecord>(&record);
  if (commit == nullptr || !commit->value) return;
  pending_.put(producer, {commit->group, commit->topic, commit->partition},
               CommittedOffset::of(*commit->value));
}

void GroupMachine::end_transaction(ProducerId producer, bool commit) {
  for (auto& [key, offset] : pending_.end(producer, commit))
    make(key.group).offsets.put(key.topic, key.partition, std::move(offset));
}

}  // namespace brook::coordinator

// What groups commit: OffsetCommit, OffsetFetch, OffsetDelete, DeleteGroups and retention.
#include <utility>

#include "coordinator/group_machine.h"
#include "coordinator/java_string.h"
#include "coordinator/subscription.h"

namespace brook::coordinator {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

/// From here on a commit into a group that does not exist says so (KIP-848).
constexpr std::int16_t kFirstVersionWithGroupNotFound = 9;

OffsetFetchResponse::OffsetFetchResponsePartitions fetched(std::int32_t partition,
                                                           const CommittedOffset* committed) {
  OffsetFetchResponse::OffsetFetchResponsePartitions out;
  out.partition_index = partition;
  out.committed_offset = -1;
  out.metadata.emplace();
  if (committed == nullptr) return out;
  out.committed_offset = committed->offset;
  out.committed_leader_epoch = committed->leader_epoch;
  out.metadata = committed->metadata;
  return out;
}

}  // namespace

ErrorCode GroupMachine::check_commit(const OffsetCommitRequest& request, std::int16_t version,
                                     const Moment& now) {
  Group* group = at(request.group_id);
  if (group == nullptr) {
    // Whoever manages its partitions itself needs no group to exist.
    if (request.generation_id_or_member_epoch < 0) return ErrorCode::kNone;
    return version >= kFirstVersionWithGroupNotFound ? ErrorCode::kGroupIdNotFound
                                                     : ErrorCode::kIllegalGeneration;
  }
  if (group->share) return ErrorCode::kGroupIdNotFound;
  if (group->consumer) return group->consumer->check_commit(request, version);
  if (group->streams) return group->streams->check_commit(request, version);
  const ErrorCode code = group->classic.check_commit(request.member_id, request.group_instance_id,
                                                     request.generation_id_or_member_epoch);
  if (code == ErrorCode::kNone) group->classic.note_commit(request.member_id, now);
  return code;
}

OffsetCommitResponse GroupMachine::commit_offsets(const OffsetCommitRequest& request, std::int16_t version,
                                                  const Moment& now, Effects& out) {
  const ErrorCode refused = check_commit(request, version, now);
  OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) {
      auto& answer = answered.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.error_code = wire(refused);
      if (refused != ErrorCode::kNone) continue;
      std::string metadata = partition.committed_metadata.value_or(std::string());
      if (java_length(metadata) > config_.metadata_chars_max) {
        answer.error_code = wire(ErrorCode::kOffsetMetadataTooLarge);
        continue;
      }
      CommittedOffset committed;
      committed.offset = partition.committed_offset;
      committed.leader_epoch = partition.committed_leader_epoch;
      committed.metadata = std::move(metadata);
      committed.commit_time = now.wall;
      if (request.retention_time_ms >= 0) committed.expires = now.wall + request.retention_time_ms;
      committed.topic_id = topic.topic_id;
      out.records.emplace_back(
          OffsetCommitRecord{request.group_id, topic.name, partition.partition_index, committed.value()});
    }
  }
  return response;
}

OffsetFetchResponse::OffsetFetchResponseGroup GroupMachine::fetch_offsets(
    const OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const {
  OffsetFetchResponse::OffsetFetchResponseGroup out;
  out.group_id = request.group_id;
  const auto answer = [&](const std::string& topic, std::int32_t partition, const CommittedOffset* offset) {
    const bool unstable = require_stable && pending_.contains({request.group_id, topic, partition});
    auto answered = fetched(partition, unstable ? nullptr : offset);
    if (unstable) answered.error_code = wire(ErrorCode::kUnstableOffsetCommit);
    return answered;
  };
  const CommittedOffsets* committed = offsets(request.group_id);
  if (find_share(request.group_id) != nullptr) {
    out.error_code = wire(ErrorCode::kGroupIdNotFound);
    return out;
  }
  if (const ConsumerGroup* group = find_consumer(request.group_id)) {
    out.error_code = wire(group->check_fetch(request.member_id, request.member_epoch));
    if (out.error_code != 0) return out;
  }
  if (const StreamsGroup* group = find_streams(request.group_id)) {
    out.error_code = wire(group->check_fetch(request.member_id, request.member_epoch));
    if (out.error_code != 0) return out;
  }
  if (!request.topics) {
    if (committed == nullptr) return out;
    for (const auto& [name, partitions] : committed->topics()) {
      auto& topic = out.topics.emplace_back();
      topic.name = name;
      for (const auto& [index, offset] : partitions) topic.partitions.push_back(answer(name, index, &offset));
    }
    return out;
  }
  for (const auto& asked : *request.topics) {
    auto& topic = out.topics.emplace_back();
    topic.name = asked.name;
    topic.topic_id = asked.topic_id;
    for (const std::int32_t index : asked.partition_indexes) {
      const CommittedOffset* offset = committed == nullptr ? nullptr : committed->find(asked.name, index);
      if (offset != nullptr && offset->is_of_other_topic(asked.topic_id)) offset = nullptr;
      topic.partitions.push_back(answer(asked.name, index, offset));
    }
  }
  return out;
}

OffsetDeleteResponse GroupMachine::delete_offsets(const OffsetDeleteRequest& request, Effects& out) const {
  OffsetDeleteResponse response;
  const Group* group = at(request.group_id);
  if (group == nullptr || group->share) {
    response.error_code = wire(ErrorCode::kGroupIdNotFound);
    return response;
  }
  const bool consumers = group->classic.protocol_type() == kConsumerProtocolType;
  if (!group->consumer && !group->classic.empty() && !consumers) {
    response.error_code = wire(ErrorCode::kNonEmptyGroup);
    return response;
  }
  const auto subscribed = group->classic.subscribed_topics();
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    const bool in_use = group->consumer  ? group->consumer->subscribes_to(topic.name)
                        : group->streams ? group->streams->subscribes_to(topic.name)
                                         : !subscribed || subscribed->contains(topic.name);
    for (const auto& partition : topic.partitions) {
      auto& answer = answered.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      if (in_use) {
        answer.error_code = wire(ErrorCode::kGroupSubscribedToTopic);
      } else if (group->offsets.find(topic.name, partition.partition_index) != nullptr ||
                 pending_.contains({request.group_id, topic.name, partition.partition_index})) {
        out.records.emplace_back(
            OffsetCommitRecord{request.group_id, topic.name, partition.partition_index, {}});
      }
    }
  }
  return response;
}

ErrorCode GroupMachine::delete_group(const std::string& group, Effects& out) const {
  if (group.empty()) return ErrorCode::kInvalidGroupId;
  const Group* found = at(group);
  if (found == nullptr) return ErrorCode::kGroupIdNotFound;
  if (!found->classic.empty() || (found->consumer && !found->consumer->empty()) ||
      (found->share && !found->share->empty()) || (found->streams && !found->streams->empty()))
    return ErrorCode::kNonEmptyGroup;
  out.divisible = true;
  for (const auto& [topic, partitions] : found->offsets.topics()) {
    for (const auto& [index, offset] : partitions)
      out.records.emplace_back(OffsetCommitRecord{group, topic, index, {}});
  }
  for (const OffsetKey& key : pending_.of_group(group))
    out.records.emplace_back(OffsetCommitRecord{key.group, key.topic, key.partition, {}});
  bury(group, *found, out);
  return ErrorCode::kNone;
}

void GroupMachine::forget_topic(const std::string& topic, const TopicId& id, Effects& out) const {
  out.divisible = true;
  for (const auto& [name, group] : groups_) {
    if (group.share) group.share->forget_topic(id, out);
    const auto committed = group.offsets.topics().find(topic);
    if (committed == group.offsets.topics().end()) continue;
    for (const auto& [index, offset] : committed->second) {
      if (!offset.is_of_other_topic(id)) out.records.emplace_back(OffsetCommitRecord{name, topic, index, {}});
    }
  }
  for (const OffsetKey& key : pending_.of_topic(topic))
    out.records.emplace_back(OffsetCommitRecord{key.group, key.topic, key.partition, {}});
}

bool GroupMachine::expire(const Moment& now, std::size_t groups_max, Effects& out,
                          std::vector<ExpiredOffset>& expired) {
  out.divisible = true;
  auto next = groups_.upper_bound(expiry_cursor_);
  for (std::size_t i = 0; i < groups_max; ++i) {
    if (next == groups_.end()) {
      expiry_cursor_.clear();
      return true;
    }
    const auto at = next++;
    const auto& [id, group] = *at;
    expiry_cursor_ = id;
    const bool nothing_left = expire_offsets(group, now, out, expired);
    // What a share group has read is worth as much as what it is to read.
    if (!nothing_left || has_members(group) || group.share) continue;
    if (group.recorded || group.consumer || group.streams) {
      bury(id, group, out);
    } else if (group.offsets.empty()) {
      groups_.erase(at);
    }
  }
  return false;
}

bool GroupMachine::expire_offsets(const Group& group, const Moment& now, Effects& out,
                                  std::vector<ExpiredOffset>& expired) const {
  const ClassicGroup& classic = group.classic;
  const bool none_pending = pending_.of_group(classic.id()).empty();
  if (group.offsets.empty()) return none_pending;
  const auto subscribed = classic.subscribed_topics();
  const bool managed = !classic.protocol_type().empty();
  // While members may still use any of them, nothing expires.
  if (managed && !classic.empty() && (classic.state() != ClassicGroup::State::kStable || !subscribed))
    return false;
  bool nothing_left = none_pending;
  for (const auto& [topic, partitions] : group.offsets.topics()) {
    const bool in_use = group.consumer  ? group.consumer->subscribes_to(topic)
                        : group.streams ? group.streams->subscribes_to(topic)
                                        : subscribed && subscribed->contains(topic);
    if (in_use) {
      nothing_left = false;
      continue;
    }
    for (const auto& [index, offset] : partitions) {
      if (pending_.contains({classic.id(), topic, index})) continue;
      // Without members it is the group's last moment that counts, else the commit's own.
      const bool since_empty = managed && classic.empty() && classic.state_since();
      const Timestamp since = since_empty ? *classic.state_since() : offset.commit_time;
      const bool over = offset.expires ? now.wall >= *offset.expires
                                       : now.wall - since >= config_.offsets_retention.count();
      if (!over) {
        nothing_left = false;
        continue;
      }
      out.records.emplace_back(OffsetCommitRecord{classic.id(), topic, index, {}});
      expired.push_back({classic.id(), topic, index, offset.offset});
    }
  }
  return nothing_left;
}

}  // namespace brook::coordinator

// The states of a share group's partitions in __share_group_state: made, altered, deleted.
#include <utility>

#include "coordinator/share_group.h"

namespace brook::coordinator {

using protocol::AlterShareGroupOffsetsRequest;
using protocol::AlterShareGroupOffsetsResponse;
using protocol::DeleteShareGroupOffsetsRequest;
using protocol::DeleteShareGroupOffsetsResponse;

namespace {

constexpr std::string_view kUnknownPartition = "This server does not host this topic-partition.";

std::unexpected<Error> not_empty() { return fail(ErrorCode::kNonEmptyGroup, "The group is not empty."); }

}  // namespace

void ShareGroup::initialisation_ended(const TopicPartitions& made, const TopicPartitions& failed,
                                      Effects& out) {
  initialising_ = false;
  ShareTopics next = topics_;
  next.end(made, failed);
  if (next != topics_) write_states(next, out);
}

Result<ShareAlteration> ShareGroup::alter_offsets(const AlterShareGroupOffsetsRequest& request,
                                                  Effects& out) const {
  if (!empty()) return not_empty();
  ShareAlteration altered{.response = {}, .initialise = {epoch_, {}}};
  ShareTopics::Topics begun;
  for (const auto& topic : request.topics) {
    auto& answered = altered.response.responses.emplace_back();
    answered.topic_name = topic.topic_name;
    const auto known = facts_.topic(topic.topic_name);
    if (known) answered.topic_id = known->id;
    for (const auto& partition : topic.partitions) {
      auto& answer = answered.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      if (!known || partition.partition_index < 0 || partition.partition_index >= known->partitions) {
        answer.error_code = wire(ErrorCode::kUnknownTopicOrPartition);
        answer.error_message = kUnknownPartition;
        continue;
      }
      ShareTopics::Topic& one = begun[known->id];
      one.name = topic.topic_name;
      if (!one.partitions.insert(partition.partition_index).second) continue;
      const bool given = partition.start_offset >= 0;
      altered.initialise.starts.push_back(
          {{known->id, PartitionIndex(partition.partition_index)},
           given ? std::optional(Offset(partition.start_offset)) : std::nullopt});
    }
  }
  ShareTopics next = topics_;
  next.begin(begun);
  if (next != topics_) write_states(next, out);
  return altered;
}

Result<ShareErasure> ShareGroup::delete_offsets(const DeleteShareGroupOffsetsRequest& request,
                                                Effects& out) const {
  if (!empty()) return not_empty();
  ShareErasure erasure;
  ShareTopics next = topics_;
  for (const auto& topic : request.topics) {
    auto& answer = erasure.response.responses.emplace_back();
    answer.topic_name = topic.topic_name;
    const auto known = facts_.topic(topic.topic_name);
    if (known) answer.topic_id = known->id;
    if (!known || !topics_.has(known->id)) {
      answer.topic_id = {};
      answer.error_code = wire(ErrorCode::kUnknownTopicOrPartition);
      answer.error_message = known ? "There is no offset information to delete." : kUnknownPartition;
      continue;
    }
    for (const std::int32_t partition : topics_.states_of(known->id, known->partitions))
      erasure.erase.push_back({known->id, PartitionIndex(partition)});
    next.begin_deleting(known->id);
  }
  if (next != topics_) write_states(next, out);
  return erasure;
}

void ShareGroup::erased(const std::set<TopicId>& topics, Effects& out) const {
  ShareTopics next = topics_;
  for (const TopicId& topic : topics) next.deleting.erase(topic);
  if (next != topics_) write_states(next, out);
}

std::vector<TopicIdPartition> ShareGroup::erase_all(Effects& out) const {
  std::vector<TopicIdPartition> erase;
  ShareTopics next = topics_;
  const auto take = [&](const TopicId& id) {
    const auto topic = facts_.topic(id);
    // The states of a topic that is gone have gone with it.
    if (topic) {
      for (const std::int32_t partition : topics_.states_of(id, topic->partitions))
        erase.push_back({id, PartitionIndex(partition)});
    }
    next.begin_deleting(id);
  };
  std::set<TopicId> ids;
  for (const auto& [id, topic] : topics_.initialising) ids.insert(id);
  for (const auto& [id, topic] : topics_.initialised) ids.insert(id);
  for (const auto& [id, name] : topics_.deleting) ids.insert(id);
  for (const TopicId& id : ids) take(id);
  if (next != topics_) write_states(next, out);
  return erase;
}

void ShareGroup::forget_topic(const TopicId& topic, Effects& out) const {
  if (!topics_.has(topic)) return;
  ShareTopics next = topics_;
  next.forget(topic);
  write_states(next, out);
}

}  // namespace brook::coordinator

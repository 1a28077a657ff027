// How a consumer group's records make its state.
#include <utility>

#include "coordinator/consumer_group.h"

namespace brook::coordinator {

void ConsumerGroup::replay(const ConsumerGroupRecord& record) {
  std::visit([this](const auto& one) { apply(one); }, record);
}

void ConsumerGroup::apply(const ConsumerGroupEpochRecord& record) {
  epoch_ = record.value ? record.value->epoch : 0;
  topics_hash_ = record.value ? record.value->metadata_hash : 0;
}

void ConsumerGroup::apply(const ConsumerGroupTopicsRecord& record) {
  has_topics_record_ = record.value.has_value();
}

void ConsumerGroup::apply(const ConsumerProfileRecord& record) {
  const std::string& id = record.key.member_id;
  if (const auto known = members_.find(id); known != members_.end()) {
    const std::optional<std::string>& instance = known->second.profile.instance_id;
    if (instance) {
      const auto owner = static_ids_.find(*instance);
      if (owner != static_ids_.end() && owner->second == id) static_ids_.erase(owner);
    }
    if (!record.value) {
      release(known->second);
      if (!known->second.progress.reconciled(assignment_epoch_)) --behind_;
      members_.erase(known);
      targets_.erase(id);
    }
  }
  if (!record.value) return;
  const auto [at, made] = members_.try_emplace(id);
  ConsumerMember& member = at->second;
  if (made) {
    member.id = id;
    if (!member.progress.reconciled(assignment_epoch_)) ++behind_;
  }
  member.profile = ConsumerProfile::of(*record.value);
  if (member.profile.instance_id) static_ids_[*member.profile.instance_id] = id;
}

void ConsumerGroup::apply(const ConsumerTargetEpochRecord& record) {
  assignment_epoch_ = record.value ? record.value->assignment_epoch : 0;
  assigned_at_.reset();
  if (record.value && record.value->assignment_timestamp > 0)
    assigned_at_ = Timestamp(record.value->assignment_timestamp);
  behind_ = 0;
  for (const auto& [id, member] : members_) behind_ += member.progress.reconciled(assignment_epoch_) ? 0 : 1;
}

void ConsumerGroup::apply(const ConsumerTargetRecord& record) {
  if (record.value) {
    targets_[record.key.member_id] = partitions_of(record.value->topic_partitions);
  } else {
    targets_.erase(record.key.member_id);
  }
}

void ConsumerGroup::apply(const ConsumerProgressRecord& record) {
  const auto known = members_.find(record.key.member_id);
  if (!record.value) {
    if (known != members_.end()) set_progress(known->second, {});
    return;
  }
  const auto [at, made] = members_.try_emplace(record.key.member_id);
  ConsumerMember& member = at->second;
  if (made) {
    // After compaction its profile may come behind.
    member.id = record.key.member_id;
    if (!member.progress.reconciled(assignment_epoch_)) ++behind_;
  }
  set_progress(member, ConsumerProgress::of(*record.value));
}

void ConsumerGroup::apply(const ConsumerRegexRecord& record) {
  if (!record.value) {
    regexes_.erase(record.key.regular_expression);
    return;
  }
  ResolvedRegex& resolved = regexes_[record.key.regular_expression];
  resolved.topics = {record.value->topics.begin(), record.value->topics.end()};
  resolved.version = record.value->version;
  resolved.timestamp = record.value->timestamp;
}

void ConsumerGroup::set_progress(ConsumerMember& member, ConsumerProgress progress) {
  const bool was_behind = !member.progress.reconciled(assignment_epoch_);
  const bool is_behind = !progress.reconciled(assignment_epoch_);
  release(member);
  member.progress = std::move(progress);
  hold(member);
  behind_ = behind_ - (was_behind ? 1 : 0) + (is_behind ? 1 : 0);
}

void ConsumerGroup::hold(const ConsumerMember& member) {
  for (const HeldPartitions* held : {&member.progress.assigned, &member.progress.revoking}) {
    for (const auto& [topic, partitions] : *held) {
      for (const auto& [partition, epoch] : partitions)
        holders_[{topic, PartitionIndex(partition)}] = member.id;
    }
  }
}

void ConsumerGroup::release(const ConsumerMember& member) {
  for (const HeldPartitions* held : {&member.progress.assigned, &member.progress.revoking}) {
    for (const auto& [topic, partitions] : *held) {
      for (const auto& [partition, epoch] : partitions) {
        // In a compacted log a partition's next holder may come first.
        const auto at = holders_.find({topic, PartitionIndex(partition)});
        if (at != holders_.end() && at->second == member.id) holders_.erase(at);
      }
    }
  }
}

bool ConsumerGroup::same_records(const ConsumerGroup& other) const {
  return epoch_ == other.epoch_ && topics_hash_ == other.topics_hash_ &&
         assignment_epoch_ == other.assignment_epoch_ && assigned_at_ == other.assigned_at_ &&
         has_topics_record_ == other.has_topics_record_ && members_ == other.members_ &&
         targets_ == other.targets_ && regexes_ == other.regexes_ && static_ids_ == other.static_ids_ &&
         holders_ == other.holders_ && behind_ == other.behind_;
}

}  // namespace brook::coordinator

// How a streams group's records make its state.
#include <utility>

#include "coordinator/streams_group.h"

namespace brook::coordinator {

void StreamsGroup::replay(const StreamsGroupRecord& record) {
  std::visit([this](const auto& one) { apply(one); }, record);
}

void StreamsGroup::apply(const StreamsGroupEpochRecord& record) {
  const protocol::StreamsGroupMetadataValue value =
      record.value.value_or(protocol::StreamsGroupMetadataValue{});
  epoch_ = value.epoch;
  topics_hash_ = value.metadata_hash;
  validated_epoch_ = value.validated_topology_epoch;
  assignment_configs_.clear();
  if (!value.last_assignment_configs) return;
  for (const auto& config : *value.last_assignment_configs) assignment_configs_[config.key] = config.value;
}

void StreamsGroup::apply(const StreamsProfileRecord& record) {
  const std::string& id = record.key.member_id;
  if (record.value) {
    StreamsMember& member = members_[id];
    member.id = id;
    member.profile = *record.value;
    return;
  }
  const auto known = members_.find(id);
  if (known == members_.end()) return;
  if (known->second.profile.user_endpoint) ++endpoint_epoch_;
  members_.erase(known);
  targets_.erase(id);
  if (!members_.empty()) return;
  shutdown_by_.reset();
  first_targets_.reset();
}

void StreamsGroup::apply(const StreamsTargetEpochRecord& record) {
  assignment_epoch_ = record.value ? record.value->assignment_epoch : 0;
  assigned_at_.reset();
  if (record.value && record.value->assignment_timestamp > 0)
    assigned_at_ = Timestamp(record.value->assignment_timestamp);
}

void StreamsGroup::apply(const StreamsTargetRecord& record) {
  if (record.value) {
    targets_[record.key.member_id] = target_of(*record.value);
  } else {
    targets_.erase(record.key.member_id);
  }
}

void StreamsGroup::apply(const StreamsProgressRecord& record) {
  if (!record.value) {
    const auto known = members_.find(record.key.member_id);
    if (known != members_.end()) known->second.progress = {};
    return;
  }
  // After compaction its profile may come behind.
  StreamsMember& member = members_[record.key.member_id];
  member.id = record.key.member_id;
  member.progress = StreamsProgress::of(*record.value);
}

void StreamsGroup::apply(const StreamsTopologyRecord& record) {
  topology_ = record.value;
  configured_.reset();
  topics_seen_.reset();
}

bool StreamsGroup::same_records(const StreamsGroup& other) const {
  return epoch_ == other.epoch_ && topics_hash_ == other.topics_hash_ &&
         validated_epoch_ == other.validated_epoch_ && assignment_configs_ == other.assignment_configs_ &&
         assignment_epoch_ == other.assignment_epoch_ && assigned_at_ == other.assigned_at_ &&
         topology_ == other.topology_ && members_ == other.members_ && targets_ == other.targets_;
}

}  // namespace brook::coordinator

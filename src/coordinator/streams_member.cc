#include "coordinator/streams_member.h"

#include <vector>

namespace brook::coordinator {
namespace {

using protocol::StreamsGroupCurrentMemberAssignmentValue;
using protocol::StreamsGroupTargetAssignmentMemberValue;
using Stored = StreamsGroupCurrentMemberAssignmentValue::TaskIds;

/// Where there are no epochs of tasks it is the member's.
HeldTasks held_of(const std::vector<Stored>& stored, std::int32_t member_epoch) {
  HeldTasks out;
  for (const Stored& one : stored) {
    if (one.partitions.empty()) continue;
    auto& held = out[one.subtopology_id];
    for (std::size_t i = 0; i < one.partitions.size(); ++i) {
      const bool told = one.assignment_epochs && i < one.assignment_epochs->size();
      held[one.partitions[i]] = told ? (*one.assignment_epochs)[i] : member_epoch;
    }
  }
  return out;
}

std::vector<Stored> stored_from(const HeldTasks& held) {
  std::vector<Stored> out;
  for (const auto& [subtopology, partitions] : held) {
    Stored& stored = out.emplace_back();
    stored.subtopology_id = subtopology;
    stored.assignment_epochs.emplace();
    for (const auto& [partition, epoch] : partitions) {
      stored.partitions.push_back(partition);
      stored.assignment_epochs->push_back(epoch);
    }
  }
  return out;
}

std::vector<Stored> stored_from(const Tasks& tasks) {
  auto out = listed_tasks<std::vector<Stored>>(tasks);
  for (Stored& one : out) one.assignment_epochs.reset();
  return out;
}

}  // namespace

StreamsProgress StreamsProgress::of(const StreamsGroupCurrentMemberAssignmentValue& value) {
  StreamsProgress out;
  out.epoch = value.member_epoch;
  out.previous_epoch = value.previous_member_epoch;
  // A state that we do not know is taken for one that goes on by itself.
  const bool known = value.state >= static_cast<std::int8_t>(State::kStable) &&
                     value.state <= static_cast<std::int8_t>(State::kUnreleased);
  out.state = known ? static_cast<State>(value.state) : State::kUnreleased;
  out.assigned = {held_of(value.active_tasks, value.member_epoch), tasks_of(value.standby_tasks),
                  tasks_of(value.warmup_tasks)};
  out.revoking = {held_of(value.active_tasks_pending_revocation, value.member_epoch),
                  tasks_of(value.standby_tasks_pending_revocation),
                  tasks_of(value.warmup_tasks_pending_revocation)};
  return out;
}

StreamsGroupCurrentMemberAssignmentValue StreamsProgress::value() const {
  StreamsGroupCurrentMemberAssignmentValue out;
  out.member_epoch = epoch;
  out.previous_member_epoch = previous_epoch;
  out.state = static_cast<std::int8_t>(state);
  out.active_tasks = stored_from(assigned.active);
  out.standby_tasks = stored_from(assigned.standby);
  out.warmup_tasks = stored_from(assigned.warmup);
  out.active_tasks_pending_revocation = stored_from(revoking.active);
  out.standby_tasks_pending_revocation = stored_from(revoking.standby);
  out.warmup_tasks_pending_revocation = stored_from(revoking.warmup);
  return out;
}

TaskSets target_of(const StreamsGroupTargetAssignmentMemberValue& value) {
  return {tasks_of(value.active_tasks), tasks_of(value.standby_tasks), tasks_of(value.warmup_tasks)};
}

StreamsGroupTargetAssignmentMemberValue target_value(const TaskSets& target) {
  using Listed = std::vector<StreamsGroupTargetAssignmentMemberValue::TaskIds>;
  return {listed_tasks<Listed>(target.active), listed_tasks<Listed>(target.standby),
          listed_tasks<Listed>(target.warmup)};
}

}  // namespace brook::coordinator

#pragma once

#include <cstdint>
#include <string>

#include "coordinator/streams_tasks.h"
#include "protocol/state/group_coordinator.h"

namespace brook::coordinator {

/// What a member says of itself, as it is recorded: client tags are sorted by key.
using StreamsProfile = protocol::StreamsGroupMemberMetadataValue;

/// How far a member has come on its way to what is meant for it.
struct StreamsProgress {
  enum class State : std::int8_t {
    kStable = 1,
    kUnrevoked = 2,   ///< it is to give `revoking` up before it moves on
    kUnreleased = 3,  ///< it has moved on; some of what is meant for it others still hold
  };
  std::int32_t epoch = 0;
  std::int32_t previous_epoch = 0;
  State state = State::kStable;
  HeldTaskSets assigned;
  HeldTaskSets revoking;

  [[nodiscard]] static StreamsProgress of(const protocol::StreamsGroupCurrentMemberAssignmentValue& value);
  [[nodiscard]] protocol::StreamsGroupCurrentMemberAssignmentValue value() const;
  /// It has what is meant for it in `target_epoch`.
  [[nodiscard]] bool reconciled(std::int32_t target_epoch) const {
    return state == State::kStable && epoch == target_epoch;
  }

  friend bool operator==(const StreamsProgress&, const StreamsProgress&) = default;
};

struct StreamsMember {
  std::string id;
  StreamsProfile profile;
  StreamsProgress progress;

  friend bool operator==(const StreamsMember&, const StreamsMember&) = default;
};

[[nodiscard]] TaskSets target_of(const protocol::StreamsGroupTargetAssignmentMemberValue& value);
[[nodiscard]] protocol::StreamsGroupTargetAssignmentMemberValue target_value(const TaskSets& target);

}  // namespace brook::coordinator

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/consumer_assignor.h"
#include "coordinator/topic_partitions.h"
#include "protocol/state/group_coordinator.h"

namespace brook::coordinator {

/// A consumer's own heartbeats say these in place of an epoch.
inline constexpr std::int32_t kJoinEpoch = 0;
inline constexpr std::int32_t kLeaveEpoch = -1;
inline constexpr std::int32_t kStaticLeaveEpoch = -2;

/// Partitions, each with the epoch in which it was given to whoever has it (KIP-1251).
using HeldPartitions = std::map<TopicId, std::map<std::int32_t, std::int32_t>>;

/// What a member says of itself.
struct ConsumerProfile {
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  std::set<std::string, std::less<>> topics;
  std::string regex;  ///< "": none
  std::chrono::milliseconds rebalance_timeout{-1};
  std::optional<std::string> assignor;
  /// Of a member that came by the classic protocol; kept as it was read.
  std::optional<protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata> classic;

  [[nodiscard]] static ConsumerProfile of(const protocol::ConsumerGroupMemberMetadataValue& value);
  [[nodiscard]] protocol::ConsumerGroupMemberMetadataValue value() const;

  friend bool operator==(const ConsumerProfile&, const ConsumerProfile&) = default;
};

/// How far a member has come on its way to what is meant for it.
struct ConsumerProgress {
  enum class State : std::int8_t {
    kStable = 0,
    kUnrevoked = 1,   ///< it is to give `revoking` up before it moves on
    kUnreleased = 2,  ///< it has moved on; some of what is meant for it others still hold
  };
  std::int32_t epoch = kJoinEpoch;
  std::int32_t previous_epoch = kJoinEpoch;
  State state = State::kStable;
  HeldPartitions assigned;
  HeldPartitions revoking;

  [[nodiscard]] static ConsumerProgress of(const protocol::ConsumerGroupCurrentMemberAssignmentValue& value);
  [[nodiscard]] protocol::ConsumerGroupCurrentMemberAssignmentValue value() const;
  /// It has what is meant for it in `target_epoch`.
  [[nodiscard]] bool reconciled(std::int32_t target_epoch) const {
    return state == State::kStable && epoch == target_epoch;
  }

  friend bool operator==(const ConsumerProgress&, const ConsumerProgress&) = default;
};

struct ConsumerMember {
  std::string id;
  ConsumerProfile profile;
  ConsumerProgress progress;

  friend bool operator==(const ConsumerMember&, const ConsumerMember&) = default;
};

[[nodiscard]] protocol::ConsumerGroupTargetAssignmentMemberValue target_value(const TopicPartitions& target);

}  // namespace brook::coordinator

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "coordinator/group_records.h"
#include "protocol/join_group.h"
#include "protocol/sync_group.h"

namespace brook::coordinator {

/// A request that waits for its answer: the coordinator's own number for it.
using Token = std::uint64_t;

struct JoinReply {
  Token to = 0;
  protocol::JoinGroupResponse response;
};

struct SyncReply {
  Token to = 0;
  protocol::SyncGroupResponse response;
};

/// Why a group rebalances. The names are a metric's labels.
enum class RebalanceCause : std::uint8_t {
  kMemberJoined,
  kMemberLeft,
  kMemberChanged,   ///< it subscribes to something else, or the leader asked for a new assignment
  kMemberReplaced,  ///< a static member came back under a new id
  kSessionExpired,
  kSyncMissed,           ///< a member joined and never came for its assignment
  kAssignmentNotStored,  ///< the log refused it
  kGroupTooLarge,        ///< group.max.size is smaller now than when the members joined
  kTopicsChanged,        ///< what a consumer group reads came, went or grew
  kRevocationMissed,     ///< a consumer did not give up in time what it was to give up
};
inline constexpr std::size_t kRebalanceCauses = 10;
/// "member_joined".
[[nodiscard]] std::string_view rebalance_cause_name(RebalanceCause cause);

/// What is said in the log: one line each.
struct GroupEvent {
  enum class Kind : std::uint8_t {
    kRebalanceBegun,  ///< cause, member, detail
    kStabilised,      ///< a new generation has its assignment
    kTargeted,        ///< a consumer group has new targets; detail names the assignor
    kEmptied,
    kMemberRemoved,  ///< detail says why
  };
  Kind kind{};
  std::string group;
  std::string member{};
  RebalanceCause cause{};
  std::string detail{};
  std::int32_t generation = 0;  ///< or a consumer group's epoch
  std::size_t members = 0;
};

/// What a decision comes to, for its caller to carry out: `records` are appended as one batch and then
/// replayed into the state that decided; when they are committed, the replies go out. Where the log refuses
/// the records, nothing of that happens and the replies become errors.
struct Effects {
  std::vector<GroupRecord> records;
  /// The records need not go together: where they are too many for one batch they become several.
  bool divisible = false;
  std::vector<JoinReply> joins;
  std::vector<SyncReply> syncs;
  std::vector<GroupEvent> events;
};

[[nodiscard]] constexpr std::int16_t wire(ErrorCode code) { return static_cast<std::int16_t>(code); }

}  // namespace brook::coordinator

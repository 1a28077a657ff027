#include "coordinator/effects.h"

namespace brook::coordinator {

std::string_view rebalance_cause_name(RebalanceCause cause) {
  switch (cause) {
    case RebalanceCause::kMemberJoined:
      return "member_joined";
    case RebalanceCause::kMemberLeft:
      return "member_left";
    case RebalanceCause::kMemberChanged:
      return "member_changed";
    case RebalanceCause::kMemberReplaced:
      return "member_replaced";
    case RebalanceCause::kSessionExpired:
      return "session_expired";
    case RebalanceCause::kSyncMissed:
      return "sync_missed";
    case RebalanceCause::kAssignmentNotStored:
      return "assignment_not_stored";
    case RebalanceCause::kGroupTooLarge:
      return "group_too_large";
    case RebalanceCause::kTopicsChanged:
      return "topics_changed";
    case RebalanceCause::kRevocationMissed:
      return "revocation_missed";
  }
  return "unknown";
}

}  // namespace brook::coordinator

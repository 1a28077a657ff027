#include "keeper/types.h"

namespace brook::keeper {

std::string_view keeper_error_name(KeeperError code) {
  switch (code) {
    case KeeperError::kOk:
      return "Ok";
    case KeeperError::kSystemError:
      return "SystemError";
    case KeeperError::kRuntimeInconsistency:
      return "RuntimeInconsistency";
    case KeeperError::kDataInconsistency:
      return "DataInconsistency";
    case KeeperError::kConnectionLoss:
      return "ConnectionLoss";
    case KeeperError::kMarshallingError:
      return "MarshallingError";
    case KeeperError::kUnimplemented:
      return "Unimplemented";
    case KeeperError::kOperationTimeout:
      return "OperationTimeout";
    case KeeperError::kBadArguments:
      return "BadArguments";
    case KeeperError::kApiError:
      return "ApiError";
    case KeeperError::kNoNode:
      return "NoNode";
    case KeeperError::kNoAuth:
      return "NoAuth";
    case KeeperError::kBadVersion:
      return "BadVersion";
    case KeeperError::kNoChildrenForEphemerals:
      return "NoChildrenForEphemerals";
    case KeeperError::kNodeExists:
      return "NodeExists";
    case KeeperError::kNotEmpty:
      return "NotEmpty";
    case KeeperError::kSessionExpired:
      return "SessionExpired";
    case KeeperError::kInvalidCallback:
      return "InvalidCallback";
    case KeeperError::kInvalidAcl:
      return "InvalidACL";
    case KeeperError::kAuthFailed:
      return "AuthFailed";
    case KeeperError::kSessionMoved:
      return "SessionMoved";
    case KeeperError::kNotReadOnly:
      return "NotReadOnly";
    case KeeperError::kNoWatcher:
      return "NoWatcher";
    case KeeperError::kQuotaExceeded:
      return "QuotaExceeded";
  }
  return "Unknown";
}

std::optional<std::size_t> Failure::failed_operation() const {
  for (std::size_t i = 0; i < per_operation.size(); ++i) {
    if (per_operation[i] != KeeperError::kOk) return i;
  }
  return std::nullopt;
}

}  // namespace brook::keeper

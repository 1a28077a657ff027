#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"

/// ZooKeeper's data model as values: what every implementation of Client speaks.
namespace brook::keeper {

/// The place of a change in the one order of all changes; a node's czxid tells its incarnation.
using Zxid = Ordinal<std::int64_t, struct ZxidTag>;
using SessionId = Id<std::int64_t, struct SessionIdTag>;
/// A node's data version. Conditions take std::optional<Version>: nothing means "any" (ZooKeeper's -1).
using Version = std::int32_t;

/// ZooKeeper's own codes (KeeperException.Code), by their wire values.
enum class KeeperError : std::int32_t {
  kOk = 0,
  kSystemError = -1,
  kRuntimeInconsistency = -2,
  kDataInconsistency = -3,
  kConnectionLoss = -4,
  kMarshallingError = -5,
  kUnimplemented = -6,
  kOperationTimeout = -7,
  kBadArguments = -8,
  kApiError = -100,
  kNoNode = -101,
  kNoAuth = -102,
  kBadVersion = -103,
  kNoChildrenForEphemerals = -108,
  kNodeExists = -110,
  kNotEmpty = -111,
  kSessionExpired = -112,
  kInvalidCallback = -113,
  kInvalidAcl = -114,
  kAuthFailed = -115,
  kSessionMoved = -118,
  kNotReadOnly = -119,
  kNoWatcher = -121,
  kQuotaExceeded = -125,
};

/// Such as "NoNode".
[[nodiscard]] std::string_view keeper_error_name(KeeperError code);

/// Why the keeper refused, with a sentence that names the path.
struct Failure {
  KeeperError code = KeeperError::kSystemError;
  std::string context;
  /// Of a refused multi, one code for each operation: kOk before the one that failed (undone again), its own
  /// code there, kRuntimeInconsistency after it. Empty otherwise.
  std::vector<KeeperError> per_operation = {};

  /// The index of the operation that made a multi fail.
  [[nodiscard]] std::optional<std::size_t> failed_operation() const;
};

/// A value or a Failure; a class of its own so that a dropped one warns.
template <class T>
class [[nodiscard]] KeeperResult : public std::expected<T, Failure> {
 public:
  using std::expected<T, Failure>::expected;
};

[[nodiscard]] inline std::unexpected<Failure> keeper_fail(KeeperError code, std::string context) {
  return std::unexpected(Failure{code, std::move(context), {}});
}

/// A node's numbers, as ZooKeeper's Stat. Times are ms since 1970.
struct Stat {
  Zxid czxid;  ///< of its creation
  Zxid mzxid;  ///< of the last change of its data
  Zxid pzxid;  ///< of the last creation or removal of a child
  Timestamp ctime;
  Timestamp mtime;
  Version version = 0;
  Version cversion = 0;  ///< counts creations and removals of children
  Version aversion = 0;
  std::optional<SessionId> ephemeral_owner;
  std::int32_t data_length = 0;
  std::int32_t num_children = 0;

  friend bool operator==(const Stat&, const Stat&) = default;
};

enum class CreateMode { kPersistent, kEphemeral, kPersistentSequential, kEphemeralSequential };

/// The operations of a multi. `data` is UTF-8 JSON in practice, any bytes in principle, at most
/// kMaxDataBytes.
struct CreateOp {
  std::string path;
  std::string data;
  CreateMode mode = CreateMode::kPersistent;
};
struct SetOp {
  std::string path;
  std::string data;
  std::optional<Version> version;
};
struct RemoveOp {
  std::string path;
  std::optional<Version> version;
};
struct CheckOp {
  std::string path;
  std::optional<Version> version;
};
using Operation = std::variant<CreateOp, SetOp, RemoveOp, CheckOp>;

/// ZooKeeper's jute.maxbuffer: what one node's data, and what all operations of one multi together may be.
inline constexpr std::size_t kMaxDataBytes = 1024 * 1024;

struct OperationResult {
  std::string path;  ///< of a create: the final one, with the sequence number
  Stat stat;         ///< of a create and a set: after it; else as it was
};

/// What an accepted multi did, all at `zxid`.
struct MultiReply {
  Zxid zxid;
  std::vector<OperationResult> results;
};

struct Created {
  std::string path;
  Stat stat;  ///< czxid is the change's zxid
};

struct NodeData {
  std::string data;
  Stat stat;
};

struct Children {
  std::vector<std::string> names;  ///< sorted
  Stat stat;
};

/// By ZooKeeper's wire values.
enum class EventType : std::int32_t {
  kSession = -1,  ///< the session ended: no further event comes
  kNodeCreated = 1,
  kNodeDeleted = 2,
  kNodeDataChanged = 3,
  kNodeChildrenChanged = 4,  ///< never sent to persistent recursive watches
};

struct WatchEvent {
  EventType type = EventType::kSession;
  std::string path;
  Zxid zxid;
};

}  // namespace brook::keeper

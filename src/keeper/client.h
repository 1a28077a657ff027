#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "keeper/types.h"
#include "runtime/task.h"

namespace brook::keeper {

enum class WatchMode {
  kData,                 ///< once: the node was created, changed or deleted
  kChildren,             ///< once: a child was created or deleted, or the node itself deleted
  kPersistent,           ///< until removed: both of the above
  kPersistentRecursive,  ///< until removed: created, changed, deleted of the node and of everything below
};

/// One session with a keeper, in process or an ensemble: the only door to keeper state.
///
/// A reply to a change comes after it is durable. The events of zxid Z have been delivered to this client's
/// watches before its own reply with a zxid of Z or later arrives, and in zxid order. Calls may overlap:
/// changes take effect in the order of the calls. Ephemeral nodes of the session vanish when it closes or, in
/// process, when the server starts again. Closed or expired: every call fails with kSessionExpired. Runs on:
/// the shard that made it.
class Client {
 public:
  /// Called on the client's shard, never from inside a call of the client; must not block.
  using WatchCallback = std::function<void(const WatchEvent&)>;

  virtual ~Client() = default;

  [[nodiscard]] virtual SessionId session_id() const = 0;

  /// kNodeExists, kNoNode (no parent), kNoChildrenForEphemerals, kBadArguments (path, size).
  [[nodiscard]] virtual Task<KeeperResult<Created>> create(std::string path, std::string data,
                                                           CreateMode mode) = 0;
  /// Nothing where the node is absent, which is no failure.
  [[nodiscard]] virtual Task<KeeperResult<std::optional<Stat>>> exists(std::string path) = 0;
  /// kNoNode.
  [[nodiscard]] virtual Task<KeeperResult<NodeData>> get(std::string path) = 0;
  /// The new Stat, whose mzxid is the change's zxid. kNoNode, kBadVersion, kBadArguments (size).
  [[nodiscard]] virtual Task<KeeperResult<Stat>> set(std::string path, std::string data,
                                                     std::optional<Version> version) = 0;
  /// The change's zxid. kNoNode, kBadVersion, kNotEmpty.
  [[nodiscard]] virtual Task<KeeperResult<Zxid>> remove(std::string path, std::optional<Version> version) = 0;
  /// kNoNode.
  [[nodiscard]] virtual Task<KeeperResult<Children>> children(std::string path) = 0;
  /// All or nothing; see Failure::per_operation. At most kMaxDataBytes of paths and data together.
  [[nodiscard]] virtual Task<KeeperResult<MultiReply>> multi(std::vector<Operation> operations) = 0;

  /// From the change after this call's reply on. The node need not exist.
  [[nodiscard]] virtual Task<KeeperResult<void>> add_watch(std::string path, WatchMode mode,
                                                           WatchCallback callback) = 0;

  /// Ends the session: its ephemeral nodes are removed, its watches see kSession. A second call does nothing.
  [[nodiscard]] virtual Task<KeeperResult<void>> close() = 0;
};

}  // namespace brook::keeper

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "keeper/types.h"

namespace brook::keeper {

/// One change of the tree as it is logged: operations of a session, or the end of one.
struct Proposal {
  Zxid zxid;
  Timestamp time;
  SessionId session;
  std::vector<Operation> operations;
  bool closes_session =
      false;  ///< then there are no operations: all ephemeral nodes of the session are removed

  friend bool operator==(const Proposal&, const Proposal&);
};

struct Applied {
  MultiReply reply;
  std::vector<WatchEvent> events;
};

/// ZooKeeper's tree of nodes: pure state, no clock, no I/O. The same proposals in the same order always make
/// the same tree.
///
/// Invariants: the root is there; every node but the root has its parent; ephemeral nodes have no children; a
/// refused proposal changes nothing. Runs on: one shard.
class Tree {
 public:
  struct Node {
    std::string data;
    Stat stat;                          // cversion, data_length and num_children are computed when asked for.
    std::int32_t children_created = 0;  // Names sequential nodes.
    std::set<std::string, std::less<>> children;
  };

  Tree();

  /// All operations or none. `proposal.zxid` is beyond last_zxid(), which it becomes where the proposal is
  /// accepted.
  [[nodiscard]] KeeperResult<Applied> apply(const Proposal& proposal);

  [[nodiscard]] Zxid last_zxid() const { return last_zxid_; }
  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  [[nodiscard]] KeeperResult<NodeData> get(const std::string& path) const;
  [[nodiscard]] KeeperResult<std::optional<Stat>> exists(const std::string& path) const;
  [[nodiscard]] KeeperResult<Children> children(const std::string& path) const;
  /// The sessions that own ephemeral nodes.
  [[nodiscard]] std::vector<SessionId> sessions() const;

  /// For snapshots: every node, parents before their children; and the way back, in the same order, into an
  /// empty tree.
  void visit(const std::function<void(const std::string& path, const Node& node)>& visitor) const;
  [[nodiscard]] bool restore(std::string path, Node node);
  void set_last_zxid(Zxid zxid) { last_zxid_ = zxid; }

 private:
  struct Undo;
  using Undos = std::vector<Undo>;

  [[nodiscard]] KeeperResult<OperationResult> run(const CreateOp& op, const Proposal& in, Undos& undos,
                                                  std::vector<WatchEvent>& events);
  [[nodiscard]] KeeperResult<OperationResult> run(const SetOp& op, const Proposal& in, Undos& undos,
                                                  std::vector<WatchEvent>& events);
  [[nodiscard]] KeeperResult<OperationResult> run(const RemoveOp& op, const Proposal& in, Undos& undos,
                                                  std::vector<WatchEvent>& events);
  [[nodiscard]] KeeperResult<OperationResult> run(const CheckOp& op, const Proposal& in, Undos& undos,
                                                  std::vector<WatchEvent>& events);
  void undo(Undos undos);
  [[nodiscard]] const Node* find(const std::string& path) const;

  std::unordered_map<std::string, Node> nodes_;
  std::map<SessionId, std::set<std::string>> ephemerals_;
  Zxid last_zxid_;
};

/// ZooKeeper's rules: absolute, no empty or relative component, no control characters. `sequential` allows a
/// trailing '/'.
[[nodiscard]] KeeperResult<void> check_path(std::string_view path, bool sequential = false);
/// "/" for "/a"; of a valid path other than "/".
[[nodiscard]] std::string_view parent_path(std::string_view path);
/// Paths and data of all operations together, against kMaxDataBytes.
[[nodiscard]] std::size_t operations_size(const std::vector<Operation>& operations);

}  // namespace brook::keeper

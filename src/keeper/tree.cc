#include "keeper/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <ranges>
#include <utility>

namespace brook::keeper {
namespace {

std::string child_path(std::string_view parent, std::string_view name) {
  return parent == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", parent, name);
}

std::string_view node_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The Stat as clients see it. ZooKeeper stores the number of creations only and derives the number of
/// changes from it.
Stat shown(const Tree::Node& node) {
  Stat stat = node.stat;
  const auto children = static_cast<std::int32_t>(node.children.size());
  stat.cversion = node.children_created * 2 - children;
  stat.num_children = children;
  stat.data_length = static_cast<std::int32_t>(node.data.size());
  return stat;
}

std::unexpected<Failure> refuse(KeeperError code, std::string_view path) {
  return keeper_fail(code, fmt::format("{} for {}", keeper_error_name(code), path));
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::kPersistentSequential || mode == CreateMode::kEphemeralSequential;
}
bool is_ephemeral(CreateMode mode) {
  return mode == CreateMode::kEphemeral || mode == CreateMode::kEphemeralSequential;
}

}  // namespace

/// What puts one operation's change back. Undone last first, so a parent's stat is the one before its
/// operation.
struct Tree::Undo {
  enum class Kind { kCreated, kSet, kRemoved };

  Kind kind;
  std::string path;
  Node before = {};       // kRemoved: the whole node; kSet: data and stat.
  Stat parent_stat = {};  // kCreated, kRemoved.
};

bool operator==(const Proposal& a, const Proposal& b) {
  const auto key = [](const Operation& op) {
    return std::visit(
        [&op](const auto& o) {
          std::string data;
          std::optional<Version> version;
          int mode = 0;
          if constexpr (requires { o.data; }) data = o.data;
          if constexpr (requires { o.version; }) version = o.version;
          if constexpr (requires { o.mode; }) mode = static_cast<int>(o.mode);
          return std::tuple(op.index(), o.path, data, version, mode);
        },
        op);
  };
  return a.zxid == b.zxid && a.time == b.time && a.session == b.session &&
         a.closes_session == b.closes_session && std::ranges::equal(a.operations, b.operations, {}, key, key);
}

KeeperResult<void> check_path(std::string_view path, bool sequential) {
  const auto bad = [&](std::string_view why) {
    return keeper_fail(KeeperError::kBadArguments, fmt::format("invalid path \"{}\": {}", path, why));
  };
  if (path.empty() || path.front() != '/') return bad("it must start with '/'");
  if (path == "/") return {};
  if (path.back() == '/' && !sequential) return bad("it must not end with '/'");
  std::size_t at = 1;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    if (name.empty()) return bad("an empty node name");
    if (name == "." || name == "..") return bad("relative paths are not allowed");
    for (const char c : name) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return bad("a control character");
    }
    at = end + 1;
  }
  return {};
}

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::size_t operations_size(const std::vector<Operation>& operations) {
  std::size_t size = 0;
  for (const Operation& operation : operations) {
    size += std::visit(
        [](const auto& op) {
          if constexpr (requires { op.data; }) return op.path.size() + op.data.size();
          return op.path.size();
        },
        operation);
  }
  return size;
}

Tree::Tree() { nodes_.emplace("/", Node{}); }

const Tree::Node* Tree::find(const std::string& path) const {
  const auto it = nodes_.find(path);
  return it == nodes_.end() ? nullptr : &it->second;
}

KeeperResult<Applied> Tree::apply(const Proposal& proposal) {
  Applied applied;
  applied.reply.zxid = proposal.zxid;
  Undos undos;
  if (proposal.closes_session) {
    const auto owned = ephemerals_.extract(proposal.session);
    if (owned) {
      for (const std::string& path : owned.mapped()) {
        if (find(path)) (void)run(RemoveOp{path, {}}, proposal, undos, applied.events);
      }
    }
    last_zxid_ = proposal.zxid;
    return applied;
  }
  for (std::size_t i = 0; i < proposal.operations.size(); ++i) {
    auto result = std::visit([&](const auto& op) { return run(op, proposal, undos, applied.events); },
                             proposal.operations[i]);
    if (!result) {
      undo(std::move(undos));
      Failure failure = std::move(result).error();
      failure.per_operation.assign(proposal.operations.size(), KeeperError::kRuntimeInconsistency);
      std::fill_n(failure.per_operation.begin(), i, KeeperError::kOk);
      failure.per_operation[i] = failure.code;
      return std::unexpected(std::move(failure));
    }
    applied.reply.results.push_back(*std::move(result));
  }
  last_zxid_ = proposal.zxid;
  return applied;
}

KeeperResult<OperationResult> Tree::run(const CreateOp& op, const Proposal& in, Undos& undos,
                                        std::vector<WatchEvent>& events) {
  if (auto valid = check_path(op.path, is_sequential(op.mode)); !valid)
    return std::unexpected(std::move(valid).error());
  if (op.data.size() > kMaxDataBytes) {
    return keeper_fail(KeeperError::kBadArguments, fmt::format("{} bytes of data for {}: the limit is {}",
                                                               op.data.size(), op.path, kMaxDataBytes));
  }
  if (op.path == "/") return refuse(KeeperError::kNodeExists, op.path);
  const std::string parent(parent_path(op.path));
  const auto parent_it = nodes_.find(parent);
  if (parent_it == nodes_.end()) return refuse(KeeperError::kNoNode, parent);
  Node& above = parent_it->second;
  if (above.stat.ephemeral_owner) return refuse(KeeperError::kNoChildrenForEphemerals, parent);
  std::string path = op.path;
  if (is_sequential(op.mode)) path += fmt::format("{:010}", above.children_created);
  if (find(path)) return refuse(KeeperError::kNodeExists, path);
  if (above.children_created == std::numeric_limits<std::int32_t>::max() / 2)
    return refuse(KeeperError::kQuotaExceeded, parent);

  undos.push_back({Undo::Kind::kCreated, path, {}, above.stat});
  above.children.emplace(node_name(path));
  above.children_created += 1;
  above.stat.pzxid = in.zxid;
  Node node{op.data, {}, 0, {}};
  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = in.zxid;
  node.stat.ctime = node.stat.mtime = in.time;
  if (is_ephemeral(op.mode)) {
    node.stat.ephemeral_owner = in.session;
    ephemerals_[in.session].insert(path);
  }
  const Stat stat = shown(node);
  nodes_.emplace(path, std::move(node));
  events.push_back({EventType::kNodeCreated, path, in.zxid});
  events.push_back({EventType::kNodeChildrenChanged, parent, in.zxid});
  return OperationResult{std::move(path), stat};
}

KeeperResult<OperationResult> Tree::run(const SetOp& op, const Proposal& in, Undos& undos,
                                        std::vector<WatchEvent>& events) {
  if (auto valid = check_path(op.path); !valid) return std::unexpected(std::move(valid).error());
  if (op.data.size() > kMaxDataBytes) {
    return keeper_fail(KeeperError::kBadArguments, fmt::format("{} bytes of data for {}: the limit is {}",
                                                               op.data.size(), op.path, kMaxDataBytes));
  }
  const auto it = nodes_.find(op.path);
  if (it == nodes_.end()) return refuse(KeeperError::kNoNode, op.path);
  Node& node = it->second;
  if (op.version && *op.version != node.stat.version) return refuse(KeeperError::kBadVersion, op.path);
  undos.push_back({Undo::Kind::kSet, op.path, Node{std::exchange(node.data, op.data), node.stat, 0, {}}});
  node.stat.version += 1;
  node.stat.mzxid = in.zxid;
  node.stat.mtime = in.time;
  events.push_back({EventType::kNodeDataChanged, op.path, in.zxid});
  return OperationResult{op.path, shown(node)};
}

KeeperResult<OperationResult> Tree::run(const RemoveOp& op, const Proposal& in, Undos& undos,
                                        std::vector<WatchEvent>& events) {
  if (auto valid = check_path(op.path); !valid) return std::unexpected(std::move(valid).error());
  if (op.path == "/") return refuse(KeeperError::kBadArguments, op.path);
  const auto it = nodes_.find(op.path);
  if (it == nodes_.end()) return refuse(KeeperError::kNoNode, op.path);
  if (op.version && *op.version != it->second.stat.version) return refuse(KeeperError::kBadVersion, op.path);
  if (!it->second.children.empty()) return refuse(KeeperError::kNotEmpty, op.path);
  const std::string parent(parent_path(op.path));
  Node& above = nodes_.at(parent);
  const Stat stat = shown(it->second);
  if (const auto owner = it->second.stat.ephemeral_owner) {
    const auto owned = ephemerals_.find(*owner);
    if (owned != ephemerals_.end()) {
      owned->second.erase(op.path);
      if (owned->second.empty()) ephemerals_.erase(owned);
    }
  }
  undos.push_back({Undo::Kind::kRemoved, op.path, std::move(it->second), above.stat});
  nodes_.erase(it);
  above.children.erase(above.children.find(node_name(op.path)));
  above.stat.pzxid = in.zxid;
  events.push_back({EventType::kNodeDeleted, op.path, in.zxid});
  events.push_back({EventType::kNodeChildrenChanged, parent, in.zxid});
  return OperationResult{op.path, stat};
}

KeeperResult<OperationResult> Tree::run(const CheckOp& op, const Proposal&, Undos&,
                                        std::vector<WatchEvent>&) {
  if (auto valid = check_path(op.path); !valid) return std::unexpected(std::move(valid).error());
  const Node* node = find(op.path);
  if (!node) return refuse(KeeperError::kNoNode, op.path);
  if (op.version && *op.version != node->stat.version) return refuse(KeeperError::kBadVersion, op.path);
  return OperationResult{op.path, shown(*node)};
}

void Tree::undo(Undos undos) {
  for (Undo& step : undos | std::views::reverse) {
    switch (step.kind) {
      case Undo::Kind::kCreated: {
        const auto it = nodes_.find(step.path);
        if (const auto owner = it->second.stat.ephemeral_owner) {
          const auto owned = ephemerals_.find(*owner);
          owned->second.erase(step.path);
          if (owned->second.empty()) ephemerals_.erase(owned);
        }
        nodes_.erase(it);
        Node& above = nodes_.at(std::string(parent_path(step.path)));
        above.children.erase(above.children.find(node_name(step.path)));
        above.children_created -= 1;
        above.stat = step.parent_stat;
        break;
      }
      case Undo::Kind::kSet: {
        Node& node = nodes_.at(step.path);
        node.data = std::move(step.before.data);
        node.stat = step.before.stat;
        break;
      }
      case Undo::Kind::kRemoved: {
        if (const auto owner = step.before.stat.ephemeral_owner) ephemerals_[*owner].insert(step.path);
        Node& above = nodes_.at(std::string(parent_path(step.path)));
        above.children.emplace(node_name(step.path));
        above.stat = step.parent_stat;
        nodes_.emplace(step.path, std::move(step.before));
        break;
      }
    }
  }
}

KeeperResult<NodeData> Tree::get(const std::string& path) const {
  if (auto valid = check_path(path); !valid) return std::unexpected(std::move(valid).error());
  const Node* node = find(path);
  if (!node) return refuse(KeeperError::kNoNode, path);
  return NodeData{node->data, shown(*node)};
}

KeeperResult<std::optional<Stat>> Tree::exists(const std::string& path) const {
  if (auto valid = check_path(path); !valid) return std::unexpected(std::move(valid).error());
  const Node* node = find(path);
  return node ? std::optional(shown(*node)) : std::nullopt;
}

KeeperResult<Children> Tree::children(const std::string& path) const {
  if (auto valid = check_path(path); !valid) return std::unexpected(std::move(valid).error());
  const Node* node = find(path);
  if (!node) return refuse(KeeperError::kNoNode, path);
  return Children{{node->children.begin(), node->children.end()}, shown(*node)};
}

std::vector<SessionId> Tree::sessions() const {
  std::vector<SessionId> sessions;
  for (const auto& [session, paths] : ephemerals_) sessions.push_back(session);
  return sessions;
}

void Tree::visit(const std::function<void(const std::string&, const Node&)>& visitor) const {
  // An explicit stack: a tree may be as deep as a path is long.
  std::vector<std::string> open = {"/"};
  while (!open.empty()) {
    const std::string path = std::move(open.back());
    open.pop_back();
    const Node& node = nodes_.at(path);
    visitor(path, node);
    for (const std::string& name : node.children) open.push_back(child_path(path, name));
  }
}

bool Tree::restore(std::string path, Node node) {
  node.children.clear();
  if (!check_path(path)) return false;
  if (path == "/") {
    nodes_.at("/") = std::move(node);
    return nodes_.size() == 1;
  }
  const auto above = nodes_.find(std::string(parent_path(path)));
  if (above == nodes_.end() || !above->second.children.emplace(node_name(path)).second) return false;
  if (const auto owner = node.stat.ephemeral_owner) ephemerals_[*owner].insert(path);
  return nodes_.emplace(std::move(path), std::move(node)).second;
}

}  // namespace brook::keeper

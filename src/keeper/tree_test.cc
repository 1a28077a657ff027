#include "keeper/tree.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <random>

#include "keeper/snapshot.h"

namespace brook::keeper {
namespace {

constexpr SessionId kSession{7};

Proposal proposal(const Tree& tree, std::vector<Operation> operations, SessionId session = kSession) {
  return {tree.last_zxid().next(), Timestamp(1000 + tree.last_zxid().value()), session, std::move(operations),
          false};
}

KeeperResult<Applied> apply(Tree& tree, std::vector<Operation> operations, SessionId session = kSession) {
  return tree.apply(proposal(tree, std::move(operations), session));
}

TEST(Tree, CountsAsZooKeeperDoes) {
  Tree tree;

  ASSERT_TRUE(apply(tree, {CreateOp{"/a", "x"}}));
  ASSERT_TRUE(apply(tree, {CreateOp{"/a/b", ""}}));
  ASSERT_TRUE(apply(tree, {SetOp{"/a", "yy", 0}}));
  ASSERT_TRUE(apply(tree, {RemoveOp{"/a/b", {}}}));

  const Stat stat = tree.get("/a")->stat;
  EXPECT_EQ(stat.czxid, Zxid(1));
  EXPECT_EQ(stat.mzxid, Zxid(3));
  EXPECT_EQ(stat.pzxid, Zxid(4));
  EXPECT_EQ(stat.version, 1);
  EXPECT_EQ(stat.cversion, 2);
  EXPECT_EQ(stat.data_length, 2);
  EXPECT_EQ(stat.num_children, 0);
  EXPECT_EQ(stat.ctime, Timestamp(1000));
  EXPECT_EQ(stat.mtime, Timestamp(1002));
}

TEST(Tree, NumbersSequentialNodesByCreations) {
  Tree tree;
  ASSERT_TRUE(apply(tree, {CreateOp{"/c", ""}}));

  const auto first = apply(tree, {CreateOp{"/c/n_", "", CreateMode::kPersistentSequential}});
  ASSERT_TRUE(apply(tree, {RemoveOp{first->reply.results[0].path, {}}}));
  const auto second = apply(tree, {CreateOp{"/c/n_", "", CreateMode::kPersistentSequential}});

  EXPECT_EQ(first->reply.results[0].path, "/c/n_0000000000");
  EXPECT_EQ(second->reply.results[0].path, "/c/n_0000000001");
}

TEST(Tree, RefusesWithZooKeepersCodes) {
  Tree tree;
  ASSERT_TRUE(
      apply(tree, {CreateOp{"/a", ""}, CreateOp{"/a/b", ""}, CreateOp{"/e", "", CreateMode::kEphemeral}}));

  EXPECT_EQ(apply(tree, {CreateOp{"/a", ""}}).error().code, KeeperError::kNodeExists);
  EXPECT_EQ(apply(tree, {CreateOp{"/x/y", ""}}).error().code, KeeperError::kNoNode);
  EXPECT_EQ(apply(tree, {CreateOp{"/e/y", ""}}).error().code, KeeperError::kNoChildrenForEphemerals);
  EXPECT_EQ(apply(tree, {RemoveOp{"/a", {}}}).error().code, KeeperError::kNotEmpty);
  EXPECT_EQ(apply(tree, {SetOp{"/a", "", 3}}).error().code, KeeperError::kBadVersion);
  EXPECT_EQ(apply(tree, {CheckOp{"/a", 1}}).error().code, KeeperError::kBadVersion);
  EXPECT_EQ(apply(tree, {RemoveOp{"/", {}}}).error().code, KeeperError::kBadArguments);
  EXPECT_EQ(apply(tree, {SetOp{"/a", std::string(kMaxDataBytes + 1, 'x'), {}}}).error().code,
            KeeperError::kBadArguments);
  EXPECT_EQ(tree.last_zxid(), Zxid(1));
}

TEST(Tree, RefusesBadPaths) {
  for (const char* path : {"", "a", "/a/", "//", "/a//b", "/.", "/a/../b", "/a\n"})
    EXPECT_FALSE(check_path(path)) << path;
  for (const char* path : {"/", "/a", "/a/b.c", "/config/brokers/<default>"})
    EXPECT_TRUE(check_path(path)) << path;
}

TEST(Tree, TellsOfEachOperationOfARefusedMulti) {
  Tree tree;

  const auto refused = apply(tree, {CreateOp{"/a", ""}, CheckOp{"/none", {}}, CreateOp{"/b", ""}});

  EXPECT_EQ(refused.error().per_operation,
            (std::vector{KeeperError::kOk, KeeperError::kNoNode, KeeperError::kRuntimeInconsistency}));
  EXPECT_EQ(refused.error().failed_operation(), 1U);
  EXPECT_EQ(tree.node_count(), 1U);
}

TEST(Tree, RemovesEphemeralNodesWithTheirSession) {
  Tree tree;
  ASSERT_TRUE(apply(tree, {CreateOp{"/mine", "", CreateMode::kEphemeral}}, SessionId(1)));
  ASSERT_TRUE(apply(tree, {CreateOp{"/theirs", "", CreateMode::kEphemeral}}, SessionId(2)));

  const auto closed = tree.apply({tree.last_zxid().next(), Timestamp(5), SessionId(1), {}, true});

  EXPECT_EQ(closed->events[0].path, "/mine");
  EXPECT_EQ(closed->events[0].type, EventType::kNodeDeleted);
  EXPECT_FALSE(*tree.exists("/mine"));
  EXPECT_TRUE(*tree.exists("/theirs"));
  EXPECT_EQ(tree.sessions(), std::vector{SessionId(2)});
}

/// The same rules, as simply as they can be said: a copy of everything for each attempt.
struct Model {
  struct Node {
    std::string data;
    Zxid czxid, mzxid, pzxid;
    int version = 0, changes = 0, created = 0;
    std::optional<SessionId> owner;
  };
  std::map<std::string, Node> nodes{{"/", {}}};

  [[nodiscard]] int children_of(const std::string& path) const {
    int count = 0;
    for (const auto& [other, node] : nodes) count += other != "/" && parent_path(other) == path ? 1 : 0;
    return count;
  }

  KeeperError run(const Operation& operation, Zxid zxid, SessionId session) {
    if (const auto* op = std::get_if<CreateOp>(&operation)) {
      const std::string parent(parent_path(op->path));
      if (!nodes.contains(parent)) return KeeperError::kNoNode;
      if (nodes[parent].owner) return KeeperError::kNoChildrenForEphemerals;
      std::string path = op->path;
      if (op->mode == CreateMode::kPersistentSequential || op->mode == CreateMode::kEphemeralSequential) {
        path += fmt::format("{:010}", nodes[parent].created);
      }
      if (nodes.contains(path)) return KeeperError::kNodeExists;
      Node node{op->data, zxid, zxid, zxid, 0, 0, 0, {}};
      if (op->mode == CreateMode::kEphemeral || op->mode == CreateMode::kEphemeralSequential)
        node.owner = session;
      nodes[path] = node;
      nodes[parent].created += 1;
      touch(parent, zxid);
    } else if (const auto* set = std::get_if<SetOp>(&operation)) {
      if (!nodes.contains(set->path)) return KeeperError::kNoNode;
      Node& node = nodes[set->path];
      if (set->version && *set->version != node.version) return KeeperError::kBadVersion;
      node.data = set->data;
      node.version += 1;
      node.mzxid = zxid;
    } else if (const auto* removal = std::get_if<RemoveOp>(&operation)) {
      if (!nodes.contains(removal->path)) return KeeperError::kNoNode;
      if (removal->version && *removal->version != nodes[removal->path].version)
        return KeeperError::kBadVersion;
      if (children_of(removal->path) > 0) return KeeperError::kNotEmpty;
      nodes.erase(removal->path);
      touch(std::string(parent_path(removal->path)), zxid);
    } else if (const auto* check = std::get_if<CheckOp>(&operation)) {
      if (!nodes.contains(check->path)) return KeeperError::kNoNode;
      if (check->version && *check->version != nodes[check->path].version) return KeeperError::kBadVersion;
    }
    return KeeperError::kOk;
  }
  void touch(const std::string& path, Zxid zxid) {
    nodes[path].changes += 1;
    nodes[path].pzxid = zxid;
  }
};

void expect_same(const Tree& tree, const Model& model) {
  ASSERT_EQ(tree.node_count(), model.nodes.size());
  for (const auto& [path, node] : model.nodes) {
    const auto got = tree.get(path);
    ASSERT_TRUE(got) << path;
    EXPECT_EQ(got->data, node.data) << path;
    EXPECT_EQ(got->stat.czxid, node.czxid) << path;
    EXPECT_EQ(got->stat.mzxid, node.mzxid) << path;
    EXPECT_EQ(got->stat.pzxid, node.pzxid) << path;
    EXPECT_EQ(got->stat.version, node.version) << path;
    EXPECT_EQ(got->stat.cversion, node.changes) << path;
    EXPECT_EQ(got->stat.ephemeral_owner, node.owner) << path;
    EXPECT_EQ(got->stat.num_children, model.children_of(path)) << path;
  }
}

TEST(Tree, DoesWhatTheNaiveModelDoes) {
  std::mt19937 random(1);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto path = [&] {
    std::string text;
    for (int depth = 1 + pick(3); depth > 0; --depth)
      text += fmt::format("/{}", static_cast<char>('a' + pick(3)));
    return text;
  };
  const auto version = [&] {
    return pick(2) == 0 ? std::optional<Version>{} : std::optional<Version>(pick(3));
  };
  Tree tree;
  Model model;

  for (int step = 0; step < 4000; ++step) {
    std::vector<Operation> operations;
    for (int n = 1 + pick(3); n > 0; --n) {
      switch (pick(8)) {
        case 0:
        case 1:
        case 2:
          operations.push_back(CreateOp{path(), fmt::format("{}", step),
                                        pick(4) == 0 ? CreateMode::kEphemeral : CreateMode::kPersistent});
          break;
        case 3:
          operations.push_back(
              CreateOp{path(), "",
                       pick(2) == 0 ? CreateMode::kEphemeralSequential : CreateMode::kPersistentSequential});
          break;
        case 4:
          operations.push_back(SetOp{path(), fmt::format("{}", step), version()});
          break;
        case 5:
        case 6:
          operations.push_back(RemoveOp{path(), version()});
          break;
        default:
          operations.push_back(CheckOp{path(), version()});
          break;
      }
    }
    const SessionId session(pick(3));
    const Zxid zxid = tree.last_zxid().next();
    if (step % 200 == 199) {
      ASSERT_TRUE(tree.apply({zxid, Timestamp(0), session, {}, true}));
      std::vector<std::string> owned;
      for (const auto& [name, node] : model.nodes) {
        if (node.owner == session) owned.push_back(name);
      }
      for (const auto& name : owned) (void)model.run(RemoveOp{name, {}}, zxid, session);
    } else {
      Model next = model;
      KeeperError expected = KeeperError::kOk;
      for (const Operation& operation : operations) {
        if (expected == KeeperError::kOk) expected = next.run(operation, zxid, session);
      }
      const auto applied = tree.apply({zxid, Timestamp(0), session, operations, false});
      ASSERT_EQ(applied ? KeeperError::kOk : applied.error().code, expected) << step;
      if (applied) model = next;
    }
    if (step % 50 == 0) expect_same(tree, model);
    if (testing::Test::HasFailure()) return;
  }

  Tree copy;
  ASSERT_TRUE(decode_snapshot(encode_snapshot(tree), copy));
  expect_same(copy, model);
  EXPECT_EQ(copy.last_zxid(), tree.last_zxid());
  EXPECT_EQ(copy.sessions(), tree.sessions());
}

TEST(Snapshot, IsRefusedWhereAnyByteIsWrong) {
  Tree tree;
  ASSERT_TRUE(apply(tree, {CreateOp{"/a", "data"}, CreateOp{"/a/b", "", CreateMode::kEphemeral}}));
  const std::string good = encode_snapshot(tree);

  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    Tree copy;
    EXPECT_FALSE(decode_snapshot(bad, copy)) << at;
    Tree shorter;
    EXPECT_FALSE(decode_snapshot(good.substr(0, at), shorter)) << at;
  }
}

}  // namespace
}  // namespace brook::keeper

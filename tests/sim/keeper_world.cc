// The keeper, as the controller uses it: changes that follow one another without waiting, snapshots, kills
// and power cuts. What was answered is there afterwards; of the rest a beginning.
#include <fmt/core.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "keeper/client.h"
#include "keeper/server.h"
#include "runtime/gate.h"
#include "runtime/simulated/simulated_host.h"
#include "verdict.h"
#include "worlds.h"

namespace brook::sim {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using runtime::simulated::Disk;
using runtime::simulated::Network;
using runtime::simulated::SimulatedHost;
using runtime::simulated::World;

constexpr runtime::Duration kLifeMost = 24h;
constexpr std::int64_t kNodes = 12;

using Tree = std::map<std::string, std::string>;

/// Sets a node, which it makes where it is absent, or removes it.
struct Change {
  std::string path;
  std::optional<std::string> data;
};

void change_tree(Tree& tree, const Change& change) {
  if (change.data) {
    tree[change.path] = *change.data;
  } else {
    tree.erase(change.path);
  }
}

class KeeperWorld {
 public:
  explicit KeeperWorld(std::uint64_t seed) : world_(seed), disk_(world_, 64UL << 20U), network_(world_) {
    options_.log_bytes_max = 300 + world_.draw(6000);
  }

  Outcome run() {
    const std::uint64_t lives = 3 + world_.draw(6);
    for (std::uint64_t life = 0; life < lives; ++life) live_once(life + 1 == lives);
    outcome_.trace = world_.trace();
    outcome_.steps = world_.steps();
    return outcome_;
  }

 private:
  void live_once(bool last) {
    auto host = std::make_unique<SimulatedHost>(world_, disk_, network_, "machine", 1);
    host_ = host.get();
    changes_gate_ = std::make_unique<runtime::Gate>();
    disk_.no_fatal_change();
    if (!last) disk_.at_change(world_.draw(world_.draw(3) == 0 ? 20 : 200), [this] { die(); });
    changes_left_ = last ? 20 : 100 + static_cast<std::int64_t>(world_.draw(200));
    host->start([this](runtime::Host& own) { return live(own.shard(0)); });
    if (!world_.run_until([this] { return host_->ended() || !host_->alive(); }, kLifeMost))
      violated("nothing goes on");
    if (host_->ended()) {
      ++outcome_.clean_stops;
      return;
    }
    static_cast<void>(client_.release());
    static_cast<void>(server_.release());
    static_cast<void>(changes_gate_.release());
    SimulatedHost::abandon(std::move(host));
  }

  void die() {
    const bool power = world_.draw(2) == 0;
    if (power) disk_.cut_power();
    host_->crash();
    ++(power ? outcome_.power_cuts : outcome_.kills);
  }

  Task<int> live(runtime::Shard& shard) {
    auto opened = co_await keeper::Server::open(shard, shard.files(), "/data/keeper", options_);
    co_await host_->go_on();
    if (!opened) violated("the keeper does not open: " + opened.error().context);
    server_ = *std::move(opened);
    // As a broker does before it serves: the keeper's directory is in its log directory, and that is durable.
    Result<void> synced = shard.files().sync_directory("/");
    if (synced) synced = shard.files().sync_directory("/data");
    co_await host_->go_on();
    if (!synced) violated(synced.error().context);
    client_ = server_->connect();
    co_await compare();
    while (changes_left_-- > 0) {
      if (changes_gate_->running() > 8 || world_.draw(10) == 0) {
        co_await shard.clock().sleep_until(shard.clock().now() + world_.draw(100us, 5ms));
        continue;
      }
      changes_gate_->spawn(change_one());
    }
    co_await changes_gate_->close();
    co_await compare();
    [[maybe_unused]] const auto closed = co_await client_->close();
    client_.reset();
    co_await server_->close();
    co_await host_->go_on();
    server_.reset();
    co_return 0;
  }

  /// Decided against what was sent before it, whether or not that was answered: changes take effect in their
  /// order.
  Task<void> change_one() {
    ++outcome_.operations;
    Change change{fmt::format("/n{}", world_.draw(kNodes)), std::nullopt};
    const bool present = sent_tree_.contains(change.path);
    if (!present || world_.draw(4) != 0)
      change.data = std::string(world_.draw(200), 'd') + fmt::format("#{}", changes_.size());
    keeper::Operation operation =
        keeper::CreateOp{change.path, change.data.value_or(""), keeper::CreateMode::kPersistent};
    if (present && change.data) operation = keeper::SetOp{change.path, *change.data, std::nullopt};
    if (present && !change.data) operation = keeper::RemoveOp{change.path, std::nullopt};
    change_tree(sent_tree_, change);
    changes_.push_back(std::move(change));
    const std::size_t count = changes_.size();
    std::vector<keeper::Operation> operations;
    operations.push_back(std::move(operation));
    const auto reply = co_await client_->multi(std::move(operations));
    co_await host_->go_on();
    if (!reply) violated("a change is refused: " + reply.error().context);
    answered_ = std::max(answered_, count);
  }

  Task<void> compare() {
    Tree found;
    const auto names = co_await client_->children("/");
    co_await host_->go_on();
    if (!names) violated("the root has no children: " + names.error().context);
    for (const std::string& name : names->names) {
      const std::string path = "/" + name;
      const auto node = co_await client_->get(path);
      co_await host_->go_on();
      if (!node) violated(path + " is listed, and not there");
      found[path] = node->data;
    }
    ++outcome_.checks;
    Tree expected = base_;
    for (std::size_t i = 0; i < answered_; ++i) change_tree(expected, changes_[i]);
    for (std::size_t count = answered_;; ++count) {
      if (found == expected) {
        adopt(std::move(expected));
        co_return;
      }
      if (count == changes_.size()) break;
      change_tree(expected, changes_[count]);
    }
    violated(fmt::format("after {} changes, {} of them answered, the tree is none of those that there were",
                         changes_.size(), answered_));
  }

  void adopt(Tree tree) {
    base_ = sent_tree_ = std::move(tree);
    changes_.clear();
    answered_ = 0;
  }

  World world_;
  Disk disk_;
  Network network_;
  keeper::ServerOptions options_;
  Outcome outcome_;
  Tree base_;                    ///< what was there when the process started
  std::vector<Change> changes_;  ///< since then, in their order
  std::size_t answered_ = 0;     ///< of them
  Tree sent_tree_;
  std::int64_t changes_left_ = 0;
  // Of the present life.
  SimulatedHost* host_ = nullptr;
  std::unique_ptr<keeper::Server> server_;
  std::unique_ptr<keeper::Client> client_;
  std::unique_ptr<runtime::Gate> changes_gate_;
};

}  // namespace

Outcome run_keeper(std::uint64_t seed) { return KeeperWorld(seed).run(); }

}  // namespace brook::sim

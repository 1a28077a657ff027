#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "runtime/signal.h"
#include "runtime/simulated/disk.h"
#include "runtime/simulated/network.h"
#include "runtime/simulated/simulated_files.h"
#include "runtime/simulated/simulated_shard.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// One process on a machine of a simulation: shards, the machine's disk and its name in the network. It comes
/// to an end by itself, when its main has returned and its gates are closed, or at crash(), wherever it
/// stands.
class SimulatedHost final : public Host {
 public:
  /// All outlive it. `name` is what others connect to.
  SimulatedHost(World& world, Disk& disk, Network& network, std::string name, std::size_t shards);
  ~SimulatedHost() override;

  [[nodiscard]] std::size_t shard_count() const override { return shards_.size(); }
  [[nodiscard]] Shard& shard(std::size_t index) override { return *shards_.at(index); }
  /// start(), and steps of the world until it has ended.
  int run(std::function<Task<int>(Host&)> main) override;
  [[nodiscard]] Task<void> stop_requested() override;
  /// Empty: it ends at once.
  [[nodiscard]] std::unique_ptr<InputStream> open_standard_input() override;

  /// Begins with `main`, which lives as long as the host.
  void start(std::function<Task<int>(Host&)> main);
  /// As SIGTERM.
  void request_stop();
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int result() const { return result_; }

  /// As SIGKILL: nothing of it runs any more, nor reaches disk or network, not even what the present call
  /// does from here on. Hand a host that crashed to abandon().
  void crash();
  [[nodiscard]] bool alive() const { return life_->alive; }
  /// For what a test runs in the process: ends at once, or never where the process is dead. What a call that
  /// was under way then still returned means nothing.
  [[nodiscard]] Task<void> go_on() const;
  /// For faults: any of the shards does nothing until `when`.
  void stall(Instant when);
  /// Who has crashed can't be destroyed, for its coroutines stand where they stood: it is kept for ever.
  static void abandon(std::unique_ptr<SimulatedHost> crashed);

 private:
  Task<void> run_main();
  Task<void> close_gate(SimulatedShard& shard);

  World& world_;
  Network& network_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  SimulatedFileSystem files_;
  std::vector<std::unique_ptr<SimulatedShard>> shards_;
  std::function<Task<int>(Host&)> main_;
  Signal stop_wanted_;
  bool stopping_ = false;
  std::size_t gates_open_ = 0;
  std::unique_ptr<Timer> stop_deadline_;
  bool ended_ = false;
  int result_ = 0;
};

}  // namespace brook::runtime::simulated

#pragma once

#include <cstddef>
#include <memory>

#include "runtime/shard.h"
#include "runtime/simulated/life.h"
#include "runtime/simulated/network.h"
#include "runtime/simulated/simulated_clock.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// The world's randomness, as a shard has it.
class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(World& world) : world_(world) {}
  [[nodiscard]] std::uint64_t next() override { return world_.draw(); }

 private:
  World& world_;
};

/// A shard as a queue: its calls run in their order, and between two of them other shards' may run, or time
/// may pass in which it does nothing.
class SimulatedShard final : public Shard {
 public:
  /// All outlive it.
  SimulatedShard(World& world, Network& network, FileSystem& files, LifePtr life, std::string host,
                 std::size_t index);
  ~SimulatedShard() override;

  [[nodiscard]] std::size_t index() const override { return index_; }
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] FileSystem& files() override { return files_; }
  [[nodiscard]] Random& random() override { return random_; }
  [[nodiscard]] Gate& gate() override { return gate_; }
  void post(std::move_only_function<void()> call) override { clock_.post(std::move(call)); }
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const Address& at,
                                                         const ListenOptions& options) override;
  [[nodiscard]] std::unique_ptr<Stream> adopt(std::unique_ptr<PendingStream> pending) override;
  [[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect(Address to, Instant deadline) override;

  /// Tasks of the host itself, such as the one that closes gate().
  [[nodiscard]] Gate& host_gate() { return host_gate_; }
  [[nodiscard]] const LifePtr& life() const { return life_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  /// For the trace.
  [[nodiscard]] std::uint64_t identity() const { return identity_; }

  /// True where it could run a call now. Never where its process has died.
  [[nodiscard]] bool make_ready();
  [[nodiscard]] Instant next_due() const;
  void run_one();
  /// It does nothing until then, as on a machine that does something else.
  void stall_until(Instant when) { stalled_until_ = when; }

 private:
  World& world_;
  Network& network_;
  FileSystem& files_;
  LifePtr life_;
  std::string host_;
  std::size_t index_;
  std::uint64_t identity_;
  SimulatedClock clock_;
  SimulatedRandom random_;
  Gate gate_;
  Gate host_gate_;
  Instant stalled_until_ = Instant::min();
};

}  // namespace brook::runtime::simulated

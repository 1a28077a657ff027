#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "runtime/clock.h"

namespace brook::runtime::simulated {

class SimulatedHost;
class SimulatedShard;

/// The time, the chance and the order of a simulation: every host, disk and network of it is driven from
/// here, in the one thread that calls step(). All chance comes from one seed, so the same seed, program and
/// calls give the same run, to the last event; trace() tells whether they did.
class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Instant now() const { return now_; }
  /// Begins at noon of the first day of 2026.
  [[nodiscard]] Timestamp wall_now() const;
  /// Time passes while a shard works or waits for what blocks it.
  void pass(Duration time) { now_ += time; }

  [[nodiscard]] std::uint64_t draw() { return random_(); }
  /// Evenly from [0, below), which is not empty.
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  /// Draws nothing where `probability` is 0, so that a fault that is off changes nothing.
  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] Duration draw(Duration least, Duration most);

  /// Calls `call` at `when`, on no shard; equal instants in the order of asking. For what is outside of
  /// processes: networks, and whoever plays fate.
  void call_at(Instant when, std::function<void()> call);

  /// Runs what comes next: one call of one shard that has any, drawn among them, or else one at the next
  /// instant at which something is due. False where nothing ever will be.
  bool step();
  /// Steps until `done`; false where the world came to a standstill or `most` passed before.
  bool run_until(const std::function<bool()>& done, Duration most);

  /// Mixes what happened into the trace.
  void trace(std::uint64_t what);
  void trace(std::string_view what);
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  friend class SimulatedHost;
  friend class SimulatedShard;
  void enter(SimulatedShard& shard) { shards_.push_back(&shard); }
  void leave(SimulatedShard& shard) { std::erase(shards_, &shard); }
  bool run_own();
  [[nodiscard]] std::vector<SimulatedShard*> ready_shards();

  std::mt19937_64 random_;
  Instant now_;
  std::uint64_t trace_;
  std::uint64_t steps_ = 0;
  std::vector<SimulatedShard*> shards_;
  std::multimap<Instant, std::function<void()>> calls_;
};

}  // namespace brook::runtime::simulated

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "runtime/simulated/simulated_host.h"

namespace brook::runtime::testing {

/// A machine of a simulation, for tests that say themselves what goes wrong with it.
class SimulatedMachine {
 public:
  static constexpr std::uint64_t kDiskBytes = std::uint64_t{1} << 24U;

  explicit SimulatedMachine(std::uint64_t seed) : world(seed), disk(world, kDiskBytes), network(world) {}

  /// A process with one shard that does `body` and ends; what it leaves unsynced stays so.
  void run(std::function<Task<void>(Shard&)> body) {
    simulated::SimulatedHost host(world, disk, network, "machine", 1);
    static_cast<void>(host.run([&body](Host& own) { return then_zero(body, own.shard(0)); }));
  }
  /// The content of a file; "(absent)" where there is none.
  [[nodiscard]] std::string content(const std::string& path) const {
    const simulated::DiskNode::Ptr node = disk.find(path);
    return node ? to_string(node->data.content()) : "(absent)";
  }

  simulated::World world;
  simulated::Disk disk;
  simulated::Network network;

 private:
  static Task<int> then_zero(std::function<Task<void>(Shard&)>& body, Shard& shard) {
    co_await body(shard);
    co_return 0;
  }
};

}  // namespace brook::runtime::testing

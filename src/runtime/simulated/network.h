#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/network.h"
#include "runtime/simulated/life.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

class SimulatedShard;

/// What goes wrong in a network; all off at first.
struct NetworkFaults {
  double cut = 0;  ///< chance, for each piece that is sent, that its connection ends there, at any byte of it
  double slow = 0;  ///< chance, for each piece, that it takes up to `slow_most`, and all behind it
  Duration slow_most = std::chrono::seconds(5);
  double refuse = 0;  ///< chance that a connection is refused
};

/// Connections between the hosts of a simulation. Bytes arrive in order and late, in pieces that have nothing
/// to do with how they were written; a writer waits while too much is on its way.
class Network {
 public:
  explicit Network(World& world) : world_(world) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  NetworkFaults faults;

  /// Port 0 takes a free one. NETWORK_EXCEPTION where the host listens there already.
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(SimulatedShard& shard, const Address& at);
  /// `to.host` is the name of a host.
  [[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect(SimulatedShard& shard, Address to,
                                                              Instant deadline);
  [[nodiscard]] std::unique_ptr<Stream> adopt(SimulatedShard& shard, std::unique_ptr<PendingStream> pending);

  /// Its connections end, as the others will notice after a while; it listens no more.
  void process_died(const LifePtr& life);
  [[nodiscard]] World& world() { return world_; }

  struct End;
  struct Port;
  class SimulatedListener;
  class SimulatedStream;
  class SimulatedPending;

 private:
  [[nodiscard]] std::pair<std::shared_ptr<End>, std::shared_ptr<End>> make_connection(SimulatedShard& from,
                                                                                      const Address& to,
                                                                                      const LifePtr& other);

  World& world_;
  std::map<std::pair<std::string, std::uint16_t>, std::shared_ptr<Port>> ports_;
  std::vector<std::weak_ptr<End>> ends_;
  std::uint16_t next_port_ = 40000;
};

}  // namespace brook::runtime::simulated

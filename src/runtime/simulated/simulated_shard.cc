#include "runtime/simulated/simulated_shard.h"

#include <algorithm>
#include <utility>

namespace brook::runtime::simulated {

SimulatedShard::SimulatedShard(World& world, Network& network, FileSystem& files, LifePtr life,
                               std::string host, std::size_t index)
    : world_(world),
      network_(network),
      files_(files),
      life_(std::move(life)),
      host_(std::move(host)),
      index_(index),
      identity_(world.draw()),
      clock_(world),
      random_(world) {
  world_.enter(*this);
}

SimulatedShard::~SimulatedShard() { world_.leave(*this); }

Result<std::unique_ptr<Listener>> SimulatedShard::listen(const Address& at, const ListenOptions& options) {
  static_cast<void>(options);
  return network_.listen(*this, at);
}

std::unique_ptr<Stream> SimulatedShard::adopt(std::unique_ptr<PendingStream> pending) {
  return network_.adopt(*this, std::move(pending));
}

Task<Result<std::unique_ptr<Stream>>> SimulatedShard::connect(Address to, Instant deadline) {
  return network_.connect(*this, std::move(to), deadline);
}

bool SimulatedShard::make_ready() {
  return life_->alive && stalled_until_ <= world_.now() && clock_.make_ready();
}

Instant SimulatedShard::next_due() const {
  if (!life_->alive) return Instant::max();
  if (stalled_until_ > world_.now()) return stalled_until_;
  return clock_.next_due();
}

void SimulatedShard::run_one() {
  Shard* const before = current();
  set_current(this);
  clock_.run_one();
  set_current(before);
}

}  // namespace brook::runtime::simulated

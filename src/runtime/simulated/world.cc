#include "runtime/simulated/world.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/simulated/simulated_shard.h"

namespace brook::runtime::simulated {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBegin{Duration(1h)};
constexpr std::int64_t kWallBegin = 1767268800000;  // 2026-01-01T12:00Z in ms since 1970
constexpr Duration kStepMost = 5us;                 // what one call on a shard takes

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30U;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27U;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

World::World(std::uint64_t seed) : random_(mix(seed + 1)), now_(kBegin), trace_(mix(seed)) {}

Timestamp World::wall_now() const {
  return Timestamp(kWallBegin + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kBegin).count());
}

bool World::chance(double probability) {
  if (probability <= 0) return false;
  constexpr double kTwoTo53 = 9007199254740992.0;
  return static_cast<double>(draw() >> 11U) / kTwoTo53 < probability;
}

Duration World::draw(Duration least, Duration most) {
  if (most <= least) return least;
  return least +
         Duration(static_cast<std::int64_t>(draw(static_cast<std::uint64_t>((most - least).count() + 1))));
}

void World::call_at(Instant when, std::function<void()> call) { calls_.emplace(when, std::move(call)); }

bool World::run_own() {
  if (calls_.empty() || calls_.begin()->first > now_) return false;
  auto call = std::move(calls_.begin()->second);
  calls_.erase(calls_.begin());
  trace(1);
  call();
  return true;
}

std::vector<SimulatedShard*> World::ready_shards() {
  std::vector<SimulatedShard*> ready;
  for (SimulatedShard* shard : shards_) {
    if (shard->make_ready()) ready.push_back(shard);
  }
  return ready;
}

bool World::step() {
  ++steps_;
  if (run_own()) return true;
  std::vector<SimulatedShard*> ready = ready_shards();
  if (ready.empty()) {
    Instant next = calls_.empty() ? Instant::max() : calls_.begin()->first;
    for (const SimulatedShard* shard : shards_) next = std::min(next, shard->next_due());
    if (next == Instant::max()) return false;
    now_ = std::max(now_, next);
    if (run_own()) return true;
    ready = ready_shards();
    if (ready.empty()) return true;  // A shard was stalled until now.
  }
  SimulatedShard& chosen = *ready[ready.size() == 1 ? 0 : draw(ready.size())];
  trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  trace(chosen.identity());
  chosen.run_one();
  now_ += draw(Duration(1), kStepMost);
  return true;
}

bool World::run_until(const std::function<bool()>& done, Duration most) {
  const Instant limit = now_ + most;
  while (!done()) {
    if (now_ > limit || !step()) return false;
  }
  return true;
}

void World::trace(std::uint64_t what) { trace_ = mix(trace_ ^ (what + 0x9e3779b97f4a7c15ULL)); }

void World::trace(std::string_view what) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: the same on every machine.
  for (const char c : what) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  trace(hash);
}

}  // namespace brook::runtime::simulated

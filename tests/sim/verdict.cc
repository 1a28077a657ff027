#include "verdict.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace brook::sim {
namespace {

std::string& current_world() {
  static std::string name;
  return name;
}
std::uint64_t current_seed = 0;

}  // namespace

Outcome& Outcome::operator+=(const Outcome& other) {
  trace ^= other.trace;
  steps += other.steps;
  operations += other.operations;
  kills += other.kills;
  power_cuts += other.power_cuts;
  clean_stops += other.clean_stops;
  checks += other.checks;
  return *this;
}

void begin_seed(std::string_view world, std::uint64_t seed) {
  current_world() = world;
  current_seed = seed;
}

void violated(const std::string& what) {
  fmt::print(stderr, "violated: {}\n  seed {} of {}; again: ./dev simulate --world {} --seed {} --log\n",
             what, current_seed, current_world(), current_world(), current_seed);
  std::fflush(stderr);
  std::_Exit(kViolated);
}

}  // namespace brook::sim

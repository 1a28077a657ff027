#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brook::sim {

/// What one seed came to. A seed that fails does not come to anything: violated() ends the process.
struct Outcome {
  std::uint64_t trace = 0;       ///< of all that happened: the same for the same seed
  std::uint64_t steps = 0;       ///< calls of shards and the world
  std::uint64_t operations = 0;  ///< appends, requests, changes: what the workload did
  std::uint64_t kills = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t clean_stops = 0;
  std::uint64_t checks = 0;  ///< comparisons of everything with the model

  Outcome& operator+=(const Outcome& other);
};

/// Where violated() finds the seed.
void begin_seed(std::string_view world, std::uint64_t seed);
/// A promise was broken: says which seed of which world shows it, and ends the process with kViolated.
[[noreturn]] void violated(const std::string& what);
inline constexpr int kViolated = 3;

}  // namespace brook::sim

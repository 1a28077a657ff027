#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "verdict.h"

namespace brook::sim {

/// One partition's log on a disk, through kills and power cuts.
[[nodiscard]] Outcome run_log(std::uint64_t seed);
/// The keeper, the same.
[[nodiscard]] Outcome run_keeper(std::uint64_t seed);
/// A whole broker, and clients in its network.
[[nodiscard]] Outcome run_broker(std::uint64_t seed);

struct NamedWorld {
  std::string_view name;
  Outcome (*run)(std::uint64_t seed);
};
[[nodiscard]] std::span<const NamedWorld> all_worlds();

}  // namespace brook::sim

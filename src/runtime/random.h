#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace brook::runtime {

/// Randomness of one shard: from the system where it runs for real, from the seed in a simulation.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
  [[nodiscard]] std::array<std::byte, 16> uuid_bytes();
};

}  // namespace brook::runtime

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/random.h"

namespace brook::runtime::internal {

/// The kernel's randomness, fit for secrets, drawn 64 values at a time. Runs on: one shard.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> drawn_{};
  std::size_t left_ = 0;
};

}  // namespace brook::runtime::internal

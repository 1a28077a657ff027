#pragma once

#include <cstdint>

#include "runtime/task.h"

namespace brook::storage {

/// Has work in the background, compaction or a scrub, give way to others and keep to a rate. Owned by whoever
/// has the work done, and outlives it.
class WorkPace {
 public:
  virtual ~WorkPace() = default;
  /// After each piece of work, of `bytes` read and written: waits for as long as it should. False ends the
  /// work.
  [[nodiscard]] virtual Task<bool> pause(std::uint64_t bytes) = 0;
};

}  // namespace brook::storage

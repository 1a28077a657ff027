#pragma once

#include "base/ids.h"
#include "runtime/clock.h"

namespace brook::coordinator {

/// When something happens, as an argument: a decision never asks a clock.
struct Moment {
  runtime::Instant instant;  ///< for sessions and time-outs
  Timestamp wall;            ///< for what goes into records

  [[nodiscard]] static Moment of(const runtime::Clock& clock) { return {clock.now(), clock.wall_now()}; }
};

}  // namespace brook::coordinator

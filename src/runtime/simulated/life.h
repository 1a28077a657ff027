#pragma once

#include <memory>

namespace brook::runtime::simulated {

/// Whether a process lives, shared by all that it has: in the middle of a call it may be dead already, and
/// then nothing of what that call still does may reach the outside.
struct Life {
  bool alive = true;
};
using LifePtr = std::shared_ptr<const Life>;

}  // namespace brook::runtime::simulated

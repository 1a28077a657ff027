#pragma once

#include "cli/command.h"

namespace brook::cli {

/// Every command but `start`, which is the composition root's. A new one is a file of its own with a function
/// that makes it, declared in a header beside it, and a line in commands.cc.
[[nodiscard]] CommandSet all_commands();

}  // namespace brook::cli

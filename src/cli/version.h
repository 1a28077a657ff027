#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook version`.
[[nodiscard]] Command version_command();

}  // namespace brook::cli

#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook produce`.
[[nodiscard]] Command produce_command();

}  // namespace brook::cli

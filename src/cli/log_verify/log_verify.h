#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook log verify`.
[[nodiscard]] Command log_verify_command();

}  // namespace brook::cli

#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook consume`.
[[nodiscard]] Command consume_command();

}  // namespace brook::cli

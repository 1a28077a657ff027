#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook log dump`.
[[nodiscard]] Command log_dump_command();

}  // namespace brook::cli

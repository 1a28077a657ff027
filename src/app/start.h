#pragma once

#include "cli/command.h"

namespace brook::app {

/// `brook start`, the one command that is a server.
[[nodiscard]] cli::Command start_command();

}  // namespace brook::app

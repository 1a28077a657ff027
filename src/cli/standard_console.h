#pragma once

#include <memory>

#include "cli/console.h"

namespace brook::cli {

/// The process's own standard streams and environment.
[[nodiscard]] std::unique_ptr<Console> make_standard_console();

}  // namespace brook::cli

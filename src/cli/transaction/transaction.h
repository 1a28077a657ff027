#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook transaction …`, a file each.
[[nodiscard]] Command transaction_list_command();
[[nodiscard]] Command transaction_describe_command();
[[nodiscard]] Command transaction_producers_command();
[[nodiscard]] Command transaction_abort_command();

}  // namespace brook::cli

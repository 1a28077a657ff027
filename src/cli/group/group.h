#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook group …`, a file each.
[[nodiscard]] Command group_list_command();
[[nodiscard]] Command group_describe_command();
[[nodiscard]] Command group_reset_offsets_command();
[[nodiscard]] Command group_delete_command();
[[nodiscard]] Command group_redrive_command();

}  // namespace brook::cli

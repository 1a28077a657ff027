#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook share …`, a file each.
[[nodiscard]] Command share_list_command();
[[nodiscard]] Command share_describe_command();
[[nodiscard]] Command share_reset_offsets_command();
[[nodiscard]] Command share_delete_offsets_command();
[[nodiscard]] Command share_delete_command();

}  // namespace brook::cli

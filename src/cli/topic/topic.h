#pragma once

#include "cli/command.h"

namespace brook::cli {

/// `brook topic …`, a file each.
[[nodiscard]] Command topic_list_command();
[[nodiscard]] Command topic_describe_command();
[[nodiscard]] Command topic_create_command();
[[nodiscard]] Command topic_alter_command();
[[nodiscard]] Command topic_delete_command();

}  // namespace brook::cli

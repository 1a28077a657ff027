#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"

namespace brook::cli {

/// What `brook --help` prints: every group and command with its line.
[[nodiscard]] std::string overview(const CommandSet& set);
/// What `brook topic --help` prints.
[[nodiscard]] std::string group_help(const CommandSet& set, const CommandGroup& group);
/// What `brook topic create --help` prints.
[[nodiscard]] std::string command_help(const CommandText& text, const Arguments& arguments);

}  // namespace brook::cli

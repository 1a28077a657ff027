#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace brook::cli {

/// Finds the command that `arguments` (without the program's name) call, parses its options and runs it; the
/// process's exit status. --help and mistakes are answered here: a mistake with one line that says what is
/// wrong, one that says where to read on, and kUsage.
[[nodiscard]] int run(const CommandSet& set, const std::vector<std::string>& arguments, Console& console);

/// Fills `arguments` from `words`, and from the environment what they leave out. INVALID_REQUEST with a
/// sentence for a person.
[[nodiscard]] Result<void> parse(const Arguments& arguments, const std::vector<std::string>& words,
                                 const Console& console);

}  // namespace brook::cli

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace brook::cli {

/// `brook completion`: prints a script that makes a shell ask `brook __complete` for what could come next.
[[nodiscard]] Command completion_command();

/// The hidden command by which the scripts ask.
inline constexpr std::string_view kCompleteWord = "__complete";

/// Answers it: `words` are those behind `brook`, the last one as far as it is typed. Writes one candidate a
/// line, a tab and its explanation behind it, or ":file" for the names of files. `topics` gives topic names
/// of the brokers that a --bootstrap names.
[[nodiscard]] int complete(const CommandSet& set, const std::vector<std::string>& words, Console& console,
                           const std::function<std::vector<std::string>(const std::string&)>& topics);

/// Asks a broker for its topics; none where nobody answers within a second.
[[nodiscard]] std::vector<std::string> topics_for_completion(const std::string& bootstrap);

}  // namespace brook::cli

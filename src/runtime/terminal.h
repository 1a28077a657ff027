#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace brook::runtime {

enum class StandardStream : std::uint8_t { kInput, kOutput, kError };

/// Whether a person sits at the other end. Any thread.
[[nodiscard]] bool is_terminal(StandardStream stream);
/// Columns of the terminal on standard output; nothing where there is none or it does not say.
[[nodiscard]] std::optional<std::size_t> terminal_width();
/// From here on a write to a pipe without a reader is an error, and does not end the process.
void ignore_broken_pipes();

}  // namespace brook::runtime

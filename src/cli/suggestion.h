#pragma once

#include <span>
#include <string>
#include <string_view>

namespace brook::cli {

/// "; did you mean '--json'?" with the nearest of `known` if it is near enough to have been meant, else
/// nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace brook::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

/// What an answer says of one item, as a Result.
namespace brook::client::internal {

/// The broker's code, and its sentence or, where it has none, the code's name after that of the item.
[[nodiscard]] Result<void> outcome(std::int16_t code, const std::optional<std::string>& message,
                                   std::string_view item);
/// The answer does not have an item that was asked about.
[[nodiscard]] std::unexpected<Error> unanswered(std::string_view item);

}  // namespace brook::client::internal

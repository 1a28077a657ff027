#include "client/internal/outcome.h"

#include <fmt/format.h>

namespace brook::client::internal {

Result<void> outcome(std::int16_t code, const std::optional<std::string>& message, std::string_view item) {
  const auto error = static_cast<ErrorCode>(code);
  if (error == ErrorCode::kNone) return {};
  if (message && !message->empty()) return fail(error, *message);
  return fail(error, fmt::format("{}: {}", item, error_name(error)));
}

std::unexpected<Error> unanswered(std::string_view item) {
  return fail(ErrorCode::kUnknownServerError, fmt::format("the broker's answer says nothing of '{}'", item));
}

}  // namespace brook::client::internal

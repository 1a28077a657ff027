#include "cli/consume/place.h"

#include <fmt/format.h>

#include "cli/argument.h"
#include "cli/time_text.h"

namespace brook::cli {

Result<Place> parse_place(std::string_view text) {
  if (text == "beginning") return Place(Beginning{});
  if (text == "end") return Place(End{});
  if (const auto number = parse_number(text); number && *number != INT64_MIN) {
    if (text.starts_with('-')) return Place(BeforeEnd{-*number});
    return Place(Offset(*number));
  }
  if (text.starts_with('@')) {
    if (const auto number = parse_number(text.substr(1)); number && *number >= 0)
      return Place(Timestamp(*number));
  }
  if (text.starts_with('-')) {
    if (const auto duration = parse_duration(text.substr(1))) return Place(Ago{*duration});
  }
  if (const auto time = parse_time(text); time && time->value() >= 0) return Place(*time);
  return fail(ErrorCode::kInvalidRequest,
              fmt::format("'{}' is no place in a topic: beginning, end, an offset, -N for the last N, a time "
                          "such as 2026-11-23T10:00, @MILLISECONDS, or -15m for that long ago",
                          text));
}

}  // namespace brook::cli

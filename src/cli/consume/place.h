#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/result.h"

namespace brook::cli {

struct Beginning {
  friend bool operator==(Beginning, Beginning) = default;
};
struct End {
  friend bool operator==(End, End) = default;
};
/// So many offsets before the end.
struct BeforeEnd {
  std::int64_t count;
  friend bool operator==(BeforeEnd, BeforeEnd) = default;
};
/// So long before now.
struct Ago {
  std::chrono::milliseconds time;
  friend bool operator==(Ago, Ago) = default;
};

/// A place in each partition of a topic, as a person names it.
using Place = std::variant<Beginning, End, Offset, BeforeEnd, Timestamp, Ago>;

/// "beginning", "end", an offset "42", the last "-10", a time "2026-11-23T10:00", milliseconds since 1970
/// "@1795746181254", or "-15m" ago. INVALID_REQUEST lists these.
[[nodiscard]] Result<Place> parse_place(std::string_view text);

}  // namespace brook::cli

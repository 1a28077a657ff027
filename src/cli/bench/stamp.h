#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace brook::cli {

/// The first bytes of a value whose latency is measured.
struct Stamp {
  static constexpr std::size_t kSize = 16;

  std::int64_t due;  ///< when the record should have been sent: nanoseconds of the monotonic clock
  std::int64_t run;  ///< a random number, so that nobody else's record is taken for one of this run

  /// `to` and `from` have kSize bytes.
  void write(std::byte* to) const {
    store_be(to, due);
    store_be(to + sizeof due, run);
  }
  [[nodiscard]] static Stamp read(const std::byte* from) {
    return {.due = load_be<std::int64_t>(from), .run = load_be<std::int64_t>(from + sizeof due)};
  }
};

}  // namespace brook::cli

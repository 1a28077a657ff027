#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace brook {

struct Hash128 {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  friend bool operator==(const Hash128&, const Hash128&) = default;
};

/// Drawn at random for each use: who does not know it can't find texts whose hashes are equal.
struct SipKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  friend bool operator==(const SipKey&, const SipKey&) = default;
};

/// SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, 2012). The halves are in the order of the
/// reference's output, each little-endian there.
[[nodiscard]] Hash128 siphash128(ByteView bytes, SipKey key);

}  // namespace brook

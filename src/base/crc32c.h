#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace brook {

/// CRC-32C (Castagnoli) as record batches and snapshots carry it. `seed` is the result over the bytes before
/// these, 0 at the start.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

}  // namespace brook

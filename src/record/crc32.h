#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace brook::record {

/// CRC-32 as in gzip: the checksum of messages of format 0 and 1, which Kafka wrote before 0.11.
[[nodiscard]] std::uint32_t crc32(ByteView bytes);

}  // namespace brook::record

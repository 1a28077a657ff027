#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"

namespace brook::client {

/// MurmurHash2 in 32 bits with Kafka's seed, as the Java client hashes keys.
[[nodiscard]] std::uint32_t murmur2(ByteView bytes);

/// The partition of a record with a key: murmur2 without its sign bit, modulo the number of partitions. The
/// Java client's default, so that a key meets its like whichever of the two sent it. `partitions` > 0.
[[nodiscard]] PartitionIndex partition_for_key(ByteView key, std::int32_t partitions);

}  // namespace brook::client

#pragma once

#include <cstdint>

namespace brook::broker {

/// Bit sets of ACL operations (KIP-430), bit n for the operation with code n. Without an authorizer everybody
/// may do everything that the kind of resource knows.
inline constexpr std::int32_t kAllTopicOperations =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 |
    1 << 11;  // read write create delete alter describe, configs
inline constexpr std::int32_t kAllGroupOperations =
    1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;  // read delete describe, configs
inline constexpr std::int32_t kAllClusterOperations =
    1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 |
    1 << 12;  // create alter describe cluster_action, configs, idempotent_write

}  // namespace brook::broker

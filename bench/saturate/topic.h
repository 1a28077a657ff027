#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "saturate/connection.h"
#include "saturate/offered.h"

namespace brook::saturate {

[[nodiscard]] Uuid topic_id(Connection& connection, const Offered& offered, const std::string& topic);

enum class Isolation : std::int8_t { kReadUncommitted, kReadCommitted };

/// Of the partitions 0 to `partitions` - 1. Read committed, it is where the first open transaction begins.
[[nodiscard]] std::vector<std::int64_t> end_offsets(Connection& connection, const Offered& offered,
                                                    const std::string& topic, std::int32_t partitions,
                                                    Isolation isolation);

}  // namespace brook::saturate

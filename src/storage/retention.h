#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "storage/log_config.h"

namespace brook::storage {

/// A segment as retention sees it.
struct SegmentSummary {
  Offset base_offset;
  std::uint64_t size = 0;
  Timestamp largest_timestamp;  ///< of its records, or when it was last written where they have none
};

enum class RetentionReason { kTime, kSize, kLogStart };
[[nodiscard]] std::string_view name_of(RetentionReason reason);

/// How many of the oldest segments go, and by which rule the last of them.
struct RetentionDecision {
  std::size_t segments = 0;
  RetentionReason reason = RetentionReason::kTime;
};

/// Kafka's deleteOldSegments. `segments` are in order, the last one is active. A segment goes only when its
/// end is not above the high watermark, and an empty active segment stays; a full active one may go (the log
/// then rolls first).
[[nodiscard]] RetentionDecision decide_retention(std::span<const SegmentSummary> segments,
                                                 const LogConfig& config, Timestamp now,
                                                 Offset log_start_offset, Offset log_end_offset,
                                                 Offset high_watermark);

}  // namespace brook::storage

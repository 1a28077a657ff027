#include "storage/retention.h"

#include <algorithm>

namespace brook::storage {

std::string_view name_of(RetentionReason reason) {
  switch (reason) {
    case RetentionReason::kTime:
      return "retention.ms";
    case RetentionReason::kSize:
      return "retention.bytes";
    case RetentionReason::kLogStart:
      return "log_start_offset";
  }
  return "unknown";
}

RetentionDecision decide_retention(std::span<const SegmentSummary> segments, const LogConfig& config,
                                   Timestamp now, Offset log_start_offset, Offset log_end_offset,
                                   Offset high_watermark) {
  RetentionDecision decision;
  const auto end_of = [&](std::size_t i) {
    return i + 1 < segments.size() ? segments[i + 1].base_offset : log_end_offset;
  };
  const auto take_while = [&](RetentionReason reason, auto goes) {
    std::size_t count = 0;
    for (; count < segments.size(); ++count) {
      const bool empty_active = count + 1 == segments.size() && segments[count].size == 0;
      if (empty_active || end_of(count) > high_watermark || !goes(count)) break;
    }
    if (count > decision.segments) decision = {count, reason};
  };

  take_while(RetentionReason::kLogStart, [&](std::size_t i) {
    return i + 1 < segments.size() && segments[i + 1].base_offset <= log_start_offset;
  });
  if (!config.cleanup_delete) return decision;
  if (config.retention_ms) {
    const std::int64_t limit = config.retention_ms->count();
    take_while(RetentionReason::kTime, [&](std::size_t i) {
      const std::int64_t written = segments[i].largest_timestamp.value();
      return written < now.value() && now.value() - std::max<std::int64_t>(written, 0) > limit;
    });
  }
  if (config.retention_bytes) {
    std::uint64_t total = 0;
    for (const SegmentSummary& segment : segments) total += segment.size;
    std::uint64_t excess = total > *config.retention_bytes ? total - *config.retention_bytes : 0;
    take_while(RetentionReason::kSize, [&](std::size_t i) {
      if (excess == 0 || excess < segments[i].size) return false;
      excess -= segments[i].size;
      return true;
    });
  }
  return decision;
}

}  // namespace brook::storage

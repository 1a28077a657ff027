#include "storage/compaction.h"

#include <algorithm>
#include <limits>

namespace brook::storage {
namespace {

Offset first_dirty_of(const CompactionBounds& bounds) {
  if (!bounds.checkpoint || *bounds.checkpoint > bounds.log_end_offset) return bounds.log_start_offset;
  return std::max(*bounds.checkpoint, bounds.log_start_offset);
}

/// The index of the segment that holds `offset`, or would.
std::size_t holder_of(std::span<const CompactionSegment> segments, Offset offset) {
  const auto behind = std::ranges::upper_bound(segments, offset, {}, &CompactionSegment::base_offset);
  return behind == segments.begin() ? 0 : static_cast<std::size_t>(behind - segments.begin()) - 1;
}

}  // namespace

double CompactionRange::dirty_ratio() const {
  const std::uint64_t total = clean_bytes + cleanable_bytes;
  return total == 0 ? 0 : static_cast<double>(cleanable_bytes) / static_cast<double>(total);
}

CompactionRange decide_compaction(std::span<const CompactionSegment> segments, const LogConfig& config,
                                  const CompactionBounds& bounds, Timestamp now) {
  CompactionRange range;
  range.first_dirty = range.first_uncleanable = first_dirty_of(bounds);
  const std::size_t dirty = holder_of(segments, range.first_dirty);
  // Below the last stable offset's segment and the active one.
  std::size_t end = std::min(holder_of(segments, bounds.last_stable_offset), segments.size() - 1);
  if (config.min_compaction_lag_ms.count() > 0) {
    for (std::size_t i = dirty; i < end; ++i) {
      if (segments[i].largest_timestamp.value() > now.value() - config.min_compaction_lag_ms.count()) end = i;
    }
  }
  for (std::size_t i = 0; i < segments.size() && segments[i].base_offset < range.first_dirty; ++i)
    range.clean_bytes += segments[i].size;
  if (end <= dirty || segments[end].base_offset <= range.first_dirty) return range;

  range.first_uncleanable = segments[end].base_offset;
  for (std::size_t i = dirty; i < end; ++i) range.cleanable_bytes += segments[i].size;
  if (config.max_compaction_lag_ms) {
    const std::int64_t latest = now.value() - config.max_compaction_lag_ms->count();
    range.overdue = std::ranges::any_of(segments.subspan(dirty, end - dirty), [&](const auto& segment) {
      return segment.first_timestamp && segment.first_timestamp->value() > 0 &&
             segment.first_timestamp->value() < latest;
    });
  }
  return range;
}

bool fits_one_segment(const GroupedSegment& so_far, const GroupedSegment& next, Offset end,
                      const LogConfig& config) {
  constexpr std::int64_t kRelativeMax = std::numeric_limits<std::int32_t>::max();
  return so_far.size + next.size <= config.segment_bytes &&
         so_far.offset_index_bytes + next.offset_index_bytes <= config.segment_index_bytes &&
         so_far.time_index_bytes + next.time_index_bytes <= config.segment_index_bytes &&
         (next.size == 0 || end - 1 - so_far.base_offset <= kRelativeMax);
}

}  // namespace brook::storage

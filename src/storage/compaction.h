#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "storage/log_config.h"
#include "storage/offset_map.h"
#include "storage/work_pace.h"

namespace brook::storage {

/// A segment as compaction's decisions see it.
struct CompactionSegment {
  Offset base_offset;
  std::uint64_t size = 0;
  Timestamp largest_timestamp;
  std::optional<Timestamp> first_timestamp;  ///< of its first batch
};

/// What bounds compaction besides the segments.
struct CompactionBounds {
  std::optional<Offset> checkpoint;  ///< below it the log was compacted before
  Offset log_start_offset;
  Offset log_end_offset;
  Offset last_stable_offset;
};

/// The part of a log that may be compacted now: [first_dirty, first_uncleanable), empty where the two are
/// equal.
struct CompactionRange {
  Offset first_dirty;
  Offset first_uncleanable;  ///< where a segment begins
  std::uint64_t clean_bytes = 0;
  std::uint64_t cleanable_bytes = 0;
  bool overdue = false;  ///< something waits longer than max.compaction.lag.ms

  /// Kafka's measure: cleanable bytes of all that is cleaned and cleanable.
  [[nodiscard]] double dirty_ratio() const;
  [[nodiscard]] bool wanted(double min_dirty_ratio) const {
    return cleanable_bytes > 0 && (overdue || dirty_ratio() > min_dirty_ratio);
  }
};

/// Kafka's cleanableOffsets. `segments` are all of the log, in order, the last one is active: it is never
/// compacted, nor is a segment that reaches above the last stable offset, or that holds a record younger than
/// min.compaction.lag.ms, and all behind it. A checkpoint outside of the log means that nothing is clean.
[[nodiscard]] CompactionRange decide_compaction(std::span<const CompactionSegment> segments,
                                                const LogConfig& config, const CompactionBounds& bounds,
                                                Timestamp now);

/// A segment as one of those that become one; sizes of what is left of it.
struct GroupedSegment {
  Offset base_offset;
  std::uint64_t size = 0;
  std::uint64_t offset_index_bytes = 0;
  std::uint64_t time_index_bytes = 0;
};

/// True where `next`, whose last offset is before `end`, may be compacted into the segment that holds
/// `so_far` of its neighbours, so that segments do not become ever smaller: by segment.bytes,
/// segment.index.bytes and the 31 bits of relative offsets. Kafka asks the same of what segments are before;
/// what they will be makes fewer of them.
[[nodiscard]] bool fits_one_segment(const GroupedSegment& so_far, const GroupedSegment& next, Offset end,
                                    const LogConfig& config);

/// What one compaction of a log needs from outside; all outlive it.
struct CompactionJob {
  OffsetMap& newest;  ///< empty; where it is too small for all keys, a part of the range is done
  WorkPace& pace;
  Timestamp now;  ///< tombstones and markers whose time is up are dropped
  std::size_t buffer_bytes =
      256 * 1024;  ///< of each of two buffers: what is read at once, and written at once
  /// How much is done in the background between two pauses: a millisecond or two.
  std::uint64_t step_bytes = 4 * 1024 * 1024;
};

struct CompactionTotals {
  std::uint64_t keys_kept = 0;   ///< that needed no look for them: they were in memory
  std::uint64_t bytes_read = 0;  ///< of the segments that were compacted; the look for keys comes on top
  std::uint64_t bytes_written = 0;
  std::uint64_t records_read = 0;
  std::uint64_t records_kept = 0;
  std::uint64_t keyless_dropped = 0;  ///< from before the topic was compacted
  std::size_t segments_read = 0;
  std::size_t segments_written = 0;
};

struct CompactionOutcome {
  /// False where the log was cut or closed meanwhile, or the pace ended it: what stands is whole, and the
  /// next compaction begins anew.
  bool finished = false;
  Offset first_dirty;  ///< of the next compaction
  CompactionTotals totals;
};

}  // namespace brook::storage

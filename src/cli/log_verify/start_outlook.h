#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "storage/segment_check.h"

namespace brook::cli {

/// What the log directory says of a partition; what is absent stands nowhere.
struct PartitionHints {
  bool clean_shutdown = false;
  bool cache_survived = false;  ///< as storage::OpenHints::cache_survived
  std::optional<Offset> recovery_point = {};
  std::optional<Offset> log_start_offset = {};
  std::optional<Offset> high_watermark = {};
  std::optional<Offset> first_dirty_offset = {};
};

/// A segment as its place in the log decides what a start reads of it.
struct SegmentPlace {
  Offset base_offset;
  std::uint64_t size = 0;
  bool is_last = false;
  std::size_t segments_behind = 0;
  std::uint64_t bytes_behind = 0;  ///< of those
  /// Where the batch lies that recovery begins with, or the last that the index knows, in a segment of which
  /// only the end is read.
  std::uint64_t read_from = 0;
};

/// What the next start of the broker reads of one log, and what becomes of what it finds there: after a clean
/// stop the headers at the end, else all from the recovery point (or what was written down) on, up to the
/// first bad batch, which it cuts with all that follows. Pure.
class StartOutlook {
 public:
  explicit StartOutlook(const PartitionHints& hints)
      : crashed_(!hints.clean_shutdown),
        flushed_(hints.recovery_point.value_or(Offset(0))),
        gaps_are_meant_(hints.cache_survived || hints.first_dirty_offset.has_value()),
        clean_(hints.clean_shutdown),
        recovery_point_(flushed_) {}

  /// Nothing below `offset` is read, for it was written before the process ended, and the machine went on.
  void written_down_to(Offset offset) { recovery_point_ = std::max(recovery_point_, offset); }
  /// Recovery begins at `offset` or before, however the broker was stopped.
  void recover_from(Offset offset);
  /// What belongs to `offset` was not known to be on the disk when the broker ended: a crash may have taken
  /// it.
  [[nodiscard]] bool may_be_unwritten(Offset offset) const { return crashed_ && offset >= flushed_; }

  [[nodiscard]] bool clean() const { return clean_; }
  [[nodiscard]] Offset recovery_point() const { return recovery_point_; }
  /// Recovery reads all of the segment, and makes its indexes anew.
  [[nodiscard]] bool reads_all_of(Offset segment_base) const {
    return !clean_ && segment_base >= recovery_point_;
  }
  /// Recovery reads the segment, at least its end. `next_base`: of the segment behind it.
  [[nodiscard]] bool reads(std::optional<Offset> next_base) const {
    return !clean_ && (!next_base || *next_base > recovery_point_);
  }

  /// In words. The flaws of a log come in their order: what lies behind a cut goes with it.
  [[nodiscard]] std::string at_start(const storage::BatchFlaw& flaw, const SegmentPlace& segment,
                                     std::optional<Offset> next_base);
  /// The same of offsets that are missing between a segment and the next; nothing where that is no news, as
  /// it is not in a compacted log.
  [[nodiscard]] std::optional<std::string> at_gap(const SegmentPlace& segment,
                                                  std::optional<Offset> next_base);
  /// It is what a crash leaves at a log's end, above what was known to be on the disk.
  [[nodiscard]] bool is_left_by_a_crash(const storage::CheckedBatch& batch,
                                        const SegmentPlace& segment) const;

 private:
  [[nodiscard]] bool sees(const storage::BatchFlaw& flaw, const SegmentPlace& segment,
                          std::optional<Offset> next_base) const;

  bool crashed_;
  Offset flushed_;
  bool gaps_are_meant_;
  bool clean_;  ///< and nothing was found that makes the start recover all the same
  Offset recovery_point_;
  bool cut_ = false;
};

}  // namespace brook::cli

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"

namespace brook::storage {

/// Bytes [position, end) of a segment's file that are known not to be what was written there, and the offsets
/// that they held.
struct CorruptRange {
  Offset segment_base_offset;
  std::uint64_t position = 0;
  std::uint64_t end = 0;
  Offset first_offset;
  Offset last_offset;
  std::string reason;

  friend bool operator==(const CorruptRange&, const CorruptRange&) = default;
};

/// What of one log is known to be damaged, in the order of segments and positions. In memory alone: a scrub
/// finds it again after a start. Pure. Runs on: the log's shard.
class CorruptRanges {
 public:
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] const std::vector<CorruptRange>& all() const { return ranges_; }
  /// False where it is known already.
  bool add(CorruptRange range);
  /// The one that held `offset`; null where none did.
  [[nodiscard]] const CorruptRange* at(Offset offset) const;
  /// The first of a segment that ends behind `position`; null where none does.
  [[nodiscard]] const CorruptRange* first_behind(Offset segment, std::uint64_t position) const;
  /// Where the last of a segment ends whose offsets lie below `offset`; 0 where none does.
  [[nodiscard]] std::uint64_t end_before(Offset segment, Offset offset) const;

  /// The segment is gone, or another stands in its place.
  void drop(Offset segment);
  /// The segment is the log's last from now on, its file ends at `size`, and `log_end` comes next.
  void truncate(Offset segment, std::uint64_t size, Offset log_end);
  /// The whole segment was looked at and only `found` is damaged; returns how many others are sound again.
  std::size_t keep_only(Offset segment, std::span<const CorruptRange> found);

 private:
  std::vector<CorruptRange> ranges_;
};

}  // namespace brook::storage

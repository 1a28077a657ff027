#include "storage/corrupt_ranges.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace brook::storage {
namespace {

auto place_of(const CorruptRange& range) { return std::tuple(range.segment_base_offset, range.position); }

}  // namespace

bool CorruptRanges::add(CorruptRange range) {
  const auto at = std::ranges::lower_bound(ranges_, place_of(range), {}, place_of);
  if (at != ranges_.end() && place_of(*at) == place_of(range)) {
    *at = std::move(range);
    return false;
  }
  ranges_.insert(at, std::move(range));
  return true;
}

const CorruptRange* CorruptRanges::at(Offset offset) const {
  const auto found = std::ranges::find_if(ranges_, [offset](const CorruptRange& range) {
    return range.first_offset <= offset && offset <= range.last_offset;
  });
  return found == ranges_.end() ? nullptr : &*found;
}

const CorruptRange* CorruptRanges::first_behind(Offset segment, std::uint64_t position) const {
  const auto found = std::ranges::find_if(ranges_, [&](const CorruptRange& range) {
    return range.segment_base_offset == segment && range.end > position;
  });
  return found == ranges_.end() ? nullptr : &*found;
}

std::uint64_t CorruptRanges::end_before(Offset segment, Offset offset) const {
  std::uint64_t end = 0;
  for (const CorruptRange& range : ranges_) {
    if (range.segment_base_offset == segment && range.last_offset < offset) end = range.end;
  }
  return end;
}

void CorruptRanges::drop(Offset segment) {
  std::erase_if(ranges_,
                [segment](const CorruptRange& range) { return range.segment_base_offset == segment; });
}

void CorruptRanges::truncate(Offset segment, std::uint64_t size, Offset log_end) {
  std::erase_if(ranges_, [&](const CorruptRange& range) {
    return range.segment_base_offset == segment && (range.position >= size || range.first_offset >= log_end);
  });
  for (CorruptRange& range : ranges_) {
    if (range.segment_base_offset != segment) continue;
    range.end = std::min(range.end, size);
    range.last_offset = std::min(range.last_offset, log_end - 1);
  }
}

std::size_t CorruptRanges::keep_only(Offset segment, std::span<const CorruptRange> found) {
  return std::erase_if(ranges_, [&](const CorruptRange& range) {
    return range.segment_base_offset == segment &&
           std::ranges::find(found, place_of(range), place_of) == found.end();
  });
}

}  // namespace brook::storage

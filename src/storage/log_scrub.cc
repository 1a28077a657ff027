// The scrub: a sealed segment is read again and each batch checked; what is damaged is never served.
#include <iterator>
#include <utility>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/segment_check.h"

namespace brook::storage {
namespace {

constexpr std::uint64_t kStepBytes = 64 * 1024;  // between two pauses: some ten microseconds of work
constexpr std::size_t kFlawsMax = 100;           // of one segment; with more, all behind is taken for damaged

}  // namespace

Task<Result<ScrubOutcome>> Log::scrub(Offset segment_base, WorkPace& pace) {
  ScrubOutcome outcome;
  const auto at = segments_.find(segment_base);
  if (closed_ || at == segments_.end() || std::next(at) == segments_.end()) co_return outcome;
  const SharedSegment segment = at->second;
  const std::uint64_t truncations = truncations_;
  const auto is_there = [&] {
    const auto now = segments_.find(segment_base);
    return !closed_ && truncations == truncations_ && now != segments_.end() && now->second == segment;
  };
  BROOK_CO_TRY(auto file, segment->file());
  SegmentCheck check(std::move(file), segment->size(), segment_base, end_of(segment_base));
  std::vector<CorruptRange> found;
  std::uint64_t unpaced = 0;
  while (true) {
    auto next = co_await check.next();
    if (!is_there()) co_return outcome;
    BROOK_CO_TRY(const auto batch, std::move(next));
    if (!batch) break;
    if (batch->flaw) {
      const BatchFlaw& flaw = *batch->flaw;
      found.push_back(
          {segment_base, flaw.position, flaw.end, flaw.first_offset, flaw.last_offset, flaw.reason});
      if (found.size() == kFlawsMax) {
        found.back().end = segment->size();
        found.back().last_offset = end_of(segment_base) - 1;
      }
      if (mark_corrupt(found.back())) ++outcome.new_flaws;
      if (found.size() == kFlawsMax) break;
    }
    unpaced += batch->size;
    if (unpaced < kStepBytes) continue;
    const bool go_on = co_await pace.pause(std::exchange(unpaced, 0));
    if (!go_on || !is_there()) co_return outcome;
  }
  if (const std::size_t sound = corrupt_.keep_only(segment_base, found); sound > 0) {
    log::info("corrupt_batches_sound_again", {{"topic", partition_.topic},
                                              {"partition", partition_.partition.value()},
                                              {"path", segment->path()},
                                              {"count", sound}});
  }
  outcome.finished = true;
  static_cast<void>(co_await pace.pause(unpaced));
  co_return outcome;
}

bool Log::mark_corrupt(CorruptRange range) {
  const std::string path = offset_file_path(directory_, range.segment_base_offset, kLogSuffix);
  if (!corrupt_.add(range)) return false;
  ++generation_;  // A read that waits for a file looks again.
  log::error("batch_corrupt", {{"topic", partition_.topic},
                               {"partition", partition_.partition.value()},
                               {"path", path},
                               {"position", range.position},
                               {"bytes", range.end - range.position},
                               {"first_offset", range.first_offset.value()},
                               {"last_offset", range.last_offset.value()},
                               {"why", range.reason},
                               {"what", "these offsets are not served; reads of them get CORRUPT_MESSAGE"}});
  return true;
}

}  // namespace brook::storage

#include "cli/log_verify/start_outlook.h"

#include <fmt/format.h>

#include <algorithm>

namespace brook::cli {

using storage::BatchFault;
using storage::BatchFlaw;

void StartOutlook::recover_from(Offset offset) {
  clean_ = false;
  recovery_point_ = std::min(recovery_point_, offset);
}

bool StartOutlook::sees(const BatchFlaw& flaw, const SegmentPlace& segment,
                        std::optional<Offset> next_base) const {
  if (flaw.position < segment.read_from && !reads_all_of(segment.base_offset)) return false;
  if (!clean_) return reads(next_base);
  // The end alone, and its headers alone.
  return segment.is_last && flaw.fault != BatchFault::kChecksum && flaw.fault != BatchFault::kReach;
}

std::string StartOutlook::at_start(const BatchFlaw& flaw, const SegmentPlace& segment,
                                   std::optional<Offset> next_base) {
  if (cut_) return "it goes with what is cut before it";
  const bool seen = sees(flaw, segment, next_base);
  // Recovery takes a batch whose offsets reach too far for good, and then stops at the one behind it.
  const bool behind = flaw.fault == BatchFault::kReach;
  if (!seen || (behind && flaw.end == segment.size)) {
    return fmt::format(
        "nothing, for it does not look there; once the scrub has come by, readers of offsets {} to {} get "
        "CORRUPT_MESSAGE",
        flaw.first_offset.value(), flaw.last_offset.value());
  }
  cut_ = true;
  const std::uint64_t from = behind ? flaw.end : flaw.position;
  // Of one torn batch nothing can be read.
  const bool of_no_use = flaw.fault == BatchFault::kTorn && segment.segments_behind == 0;
  std::string text =
      fmt::format("the log is cut at position {}, and {} bytes {}", from,
                  segment.size - from + segment.bytes_behind, of_no_use ? "go" : "are set aside");
  if (segment.segments_behind > 0) {
    text += fmt::format(", {} of them in {} segment{} behind this one", segment.bytes_behind,
                        segment.segments_behind, segment.segments_behind == 1 ? "" : "s");
  }
  return text;
}

std::optional<std::string> StartOutlook::at_gap(const SegmentPlace& segment,
                                                std::optional<Offset> next_base) {
  if (cut_ || gaps_are_meant_ || !reads(next_base)) return std::nullopt;
  cut_ = true;
  return fmt::format(
      "where the topic is not compacted the log is cut here, and {} bytes in {} segment{} are set aside",
      segment.bytes_behind, segment.segments_behind, segment.segments_behind == 1 ? "" : "s");
}

bool StartOutlook::is_left_by_a_crash(const storage::CheckedBatch& batch, const SegmentPlace& segment) const {
  if (!segment.is_last || !batch.flaw || !may_be_unwritten(batch.flaw->first_offset)) return false;
  if (batch.flaw->fault == BatchFault::kTorn) return true;
  // A page of the last batch that was not written yet.
  return batch.flaw->fault == BatchFault::kChecksum && batch.header &&
         batch.position + batch.header->size == segment.size;
}

}  // namespace brook::cli

#include "cli/log_verify/partition_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/checkpoints.h"
#include "storage/file_names.h"

namespace brook::cli {

using storage::CheckedBatch;
using storage::IndexRepair;
using storage::OffsetIndexCheck;
using storage::SegmentCheck;
using storage::TimeIndexCheck;

PartitionVerifier::PartitionVerifier(runtime::FileSystem& files, std::string path, std::string log_directory,
                                     const PartitionHints& hints, VerifyReport& report)
    : files_(files),
      path_(std::move(path)),
      log_directory_(std::move(log_directory)),
      hints_(hints),
      report_(report),
      outlook_(hints),
      log_end_(hints.log_start_offset.value_or(Offset(0))) {}

std::string PartitionVerifier::file(Offset base, std::string_view suffix) const {
  return storage::offset_file_path(path_, base, suffix);
}

void PartitionVerifier::tell(bool is_flaw, Finding finding) {
  if (is_flaw) {
    report_.flaw(finding);
  } else {
    report_.note(finding);
  }
}

std::optional<Offset> PartitionVerifier::next_base(std::size_t index) const {
  if (index + 1 >= segments_.size()) return std::nullopt;
  return segments_[index + 1].base_offset;
}

Task<void> PartitionVerifier::run() {
  ++report_.totals().partitions;
  if (Result<void> done = co_await verify_all(); !done)
    report_.flaw({.file = path_, .reason = done.error().context, .at_start = "the partition is not opened"});
}

Task<Result<void>> PartitionVerifier::verify_all() {
  BROOK_CO_TRY(const auto entries, files_.list(path_));
  for (const runtime::DirectoryEntry& entry : entries) {
    if (const auto base = storage::parse_offset_file(entry.name, storage::kLogSuffix))
      segments_.push_back({*base, entry.size});
    if (const auto at = storage::parse_offset_file(entry.name, storage::kSnapshotSuffix))
      snapshots_.push_back(*at);
  }
  std::ranges::sort(segments_, {}, &SegmentFile::base_offset);
  std::ranges::sort(snapshots_);
  if (hints_.cache_survived && !snapshots_.empty()) outlook_.written_down_to(snapshots_.back());
  verify_names(entries);
  verify_metadata();
  // Epochs and transactions first: they decide from where a start reads the log.
  read_checksums();
  read_epochs();
  for (std::size_t i = 0; i < segments_.size(); ++i) BROOK_CO_CHECK(co_await verify_transactions(i));
  for (std::size_t i = 0; i < segments_.size() && !report_.abandoned(); ++i) co_await verify_segment(i);
  verify_snapshots();
  if (end_known_) {
    verify_epochs();
    compare_with_checkpoints();
  }
  co_return Result<void>{};
}

Task<Result<SegmentPlace>> PartitionVerifier::place_of(std::size_t index) {
  const SegmentFile& segment = segments_[index];
  SegmentPlace place{.base_offset = segment.base_offset,
                     .size = segment.size,
                     .is_last = index + 1 == segments_.size(),
                     .segments_behind = segments_.size() - index - 1};
  for (std::size_t i = index + 1; i < segments_.size(); ++i) place.bytes_behind += segments_[i].size;
  const bool from_index = outlook_.clean() ? place.is_last : !outlook_.reads_all_of(place.base_offset);
  const std::string path = file(segment.base_offset, storage::kOffsetIndexSuffix);
  if (!from_index || !files_.exists(path)) co_return place;
  BROOK_CO_TRY(std::shared_ptr<runtime::File> opened, files_.open(path, runtime::OpenMode::kRead));
  const auto end = outlook_.clean() ? std::nullopt : std::optional(outlook_.recovery_point());
  BROOK_CO_TRY(place.read_from,
               co_await storage::last_indexed_position(std::move(opened), segment.base_offset, end));
  co_return place;
}

bool PartitionVerifier::has_index(std::size_t index, std::string_view suffix) {
  const SegmentFile& segment = segments_[index];
  const std::string path = file(segment.base_offset, suffix);
  if (files_.exists(path)) return true;
  // The last segment's are made with their first entries, and by a clean stop.
  const bool expected = segment.size > 0 && (index + 1 < segments_.size() || hints_.clean_shutdown);
  if (expected) {
    report_.note(
        {.file = path, .reason = "it is missing", .at_start = "it is built anew when the segment is used"});
  }
  return false;
}

Task<void> PartitionVerifier::verify_segment(std::size_t index) {
  const SegmentFile& segment = segments_[index];
  ++report_.totals().segments;
  const std::string path = file(segment.base_offset, storage::kLogSuffix);
  const auto unreadable = [&](const Error& error, std::optional<std::uint64_t> position) {
    end_known_ = false;
    report_.flaw({.file = path,
                  .position = position,
                  .reason = error.context,
                  .at_start = "what cannot be read is not served, and a start that has to read it fails"});
  };
  auto opened = files_.open(path, runtime::OpenMode::kRead);
  if (!opened) {
    unreadable(opened.error(), std::nullopt);
    co_return;
  }
  SegmentCheck check(*std::move(opened), segment.size, segment.base_offset, next_base(index));
  std::optional<OffsetIndexCheck> offsets;
  std::optional<TimeIndexCheck> times;
  if (has_index(index, storage::kOffsetIndexSuffix)) {
    auto entries =
        files_.open(file(segment.base_offset, storage::kOffsetIndexSuffix), runtime::OpenMode::kRead);
    if (entries) offsets.emplace(*std::move(entries), segment.base_offset);
    if (!entries) unreadable(entries.error(), std::nullopt);
  }
  const bool has_times = has_index(index, storage::kTimeIndexSuffix);
  if (has_times && co_await time_index_as_written(index)) {
    auto entries =
        files_.open(file(segment.base_offset, storage::kTimeIndexSuffix), runtime::OpenMode::kRead);
    if (entries) times.emplace(*std::move(entries), segment.base_offset);
    if (!entries) unreadable(entries.error(), std::nullopt);
  }
  Result<void> walked = co_await walk(index, check, offsets, times);
  if (!walked) unreadable(walked.error(), check.position());
  if (walked) co_await tell_gap(index, check.end_offset());
  if (index + 1 == segments_.size()) log_end_ = check.end_offset();
}

/// As far as it is known. What differs is told.
Task<bool> PartitionVerifier::time_index_as_written(std::size_t index) {
  const auto known = checksum(index);
  if (!known) co_return true;
  const std::string path = file(segments_[index].base_offset, storage::kTimeIndexSuffix);
  const Result<bool> sound = co_await storage::begins_as(files_, path, known->time_index);
  if (!sound || *sound) co_return true;  // What cannot be read is told by who reads it.
  report_.note({.file = path,
                .reason = "it is not what was written",
                .at_start = "it is built anew from the log when it is first used"});
  co_return false;
}

/// Appends leave none: the end of a segment was not on the disk when a power cut came, and the next one was.
Task<void> PartitionVerifier::tell_gap(std::size_t index, Offset end) {
  const std::optional<Offset> next = next_base(index);
  if (!next || end >= *next) co_return;
  const Result<SegmentPlace> place = co_await place_of(index);
  if (!place) co_return;
  auto at_start = outlook_.at_gap(*place, next);
  if (!at_start) co_return;
  tell(!outlook_.may_be_unwritten(*next),
       {.file = file(segments_[index].base_offset, storage::kLogSuffix),
        .position = segments_[index].size,
        .reason = fmt::format("offsets {} to {} are missing between it and the next segment", end.value(),
                              next->value() - 1),
        .at_start = *std::move(at_start)});
}

Task<Result<void>> PartitionVerifier::walk(std::size_t index, SegmentCheck& check,
                                           std::optional<OffsetIndexCheck>& offsets,
                                           std::optional<TimeIndexCheck>& times) {
  const auto tell_if = [&](std::string_view suffix, const std::optional<storage::IndexFlaw>& flaw) {
    if (flaw) tell_index(index, suffix, *flaw);
  };
  BROOK_CO_TRY(const SegmentPlace place, co_await place_of(index));
  bool sound = true;  // Of what lies behind a bad batch the indexes are not asked.
  while (!report_.abandoned()) {
    BROOK_CO_TRY(const auto batch, co_await check.next());
    if (!batch) break;
    ++report_.totals().batches;
    report_.totals().bytes += batch->size;
    if (batch->flaw) {
      tell_batch(*batch, place);
      sound = false;
    }
    if (!sound) continue;
    const storage::IndexedBatch indexed{batch->header->last_offset, batch->position,
                                        batch->header->max_timestamp};
    if (offsets) {
      BROOK_CO_TRY(const auto flaw, co_await offsets->visit(indexed));
      tell_if(storage::kOffsetIndexSuffix, flaw);
    }
    if (times) {
      BROOK_CO_TRY(const auto flaw, co_await times->visit(indexed));
      tell_if(storage::kTimeIndexSuffix, flaw);
    }
  }
  if (!sound || report_.abandoned()) co_return Result<void>{};
  if (offsets) {
    BROOK_CO_TRY(const auto flaw, co_await offsets->finish(place.size));
    tell_if(storage::kOffsetIndexSuffix, flaw);
  }
  if (times) {
    BROOK_CO_TRY(const auto flaw, co_await times->finish());
    tell_if(storage::kTimeIndexSuffix, flaw);
  }
  co_return Result<void>{};
}

void PartitionVerifier::tell_batch(const CheckedBatch& batch, const SegmentPlace& segment) {
  const storage::BatchFlaw& flaw = *batch.flaw;
  const bool normal = outlook_.is_left_by_a_crash(batch, segment);
  if (!normal && segment.is_last) end_known_ = false;
  const auto at = std::ranges::find(segments_, segment.base_offset, &SegmentFile::base_offset);
  const auto next = next_base(static_cast<std::size_t>(at - segments_.begin()));
  std::string at_start = outlook_.at_start(flaw, segment, next);
  if (normal) at_start += ", as after every crash: it was not yet known to be on the disk";
  tell(!normal, {.file = file(segment.base_offset, storage::kLogSuffix),
                 .position = flaw.position,
                 .reason = flaw.reason,
                 .at_start = std::move(at_start),
                 .first_offset = flaw.first_offset,
                 .last_offset = flaw.last_offset});
}

void PartitionVerifier::tell_index(std::size_t index, std::string_view suffix,
                                   const storage::IndexFlaw& flaw) {
  const Offset base = segments_[index].base_offset;
  const bool recovered = outlook_.reads(next_base(index));
  const bool anew = outlook_.reads_all_of(base) || flaw.repair == IndexRepair::kAtFirstUse ||
                    (recovered && (flaw.repair == IndexRepair::kInRecovery ||
                                   (flaw.offset && *flaw.offset >= outlook_.recovery_point())));
  tell(!anew, {.file = file(base, suffix),
               .position = flaw.position,
               .reason = flaw.reason,
               .at_start = anew ? "it is built anew from the log"
                                : "nothing, and look-ups may miss records: remove the file while no broker "
                                  "runs, and it is built anew"});
}

void PartitionVerifier::compare_with_checkpoints() {
  const bool crashed = !hints_.clean_shutdown;
  const auto compare = [&](std::string_view name, std::optional<Offset> offset, bool is_flaw,
                           std::string_view reason, std::string_view at_start) {
    if (!offset || *offset <= log_end_) return;
    tell(is_flaw, {.file = fmt::format("{}/{}", log_directory_, name),
                   .reason = fmt::format("{}: offset {} is above the log's end {}: {}",
                                         path_.substr(path_.rfind('/') + 1), offset->value(),
                                         log_end_.value(), reason),
                   .at_start = std::string(at_start),
                   .first_offset = log_end_,
                   .last_offset = *offset - 1});
  };
  compare(storage::kRecoveryPointFile, hints_.recovery_point, true, "records that were on the disk are gone",
          "the log goes on at its end; the offsets in between are given again");
  compare(storage::kLogStartOffsetFile, hints_.log_start_offset, true, "the log would begin behind its end",
          "the log is emptied and begins there");
  compare(storage::kHighWatermarkFile, hints_.high_watermark, !crashed,
          "records that consumers may have read are gone",
          "the log goes on at its end; the offsets in between are given again");
  compare(storage::kCleanerOffsetFile, hints_.first_dirty_offset, !crashed, "what was compacted is gone",
          "compaction begins anew");
}

}  // namespace brook::cli

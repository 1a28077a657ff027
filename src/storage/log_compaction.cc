// Compaction of a log: the newest offset of each dirty key, then one group of segments after another.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"
#include "record/validate.h"
#include "storage/file_names.h"
#include "storage/internal/batch_filter.h"
#include "storage/internal/batch_reader.h"
#include "storage/internal/cleaned_segment.h"
#include "storage/log.h"

namespace brook::storage {
namespace {

using internal::BatchHeader;
using internal::BatchReader;
using internal::CleanedSegment;

/// Renames that are undone together where one of them fails.
class Renames {
 public:
  explicit Renames(runtime::FileSystem& files) : files_(files) {}

  Result<void> rename(const std::string& from, const std::string& to) {
    BROOK_CHECK(files_.rename(from, to));
    done_.emplace_back(from, to);
    return {};
  }
  Result<void> undo() {
    Result<void> all;
    while (!done_.empty()) {
      const auto& [from, to] = done_.back();
      if (auto undone = files_.rename(to, from); !undone) {
        log::error("rename_not_undone", {{"why", undone.error().context}});
        all = std::unexpected(std::move(undone).error());
      }
      done_.pop_back();
    }
    return all;
  }

 private:
  runtime::FileSystem& files_;
  std::vector<std::pair<std::string, std::string>> done_;
};

/// Puts the records' keys into the map; the offset to go on from where it is full.
Result<std::optional<Offset>> map_batch(const record::BatchView& batch, Offset from, OffsetMap& newest) {
  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, record::kDecompressedBytesMax));
    records = plain;
  }
  std::vector<std::pair<Hash128, Offset>> keys;
  record::RecordIterator walk(records, batch.record_count());
  while (true) {
    BROOK_TRY(const auto next, walk.next());
    if (!next) break;
    const Offset offset = batch.base_offset() + next->offset_delta;
    if (offset < from || !next->key) continue;
    keys.emplace_back(newest.hash_of(*next->key), offset);
    newest.prefetch(keys.back().first);
  }
  for (const auto& [key, offset] : keys) {
    if (!newest.put(key, offset)) return std::optional(offset);
  }
  return std::optional<Offset>{};
}

std::unexpected<Error> corrupt(const Segment& segment, std::uint64_t position, std::string_view what) {
  return fail(ErrorCode::kCorruptMessage,
              fmt::format("{}: {} at position {}", segment.path(), what, position));
}

}  // namespace

/// One compaction under way.
struct Log::Compaction {
  CompactionRange range;
  CompactionJob job;
  std::uint64_t truncations = 0;
  Offset mapped_end;  ///< keys of all records below are in the map, or not needed
  std::optional<internal::BatchFilter> filter = {};
  std::uint64_t unpaced_bytes = 0;
  std::unordered_map<ProducerId, Offset> last_batches =
      {};                ///< of each producer, when all of the log was flushed
  bool changed = false;  ///< the group that is compacted lost something
  std::vector<SharedSegment> made = {};
  std::size_t segments_read = 0;
  std::size_t segments_written = 0;

  /// True where it is time to pause.
  bool worked(std::uint64_t bytes) {
    unpaced_bytes += bytes;
    return unpaced_bytes >= job.step_bytes;
  }
  [[nodiscard]] Task<bool> pause() { return job.pace.pause(std::exchange(unpaced_bytes, 0)); }
};

Task<Result<CompactionRange>> Log::compaction_range(Timestamp now, Offset high_watermark) {
  if (config_.min_compaction_lag_ms.count() > 0 || config_.max_compaction_lag_ms) {
    for (SharedSegment segment = segment_of(first_dirty_offset_.value_or(log_start_offset_)); segment;
         segment = segment_after(segment->base_offset())) {
      BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    }
  }
  std::vector<CompactionSegment> summaries;
  for (const auto& [base, segment] : segments_)
    summaries.push_back({base, segment->size(), segment->largest_timestamp(), segment->first_timestamp()});
  const CompactionBounds bounds{first_dirty_offset_, log_start_offset_, log_end_offset_,
                                last_stable_offset(high_watermark)};
  co_return decide_compaction(summaries, config_, bounds, now);
}

Result<void> Log::roll_for_compaction(Timestamp now) {
  if (!config_.max_compaction_lag_ms || active().size() == 0 || closed_) return {};
  const auto first = active().first_timestamp();
  if (!first || first->value() <= 0 || now - *first <= config_.max_compaction_lag_ms->count()) return {};
  changed_ = true;
  return roll(log_end_offset_);
}

Task<Result<CompactionOutcome>> Log::compact(CompactionRange range, CompactionJob job) {
  CompactionOutcome outcome{false, range.first_dirty, {}};
  if (range.first_uncleanable <= range.first_dirty || closed_) co_return outcome;
  if (std::exchange(compacting_, true)) co_return outcome;
  Compaction run{range, job, truncations_, range.first_dirty};
  const Result<bool> done = co_await compact_range(run);
  compacting_ = false;
  if (run.filter) outcome.totals = run.filter->totals();
  outcome.totals.segments_read = run.segments_read;
  outcome.totals.segments_written = run.segments_written;
  // What went wrong in a log that was cut or closed under it means nothing.
  if (closed_ || run.truncations != truncations_) co_return outcome;
  BROOK_CO_CHECK(done);
  if (!*done) co_return outcome;
  for (const SharedSegment& made : run.made) {
    // It is as it was written, and nobody has read it yet.
    if (Result<void> loaded = co_await made->load(config_.index_interval_bytes); !loaded)
      log::warn("compacted_segment_not_read", {{"why", loaded.error().context}});
  }
  co_await write_index_checksums(false);
  if (closed_ || run.truncations != truncations_) co_return outcome;
  outcome.finished = true;
  outcome.first_dirty = run.mapped_end;
  first_dirty_offset_ = run.mapped_end;
  co_return outcome;
}

/// False where the compaction ended early; so do those below.
Task<Result<bool>> Log::compact_range(Compaction& run) {
  // What replaces a record, or a producer's batch, is on the disk before that goes: else a power cut takes
  // both.
  for (const auto& [id, entry] : producers_.entries()) {
    if (const auto last = entry.last_offset()) run.last_batches[id] = *last;
  }
  BROOK_CO_CHECK(co_await flush());
  if (closed_ || run.truncations != truncations_) co_return false;
  BROOK_CO_TRY(const bool mapped, co_await map_keys(run));
  if (!mapped) co_return false;
  run.filter.emplace(run.job.newest,
                     internal::BatchFilterOptions{run.job.now, config_.delete_retention_ms, run.mapped_end,
                                                  run.range.first_uncleanable},
                     [this, &run](const BatchHeader& header) {
                       const auto flushed = run.last_batches.find(header.producer_id);
                       return last_of_producer(header) ||
                              (flushed != run.last_batches.end() && header.last_offset == flushed->second);
                     });
  for (std::vector<SharedSegment>& group : compaction_groups(run)) {
    BROOK_CO_TRY(const bool cleaned, co_await clean_group(run, std::move(group)));
    if (!cleaned) co_return false;
  }
  co_return true;
}

Task<Result<bool>> Log::map_keys(Compaction& run) {
  internal::TransactionTracker transactions;
  for (SharedSegment segment = segment_of(run.mapped_end);
       segment && segment->base_offset() < run.range.first_uncleanable;
       segment = segment_after(segment->base_offset())) {
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    BROOK_CO_TRY(const Mapped mapped, co_await map_segment(run, segment, transactions));
    if (mapped == Mapped::kEnded) co_return false;
    if (mapped == Mapped::kFull) co_return true;
    run.mapped_end = std::max(run.mapped_end, end_of(segment->base_offset()));
  }
  co_return true;
}

Task<Result<Log::Mapped>> Log::map_segment(Compaction& run, SharedSegment segment,
                                           internal::TransactionTracker& transactions) {
  const Offset from = std::max(run.range.first_dirty, segment->base_offset());
  BROOK_CO_TRY(const auto aborted, co_await aborted_transactions(from, end_of(segment->base_offset())));
  transactions.add_aborted(aborted);
  BROOK_CO_TRY(const auto start, co_await segment->find(from));
  if (!start) co_return Mapped::kWhole;
  BROOK_CO_TRY(auto file, segment->file());
  BatchReader reader(std::move(file), start->position, segment->size(), run.job.buffer_bytes);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header) co_return corrupt(*segment, reader.position(), "no record batch");
    BROOK_CO_TRY(const ByteView body, co_await reader.body(*header));
    if (body.empty()) co_return corrupt(*segment, reader.position(), "a batch that is cut off");
    BROOK_CO_TRY(const auto batch, record::BatchView::parse(body));
    BROOK_CO_CHECK(batch.check_crc());
    if (header->control()) {
      const auto producer = internal::producer_batch(body, *header, 0);
      static_cast<void>(transactions.on_marker(header->producer_id, header->last_offset,
                                               producer ? producer->marker : std::nullopt));
    } else if (!transactions.on_batch(header->producer_id, header->transactional(), header->last_offset)) {
      BROOK_CO_TRY(const auto full_at, map_batch(batch, run.range.first_dirty, run.job.newest));
      if (full_at) {
        run.mapped_end = *full_at;
        co_return Mapped::kFull;
      }
    }
    run.mapped_end = std::max(run.mapped_end, header->last_offset.next());
    reader.skip(*header);
    if (run.worked(header->size)) {
      const bool go_on = co_await run.pause();
      if (!go_on || closed_) co_return Mapped::kEnded;
    }
  }
  co_return Mapped::kWhole;
}

std::vector<std::vector<Log::SharedSegment>> Log::compaction_groups(const Compaction& run) const {
  std::vector<SharedSegment> sources;
  std::vector<GroupedSegment> summaries;
  // From the very first, also below the log's start: a kill may bring back an older start, and the ends of
  // transactions that lie there are then of use.
  for (SharedSegment segment = segments_.begin()->second; segment && segment->base_offset() < run.mapped_end;
       segment = segment_after(segment->base_offset())) {
    sources.push_back(segment);
    summaries.push_back({segment->base_offset(), segment->size(), segment->offset_index().count() * 8,
                         segment->time_index().count() * 12});
  }
  std::vector<std::vector<SharedSegment>> groups;
  auto next = sources.begin();
  for (const std::size_t count : group_segments(summaries, config_, run.range.first_uncleanable)) {
    const auto end = next + static_cast<std::ptrdiff_t>(count);
    groups.emplace_back(next, end);
    next = end;
  }
  return groups;
}

Task<Result<bool>> Log::clean_group(Compaction& run, std::vector<SharedSegment> sources) {
  if (!in_place(sources)) co_return false;
  BROOK_CO_TRY(const auto output,
               co_await CleanedSegment::create(files_, directory_, sources.front()->base_offset(),
                                               config_.index_interval_bytes, run.job.buffer_bytes));
  run.changed = sources.size() > 1;
  Result<bool> done = true;
  for (const SharedSegment& source : sources) {
    if (done && *done) done = co_await clean_segment(run, source, *output);
  }
  if (done && *done && !run.changed) {
    co_await output->discard();  // The same as it was.
    co_return true;
  }
  if (done && *done) {
    if (Result<void> finished = co_await output->finish(); !finished)
      done = std::unexpected(std::move(finished).error());
  }
  if (done && *done) done = co_await swap_in(run, sources, *output);
  // In a directory that was closed the next start clears up: it may be another log's by now.
  if ((!done || !*done) && !closed_) co_await output->discard();
  co_return done;
}

Task<Result<bool>> Log::clean_segment(Compaction& run, SharedSegment source, CleanedSegment& output) {
  BROOK_CO_CHECK(co_await source->load(config_.index_interval_bytes));
  BROOK_CO_TRY(const auto aborted,
               co_await aborted_transactions(source->base_offset(), end_of(source->base_offset())));
  run.filter->transactions().add_aborted(aborted);
  CompactionTotals& totals = run.filter->totals();
  BROOK_CO_TRY(auto file, source->file());
  BatchReader reader(std::move(file), 0, source->size(), run.job.buffer_bytes);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header) co_return corrupt(*source, reader.position(), "no record batch");
    BROOK_CO_TRY(const ByteView body, co_await reader.body(*header));
    if (body.empty()) co_return corrupt(*source, reader.position(), "a batch that is cut off");
    BROOK_CO_TRY(const auto filtered, run.filter->filter(*header, body));
    run.changed |= filtered.changed;
    if (!filtered.bytes.empty()) {
      const auto written = internal::parse_batch_header(filtered.bytes);
      BROOK_CO_CHECK(output.append(*written, filtered.bytes));
      if (output.needs_index_files()) BROOK_CO_CHECK(co_await output.make_index_files());
    }
    if (filtered.aborted) BROOK_CO_CHECK(output.add_aborted(*filtered.aborted));
    totals.bytes_read += header->size;
    totals.bytes_written += filtered.bytes.size();
    reader.skip(*header);
    if (run.worked(header->size + filtered.bytes.size())) {
      const bool go_on = co_await run.pause();
      if (!go_on || closed_) co_return false;
    }
  }
  co_return true;
}

/// Where a crash meets this, the next start finds either the sources or `.log.swap`, which is whole then (see
/// clean_directory()): its indexes get that name before it, and their own names behind it.
Task<Result<bool>> Log::swap_in(Compaction& run, std::vector<SharedSegment> sources, CleanedSegment& output) {
  const auto move_output = [&](Renames& renames, std::string_view from, std::string_view to,
                               bool log_first) -> Result<void> {
    std::vector<std::string> names = output.names();
    if (!log_first) std::ranges::reverse(names);
    for (const std::string& name : names) {
      const std::string present = name + std::string(from);
      if (files_.exists(present)) BROOK_CHECK(renames.rename(present, name + std::string(to)));
    }
    return {};
  };
  Renames renames(files_);
  Result<void> done = move_output(renames, kCleanedSuffix, kSwapSuffix, false);
  if (done) done = co_await files_.sync_directory_on_pool(directory_);
  if (!done || closed_ || run.truncations != truncations_ || !in_place(sources)) {
    if (auto undone = renames.undo(); !undone)
      sync_error_ = undone.error();  // The next start goes on from here.
    BROOK_CO_CHECK(done);
    co_return false;
  }

  // From here on without a wait, so that nobody sees a part of it.
  std::vector<std::string> paths;
  std::vector<Offset> merged;  // Their producer snapshots go with them, but for the newest of all.
  for (const SharedSegment& source : sources) {
    std::ranges::move(source->existing_files(), std::back_inserter(paths));
    const Offset base = source->base_offset();
    const std::string snapshot = offset_file_path(directory_, base, kSnapshotSuffix);
    const bool newest = !snapshots_.empty() && base == snapshots_.back();
    if (source == sources.front() || newest || !files_.exists(snapshot)) continue;
    merged.push_back(base);
    paths.push_back(snapshot);
  }
  const runtime::Instant due = clock_.now() + config_.file_delete_delay_ms;
  std::vector<DeletedFile> deleted;
  for (const std::string& path : paths) {
    deleted.push_back({deleted_path(path), due});
    if (done) done = renames.rename(path, deleted.back().path);
  }
  if (done) done = move_output(renames, kSwapSuffix, "", true);
  if (!done) {
    if (auto undone = renames.undo(); !undone)
      sync_error_ = undone.error();  // The next start goes on from here.
    BROOK_CO_CHECK(done);
  }
  std::ranges::move(deleted, std::back_inserter(deleted_));
  for (const Offset base : merged) std::erase(snapshots_, base);
  const Timestamp created = sources.back()->created();
  for (const SharedSegment& source : sources) {
    source->retire();
    corrupt_.drop(source->base_offset());
    segments_.erase(source->base_offset());
  }
  run.made.push_back(
      std::make_shared<Segment>(files_, directory_, output.base_offset(), output.size(), created));
  segments_[output.base_offset()] = run.made.back();
  ++generation_;
  changed_ = true;
  run.segments_read += sources.size();
  ++run.segments_written;
  co_return true;
}

/// Retention and truncation may have taken some while we waited.
bool Log::in_place(const std::vector<SharedSegment>& sources) const {
  return std::ranges::all_of(sources, [this](const SharedSegment& source) {
    const auto at = segments_.find(source->base_offset());
    return at != segments_.end() && at->second == source;
  });
}

/// What the producer's state would be read from again: its last batch, or its last marker where no batch is
/// known.
bool Log::last_of_producer(const BatchHeader& header) const {
  const ProducerEntry* known = producers_.find(header.producer_id);
  if (known == nullptr) return false;
  if (const auto last = known->last_offset()) return header.last_offset == *last;
  return header.control() && header.producer_epoch == known->epoch;
}

}  // namespace brook::storage

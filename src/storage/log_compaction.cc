// Compaction of a log: the newest offset of each dirty key, then one group of segments after another.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/internal/batch_scan.h"
#include "storage/internal/cleaned_segment.h"
#include "storage/internal/compaction_work.h"
#include "storage/log.h"

namespace brook::storage {
namespace {

using internal::BatchScan;
using internal::CleanedSegment;

/// How many are mapped between two pauses: a millisecond's work.
constexpr std::size_t kKeyPieces = 64;

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

}  // namespace

/// One compaction under way. The log's shard decides and waits, the work on bytes is done in the background,
/// a piece at a time: the two never touch it at the same time.
struct Log::Compaction {
  CompactionRange range;
  CompactionJob job;
  std::uint64_t truncations = 0;
  internal::CompactionWork work;
  SharedSegment next = {};  ///< where the next group begins
  bool changed = false;     ///< the group that is compacted lost something
  std::vector<SharedSegment> made = {};
  std::size_t segments_read = 0;
  std::size_t segments_written = 0;

  [[nodiscard]] Task<bool> pause() { return job.pace.pause(work.take_worked()); }
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
  // Of now: what replaces a record, or a producer's batch, is on the disk before that goes, else a power cut
  // takes both.
  Compaction run{range, job, truncations_,
                 internal::CompactionWork(range, job, internal::LastBatches(producers_))};
  const Result<bool> done = co_await compact_range(run);
  const bool undisturbed = !closed_ && run.truncations == truncations_;
  AppendedKeys::Dropped dropped;
  if (appended_keys_ && undisturbed && done.value_or(false))
    dropped = appended_keys_->drop_below(run.work.mapped_end());
  co_await files_.run_in_background([&job, &dropped] {
    job.newest.release();
    dropped.clear();
  });
  compacting_ = false;
  outcome.totals = run.work.totals();
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
  outcome.first_dirty = run.work.mapped_end();
  first_dirty_offset_ = run.work.mapped_end();
  co_return outcome;
}

/// False where the compaction ended early; so do those below.
Task<Result<bool>> Log::compact_range(Compaction& run) {
  BROOK_CO_CHECK(co_await flush());
  if (closed_ || run.truncations != truncations_) co_return false;
  BROOK_CO_TRY(const bool mapped, co_await map_keys(run));
  if (!mapped) co_return false;
  run.work.begin_cleaning(config_.delete_retention_ms);
  // From the very first, also below the log's start: a kill may bring back an older start, and the ends of
  // transactions that lie there are then of use.
  run.next = segments_.begin()->second;
  while (run.next && run.next->base_offset() < run.work.mapped_end()) {
    BROOK_CO_TRY(const bool cleaned, co_await clean_group(run));
    if (!cleaned) co_return false;
  }
  co_return true;
}

Task<Result<bool>> Log::map_keys(Compaction& run) {
  internal::TransactionTracker transactions;
  for (SharedSegment segment = segment_of(run.work.mapped_end());
       segment && segment->base_offset() < run.range.first_uncleanable;
       segment = segment_after(segment->base_offset())) {
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    const Offset from = std::max(run.range.first_dirty, segment->base_offset());
    const Offset end = end_of(segment->base_offset());
    const bool kept =
        appended_keys_ && appended_keys_->seed() == run.job.newest.seed() && appended_keys_->cover(from, end);
    if (kept) run.work.begin_mapping(segment->base_offset());
    BROOK_CO_TRY(const Mapped mapped, kept ? co_await map_kept_keys(run, from, end)
                                           : co_await map_segment(run, segment, transactions));
    if (mapped == Mapped::kEnded) co_return false;
    if (mapped == Mapped::kFull) co_return true;
    run.work.mapped_to(end_of(segment->base_offset()));
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
  BatchScan scan(std::move(file), start->position, segment->size(), run.job.buffer_bytes);
  run.work.begin_mapping(segment->base_offset());
  while (!scan.at_end()) {
    Result<bool> whole = true;
    co_await files_.run_in_background([&] { whole = run.work.map_piece(scan, transactions); });
    BROOK_CO_CHECK(whole);
    if (!*whole) co_return Mapped::kFull;
    const bool go_on = co_await run.pause();
    if (!go_on || closed_) co_return Mapped::kEnded;
  }
  co_return Mapped::kWhole;
}

/// The same from memory, where all of the segment's keys are.
Task<Result<Log::Mapped>> Log::map_kept_keys(Compaction& run, Offset from, Offset end) {
  while (from < end) {
    const auto pieces = appended_keys_->pieces(from, end, kKeyPieces);
    if (pieces.empty()) co_return Mapped::kEnded;  // The log was cut, or is not to be compacted any more.
    bool whole = true;
    co_await files_.run_in_background([&] {
      for (const AppendedKeys::Piece& piece : pieces) {
        whole = whole && run.work.map_keys(piece.first, piece.keys);
        from = piece.end();
      }
    });
    if (!whole) co_return Mapped::kFull;
    const bool go_on = co_await run.pause();
    if (!go_on || closed_) co_return Mapped::kEnded;
  }
  co_return Mapped::kWhole;
}

/// True where `next` may follow what was written into the same segment. Its size is what pass one makes
/// expect, and may turn out greater: beyond what positions can say it never grows.
Task<Result<bool>> Log::joins_group(const Compaction& run, const CleanedSegment& output, SharedSegment next) {
  if (!next || next->base_offset() >= run.work.mapped_end()) co_return false;
  BROOK_CO_CHECK(co_await next->load(config_.index_interval_bytes));
  if (output.size() + next->size() > std::numeric_limits<std::int32_t>::max()) co_return false;
  const Offset end = end_of(next->base_offset());
  const double share = run.work.surviving_share(next->base_offset(), end);
  const auto expected = [share](std::uint64_t bytes) {
    return static_cast<std::uint64_t>(share * static_cast<double>(bytes));
  };
  const GroupedSegment so_far{output.base_offset(), output.size(), output.offset_index_bytes(),
                              output.time_index_bytes()};
  const GroupedSegment more{next->base_offset(), expected(next->size()),
                            expected(next->offset_index().count() * OffsetIndex::Entry::kSize),
                            expected(next->time_index().count() * TimeIndex::Entry::kSize)};
  co_return fits_one_segment(so_far, more, end, config_);
}

/// Makes one segment of run.next and those behind it that fit, and goes behind them.
Task<Result<bool>> Log::clean_group(Compaction& run) {
  BROOK_CO_TRY(const auto output,
               co_await CleanedSegment::create(files_, directory_, run.next->base_offset(),
                                               config_.index_interval_bytes, run.job.buffer_bytes));
  run.changed = false;
  std::vector<SharedSegment> sources;
  Result<bool> done = true;
  for (bool more = true; more;) {
    sources.push_back(run.next);
    done = co_await clean_segment(run, sources.back(), *output);
    run.next = segment_after(sources.back()->base_offset());
    if (!done || !*done) break;
    Result<bool> joins = co_await joins_group(run, *output, run.next);
    more = joins.value_or(false);
    if (!joins) done = std::unexpected(std::move(joins).error());
  }
  // Where one of them has gone meanwhile, what went wrong with it means nothing.
  if (!done && !in_place(sources)) done = false;
  run.changed |= sources.size() > 1;
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
  run.work.add_aborted(aborted);
  BROOK_CO_TRY(auto file, source->file());
  BatchScan scan(std::move(file), 0, source->size(), run.job.buffer_bytes);
  while (!scan.at_end()) {
    Result<void> cleaned;
    co_await files_.run_in_background([&] { cleaned = run.work.clean_piece(scan, output, run.changed); });
    BROOK_CO_CHECK(cleaned);
    const bool go_on = co_await run.pause();
    if (!go_on || closed_) co_return false;
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
  std::vector<std::string> paths;
  // Each look at a name takes microseconds: not while nobody else may come in between.
  co_await files_.run_in_background([&] {
    for (const SharedSegment& source : sources)
      std::ranges::move(source->existing_files(), std::back_inserter(paths));
  });
  if (closed_ || run.truncations != truncations_) co_return false;
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
  std::vector<Offset> merged;  // Their producer snapshots go with them, but for the newest of all.
  for (const SharedSegment& source : sources) {
    const Offset base = source->base_offset();
    if (source == sources.front() || !std::ranges::binary_search(snapshots_, base)) continue;
    const std::string snapshot = offset_file_path(directory_, base, kSnapshotSuffix);
    if (base == snapshots_.back() || !files_.exists(snapshot)) continue;
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

}  // namespace brook::storage

// Compaction of a log: the newest offset of each dirty key, then one group of segments after another.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
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
#include "storage/internal/batch_scan.h"
#include "storage/internal/cleaned_segment.h"
#include "storage/log.h"

namespace brook::storage {
namespace {

using internal::BatchHeader;
using internal::BatchScan;
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

/// The last batch of each producer of a log, or its last marker where no batch is known: what its state would
/// be read from again.
class LastBatches {
 public:
  LastBatches() = default;
  explicit LastBatches(const ProducerState& producers) {
    for (const auto& [id, entry] : producers.entries())
      entries_.insert_or_assign(id, Entry{entry.last_offset(), entry.epoch});
  }

  [[nodiscard]] bool contain(const BatchHeader& header) const {
    const auto known = entries_.find(header.producer_id);
    if (known == entries_.end()) return false;
    if (known->second.last_offset) return header.last_offset == *known->second.last_offset;
    return header.control() && header.producer_epoch == known->second.epoch;
  }

 private:
  struct Entry {
    std::optional<Offset> last_offset;
    std::optional<ProducerEpoch> epoch;
  };
  std::unordered_map<ProducerId, Entry> entries_;
};

}  // namespace

/// One compaction under way. The log's shard decides and waits, the work on bytes is done in the background,
/// a piece at a time: the two never touch it at the same time.
struct Log::Compaction {
  CompactionRange range;
  CompactionJob job;
  std::uint64_t truncations = 0;
  Offset mapped_end;  ///< keys of all records below are in the map, or not needed
  std::optional<internal::BatchFilter> filter = {};
  LastBatches last_batches = {};  ///< when all of the log was flushed
  std::uint64_t unpaced_bytes = 0;
  /// How many records of a segment are in the map, by its base offset.
  std::map<Offset, std::uint64_t> mapped_records = {};
  SharedSegment next = {};  ///< where the next group begins
  bool changed = false;     ///< the group that is compacted lost something
  std::vector<SharedSegment> made = {};
  std::size_t segments_read = 0;
  std::size_t segments_written = 0;

  /// True where it is time to pause.
  bool worked(std::uint64_t bytes) {
    unpaced_bytes += bytes;
    return unpaced_bytes >= job.step_bytes;
  }
  [[nodiscard]] Task<bool> pause() { return job.pace.pause(std::exchange(unpaced_bytes, 0)); }

  /// What is expected to be left of the records of [base, end), 0 to 1.
  [[nodiscard]] double surviving_share(Offset base, Offset end) const;

  // In the background.

  /// Puts keys into the map until it is time to pause, or all are there; false where the map is full.
  [[nodiscard]] Result<bool> map_piece(BatchScan& scan, internal::TransactionTracker& transactions);
  /// False where the map is full: the batch is in it up to mapped_end.
  [[nodiscard]] Result<bool> map_records(const record::BatchView& batch);
  /// Writes what stays until it is time to pause, or all is done.
  [[nodiscard]] Result<void> clean_piece(BatchScan& scan, CleanedSegment& output);

  std::uint64_t records_mapped = 0;                   ///< of the segment that is looked at
  std::vector<std::pair<Hash128, Offset>> keys = {};  ///< of the batch that is looked at
};

double Log::Compaction::surviving_share(Offset base, Offset end) const {
  const auto mapped = mapped_records.find(base);
  if (mapped == mapped_records.end() || mapped->second == 0 || end > mapped_end) return 1;
  const auto replaced = std::min(job.newest.count_replaced(base, end), mapped->second);
  return 1 - static_cast<double>(replaced) / static_cast<double>(mapped->second);
}

Result<bool> Log::Compaction::map_piece(BatchScan& scan, internal::TransactionTracker& transactions) {
  while (!scan.at_end()) {
    BROOK_TRY(const auto found, scan.next());
    const BatchHeader& header = found->header;
    BROOK_TRY(const auto batch, record::BatchView::parse(found->bytes));
    BROOK_CHECK(batch.check_crc());
    if (header.control()) {
      const auto producer = internal::producer_batch(found->bytes, header, 0);
      static_cast<void>(transactions.on_marker(header.producer_id, header.last_offset,
                                               producer ? producer->marker : std::nullopt));
    } else if (!transactions.on_batch(header.producer_id, header.transactional(), header.last_offset)) {
      BROOK_TRY(const bool whole, map_records(batch));
      if (!whole) return false;
    }
    mapped_end = std::max(mapped_end, header.last_offset.next());
    if (worked(header.size)) break;
  }
  return true;
}

Result<bool> Log::Compaction::map_records(const record::BatchView& batch) {
  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, record::kDecompressedBytesMax));
    records = plain;
  }
  keys.clear();
  record::RecordIterator walk(records, batch.record_count());
  record::RecordView record;
  while (true) {
    BROOK_TRY(const bool found, walk.next(record));
    if (!found) break;
    const Offset offset = batch.base_offset() + record.offset_delta;
    if (offset < range.first_dirty || !record.key) continue;
    keys.emplace_back(job.newest.hash_of(*record.key), offset);
    job.newest.prefetch(keys.back().first);
  }
  records_mapped += keys.size();
  for (const auto& [key, offset] : keys) {
    if (job.newest.put(key, offset)) continue;
    mapped_end = offset;
    return false;
  }
  return true;
}

Result<void> Log::Compaction::clean_piece(BatchScan& scan, CleanedSegment& output) {
  while (!scan.at_end()) {
    BROOK_TRY(const auto found, scan.next());
    BROOK_TRY(const auto filtered, filter->filter(found->header, found->bytes));
    changed |= filtered.changed;
    if (!filtered.bytes.empty()) {
      const auto written = internal::parse_batch_header(filtered.bytes);
      BROOK_CHECK(output.append(*written, filtered.bytes));
    }
    if (filtered.aborted) BROOK_CHECK(output.add_aborted(*filtered.aborted));
    CompactionTotals& totals = filter->totals();
    totals.bytes_read += found->header.size;
    totals.bytes_written += filtered.bytes.size();
    if (worked(found->header.size + filtered.bytes.size())) break;
  }
  return {};
}

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
  co_await files_.run_in_background([&job] { job.newest.release(); });
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
  run.last_batches = LastBatches(producers_);
  BROOK_CO_CHECK(co_await flush());
  if (closed_ || run.truncations != truncations_) co_return false;
  run.job.newest.remember_from(run.range.first_dirty);
  BROOK_CO_TRY(const bool mapped, co_await map_keys(run));
  if (!mapped) co_return false;
  run.filter.emplace(run.job.newest,
                     internal::BatchFilterOptions{run.job.now, config_.delete_retention_ms, run.mapped_end,
                                                  run.range.first_uncleanable},
                     [&run](const BatchHeader& header) { return run.last_batches.contain(header); });
  // From the very first, also below the log's start: a kill may bring back an older start, and the ends of
  // transactions that lie there are then of use.
  run.next = segments_.begin()->second;
  while (run.next && run.next->base_offset() < run.mapped_end) {
    BROOK_CO_TRY(const bool cleaned, co_await clean_group(run));
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
  BatchScan scan(std::move(file), start->position, segment->size(), run.job.buffer_bytes);
  run.records_mapped = 0;
  while (!scan.at_end()) {
    Result<bool> whole = true;
    co_await files_.run_in_background([&] { whole = run.map_piece(scan, transactions); });
    BROOK_CO_CHECK(whole);
    if (!*whole) co_return Mapped::kFull;
    const bool go_on = co_await run.pause();
    if (!go_on || closed_) co_return Mapped::kEnded;
  }
  run.mapped_records[segment->base_offset()] = run.records_mapped;
  co_return Mapped::kWhole;
}

/// True where `next` may follow what was written into the same segment. Its size is what pass one makes
/// expect, and may turn out greater: beyond what positions can say it never grows.
Task<Result<bool>> Log::joins_group(const Compaction& run, const CleanedSegment& output, SharedSegment next) {
  if (!next || next->base_offset() >= run.mapped_end) co_return false;
  BROOK_CO_CHECK(co_await next->load(config_.index_interval_bytes));
  if (output.size() + next->size() > std::numeric_limits<std::int32_t>::max()) co_return false;
  const Offset end = end_of(next->base_offset());
  const double share = run.surviving_share(next->base_offset(), end);
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
  for (Result<bool> more = true; done && *done && more && *more;) {
    sources.push_back(run.next);
    done = co_await clean_segment(run, sources.back(), *output);
    run.next = segment_after(sources.back()->base_offset());
    if (done && *done) more = co_await joins_group(run, *output, run.next);
    if (!more) done = std::unexpected(std::move(more).error());
  }
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
  run.filter->transactions().add_aborted(aborted);
  BROOK_CO_TRY(auto file, source->file());
  BatchScan scan(std::move(file), 0, source->size(), run.job.buffer_bytes);
  while (!scan.at_end()) {
    Result<void> cleaned;
    co_await files_.run_in_background([&] { cleaned = run.clean_piece(scan, output); });
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

}  // namespace brook::storage

// How a log is opened: leftovers of a crash, segments, the check of the tail, producers.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "storage/cut_bytes.h"
#include "storage/file_names.h"
#include "storage/internal/batch_reader.h"
#include "storage/log.h"

namespace brook::storage {
namespace {
constexpr std::size_t kHeaderChunk = 8192;
}  // namespace

Task<Result<std::unique_ptr<Log>>> Log::open(runtime::FileSystem& files, runtime::Clock& clock,
                                             std::string directory, TopicPartition partition,
                                             LogConfig config, OpenHints hints) {
  std::unique_ptr<Log> opened(new Log(files, clock, std::move(directory), std::move(partition), config));
  BROOK_CO_CHECK(co_await opened->load(hints));
  opened->release_files();
  co_return opened;
}

Log::Log(runtime::FileSystem& files, runtime::Clock& clock, std::string directory, TopicPartition partition,
         LogConfig config)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      partition_(std::move(partition)),
      config_(config),
      last_flush_(clock.now()),
      flushed_(clock) {}

Log::~Log() = default;

Task<Result<void>> Log::load(OpenHints hints) {
  if (!files_.exists(directory_)) {
    BROOK_CO_CHECK(files_.create_directories(directory_));
  }
  // What a killed process made and renamed is seen here, and need not be on the disk.
  names_dirty_ = parent_dirty_ = !hints.clean_shutdown;
  first_dirty_offset_ = hints.first_dirty_offset;
  BROOK_CO_TRY(const auto entries, co_await clean_directory());
  find_files(entries);
  load_index_checksums();
  bool clean = hints.clean_shutdown;
  Offset recovery_point = hints.recovery_point;
  const bool has_epochs = std::ranges::any_of(
      entries, [](const runtime::DirectoryEntry& entry) { return entry.name == kEpochsFile; });
  if (has_epochs && !load_epochs()) {
    clean = false;
    recovery_point = Offset(0);
  }
  if (segments_.empty()) {
    BROOK_CO_CHECK(start_empty_at(hints.log_start_offset));
    changed_ = false;
    co_return Result<void>{};
  }

  // Where nothing was written there is nothing to recover, however the broker ended. An index beside an empty
  // log is of records that a power cut took.
  if (segments_.size() == 1 && active().size() == 0 && active().existing_files().size() == 1) clean = true;
  log_start_offset_ = std::max(hints.log_start_offset, segments_.begin()->first);
  bool cache_survived = hints.cache_survived && recovery_point == hints.recovery_point;
  if (clean) {
    const std::optional<Offset> unsound = co_await first_unsound_transactions(active().base_offset().next());
    if (unsound) {
      clean = cache_survived = false;
      recovery_point = *unsound;  // To be made anew from there.
    }
  }
  if (clean) {
    BROOK_CO_TRY(clean, co_await active().load_tail(config_.index_interval_bytes));
    if (!clean) log::warn("log_end_malformed_after_clean_shutdown", {{"path", active().path()}});
  }
  // As far as the file goes; a process before this one may not have synced it.
  if (!clean && has_epochs) epochs_.mark_dirty();
  if (clean) {
    log_end_offset_ = active().end_offset();
    recovery_point_ = log_end_offset_;
  } else {
    changed_ = true;
    BROOK_CO_CHECK(co_await recover(recovery_point, cache_survived));
  }
  if (log_end_offset_ < log_start_offset_) {
    log::error("log_ends_below_its_start", {{"directory", directory_},
                                            {"log_end", log_end_offset_.value()},
                                            {"log_start", log_start_offset_.value()}});
    co_return start_empty_at(log_start_offset_);
  }
  epochs_.truncate_from_end(log_end_offset_);
  epochs_.truncate_from_start(log_start_offset_);
  // Of a log that ended further on: nothing is known of what comes there now.
  if (first_dirty_offset_ && *first_dirty_offset_ > log_end_offset_) first_dirty_offset_.reset();
  if (clean) {
    BROOK_CO_CHECK(co_await rebuild_producers(log_end_offset_));
  }
  co_return Result<void>{};
}

/// Removes what a crash left half done; returns what is in the directory then.
Task<Result<std::vector<runtime::DirectoryEntry>>> Log::clean_directory() {
  BROOK_CO_TRY(auto entries, files_.list(directory_));
  std::vector<std::string> leftovers;
  std::set<std::string, std::less<>> cleaned;  // Logs that compaction had not finished.
  std::vector<Offset> swaps;
  std::vector<std::string> swapped_indexes;
  for (const runtime::DirectoryEntry& entry : entries) {
    const std::string_view name = entry.name;
    if (name.ends_with(kDeletedSuffix) || name.ends_with(kCleanedSuffix) || name.ends_with(".tmp")) {
      if (name.ends_with(kCleanedSuffix)) cleaned.emplace(name.substr(0, name.find('.')));
      leftovers.push_back(entry.name);
    } else if (name.ends_with(kSwapSuffix)) {
      const auto base = parse_offset_file(name.substr(0, name.size() - kSwapSuffix.size()), kLogSuffix);
      if (base) {
        swaps.push_back(*base);
      } else {
        swapped_indexes.push_back(entry.name);
      }
    }
  }
  const bool found = !leftovers.empty() || !swaps.empty() || !swapped_indexes.empty();
  // Those of unfinished ones before what says that they are: a start can be cut off too.
  const auto unfinished = std::ranges::partition(swapped_indexes, [&](const std::string& name) {
    return !cleaned.contains(std::string_view(name).substr(0, name.find('.')));
  });
  for (const std::string& name : unfinished) BROOK_CO_CHECK(files_.remove(directory_ + "/" + name));
  swapped_indexes.erase(unfinished.begin(), unfinished.end());
  for (const std::string& name : leftovers) BROOK_CO_CHECK(files_.remove(directory_ + "/" + name));
  for (const Offset base : swaps) {
    BROOK_CO_CHECK(co_await finish_swap(base));
  }
  for (const std::string& name : swapped_indexes) BROOK_CO_CHECK(move_swapped_index(name));
  if (found) {
    // The start before this one may have been killed when it had cut the log: what it dropped must not come
    // back behind what is written in its place.
    if (names_dirty_) BROOK_CO_CHECK(co_await files_.sync_directory_on_pool(directory_));
    BROOK_CO_TRY(entries, files_.list(directory_));
  }
  std::set<Offset> logs;
  for (const runtime::DirectoryEntry& entry : entries) {
    if (const auto base = parse_offset_file(entry.name, kLogSuffix)) logs.insert(*base);
  }
  for (const runtime::DirectoryEntry& entry : entries) {
    for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
      const auto base = parse_offset_file(entry.name, suffix);
      if (!base || logs.contains(*base)) continue;
      log::warn("index_without_log_removed", {{"directory", directory_}, {"file", entry.name}});
      BROOK_CO_CHECK(files_.remove(directory_ + "/" + entry.name));
    }
  }
  co_return entries;
}

/// An index of a compacted segment whose log stands in its place already, or will by finish_swap().
Result<void> Log::move_swapped_index(const std::string& file) {
  const std::string path = directory_ + "/" + file;
  if (!files_.exists(path)) return {};  // finish_swap() has it.
  const std::string name = file.substr(0, file.size() - kSwapSuffix.size());
  const bool known = parse_offset_file(name, kOffsetIndexSuffix) ||
                     parse_offset_file(name, kTimeIndexSuffix) ||
                     parse_offset_file(name, kTransactionIndexSuffix);
  return known ? files_.rename(path, directory_ + "/" + name) : files_.remove(path);
}

/// A compacted segment that was whole but did not yet stand in its sources' place: what lies in its range
/// goes.
Task<Result<void>> Log::finish_swap(Offset base_offset) {
  const std::string path = offset_file_path(directory_, base_offset, kLogSuffix);
  const std::string swap = path + std::string(kSwapSuffix);
  BROOK_CO_TRY(std::shared_ptr<runtime::File> file, files_.open(swap, runtime::OpenMode::kRead));
  BROOK_CO_TRY(const std::uint64_t size, file->size());
  Offset end = base_offset.next();
  internal::BatchReader reader(file, 0, size, kHeaderChunk);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header)
      co_return fail(ErrorCode::kCorruptMessage,
                     fmt::format("{}: no record batch at position {}", swap, reader.position()));
    end = header->last_offset.next();
    reader.skip(*header);
  }
  BROOK_CO_TRY(const auto entries, files_.list(directory_));
  for (const runtime::DirectoryEntry& entry : entries) {
    for (const std::string_view suffix :
         {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
      const auto base = parse_offset_file(entry.name, suffix);
      if (base && *base >= base_offset && *base < end) {
        BROOK_CO_CHECK(files_.remove(directory_ + "/" + entry.name));
      }
    }
  }
  BROOK_CO_CHECK(files_.rename(swap, path));
  for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix}) {
    const std::string index = offset_file_path(directory_, base_offset, suffix);
    const std::string index_swap = index + std::string(kSwapSuffix);
    if (files_.exists(index_swap)) BROOK_CO_CHECK(files_.rename(index_swap, index));
  }
  log::info("compaction_swap_finished", {{"path", path}});
  co_return Result<void>{};
}

void Log::find_files(const std::vector<runtime::DirectoryEntry>& entries) {
  const Timestamp now = clock_.wall_now();
  for (const runtime::DirectoryEntry& entry : entries) {
    if (const auto base = parse_offset_file(entry.name, kLogSuffix)) {
      segments_[*base] = std::make_shared<Segment>(files_, directory_, *base, entry.size, now);
    } else if (const auto snapshot = parse_offset_file(entry.name, kSnapshotSuffix)) {
      snapshots_.push_back(*snapshot);
    } else if (entry.name.ends_with(kCutSuffix)) {
      ++cut_files_;
    }
  }
  std::ranges::sort(snapshots_);
}

/// False where the file can't be used: then the whole log is read.
bool Log::load_epochs() {
  const std::string path = epochs_path();
  const auto text = files_.read_whole(path);
  auto parsed = text ? LeaderEpochs::parse(*text, path) : Result<LeaderEpochs>(std::unexpected(text.error()));
  if (!parsed) {
    log::error("leader_epochs_unreadable", {{"why", parsed.error().context}});
    return false;
  }
  epochs_ = *std::move(parsed);
  return true;
}

Result<void> Log::replay(Segment& segment, const internal::BatchHeader& header, ByteView body,
                         bool index_aborted) {
  // The log may start within a batch.
  if (header.last_offset < producers_.end_offset()) return {};
  if (const auto batch = internal::producer_batch(body, header, 0)) {
    ProducerUpdate update;
    BROOK_CHECK(producers_.check(*batch, AppendOrigin::kReplication, update));
    producers_.apply(update);
    if (index_aborted) {
      BROOK_CHECK(complete_transactions(segment, update));
    } else {
      for (const CompletedTransaction& done : update.completed()) producers_.complete(done);
    }
  }
  producers_.set_end_offset(header.last_offset.next());
  return {};
}

Task<Result<void>> Log::recover(Offset recovery_point, bool cache_survived) {
  // A snapshot is written when all before it is.
  const Offset durable = recovery_point;
  if (cache_survived && !snapshots_.empty()) recovery_point = std::max(recovery_point, snapshots_.back());
  const std::optional<Offset> unsound = co_await first_unsound_transactions(recovery_point);
  if (unsound) recovery_point = *unsound;  // To be made anew from there.
  // The segment that holds the recovery point, and all behind it.
  auto at = segments_.upper_bound(std::max(recovery_point, log_start_offset_));
  if (at != segments_.begin()) --at;
  if (at->first == durable && at != segments_.begin()) {
    // An append to it may have failed: what that left was cut off, and a power cut may have brought it back.
    Segment& before = *std::prev(at)->second;
    BROOK_CO_TRY(const std::uint64_t cut, co_await before.cut_behind(durable));
    if (cut > 0) {
      log::warn("log_leftover_cut", {{"path", before.path()}, {"bytes_cut", cut}});
      BROOK_CO_CHECK(co_await before.sync(false));
    }
  }
  const Offset recovered_from = at->first;
  bool first = true;
  for (; at != segments_.end(); ++at) {
    Segment& segment = *at->second;
    BROOK_CO_TRY(const BatchAt start,
                 co_await segment.prepare_recovery(first ? recovery_point : segment.base_offset()));
    log_end_offset_ = start.base_offset;
    if (first) {
      BROOK_CO_CHECK(co_await rebuild_producers(start.base_offset));
      epochs_.truncate_from_end(start.base_offset);  // The batches from there on say it again.
    }
    first = false;
    BROOK_CO_CHECK(segment.transactions().begin_rebuild(producers_.end_offset()));
    BROOK_CO_TRY(
        const RecoveryCut cut,
        co_await segment.recover(start, config_.index_interval_bytes, cut_files_ < kCutFilesMax,
                                 [&](const internal::BatchHeader& header, ByteView body) -> Result<void> {
                                   note_epoch(header.leader_epoch, header.base_offset);
                                   return replay(segment, header, body, true);
                                 }));
    log_end_offset_ = segment.end_offset();
    BROOK_CO_CHECK(segment.transactions().finish_rebuild());
    // It may have been written anew below the recovery point that the checkpoint has, from where the next
    // start looks.
    if (segment.transactions().dirty()) {
      BROOK_CO_CHECK(co_await segment.transactions().sync());
      BROOK_CO_CHECK(co_await files_.sync_directory_on_pool(directory_));
    }
    // Appends leave no hole between segments: the end of this one was never synced, and a power cut took it.
    const auto next = std::next(at);
    const bool holes_are_meant = config_.cleanup_compact || first_dirty_offset_ || cache_survived;
    const bool hole = next != segments_.end() && next->first > log_end_offset_ && !holes_are_meant;
    if (cut.bytes > 0 || hole) {
      if (!cut.kept_as.empty()) ++cut_files_;
      log::warn("log_truncated", {{"topic", partition_.topic},
                                  {"partition", partition_.partition.value()},
                                  {"path", segment.path()},
                                  {"log_end_offset", log_end_offset_.value()},
                                  {"bytes_cut", cut.bytes},
                                  {"kept_as", cut.kept_as},
                                  {"segments_dropped", std::distance(next, segments_.end())}});
      while (std::next(at) != segments_.end()) BROOK_CO_CHECK(set_last_segment_aside());
      // What was dropped must not come back behind what is written in its place.
      BROOK_CO_CHECK(co_await segment.sync(false));
      BROOK_CO_CHECK(co_await files_.sync_directory_on_pool(directory_));
      break;
    }
    if (next != segments_.end()) {
      BROOK_CO_CHECK(segment.seal());
      producers_.set_end_offset(next->first);
      BROOK_CO_CHECK(take_producer_snapshot());
    }
  }
  producers_.set_end_offset(log_end_offset_);
  BROOK_CO_CHECK(remove_snapshots_above(log_end_offset_));
  recovery_point_ = std::min({durable, recovery_point, log_end_offset_});
  BROOK_CO_CHECK(co_await end_at_last_batch(recovered_from));
  co_return Result<void>{};
}

/// It lies behind what recovery cut off: the batches in it may be good.
Result<void> Log::set_last_segment_aside() {
  const auto last = std::prev(segments_.end());
  const Segment& segment = *last->second;
  if (segment.size() > 0 && cut_files_ < kCutFilesMax) {
    const std::string kept = cut_file_path(files_, directory_, last->first, 0);
    BROOK_CHECK(files_.rename(segment.path(), kept));
    ++cut_files_;
    log::warn("segment_set_aside", {{"path", segment.path()}, {"bytes", segment.size()}, {"kept_as", kept}});
  }
  return drop_segment(last);
}

/// A power cut may keep the names of the last segments and lose the records of all of them, and of those
/// before. The offsets in between were not on the disk and are given again: who reads on must not wait at a
/// hole for what never comes. Compaction leaves such holes by design.
Task<Result<void>> Log::end_at_last_batch(Offset recovered_from) {
  if (config_.cleanup_compact || first_dirty_offset_) co_return Result<void>{};
  auto last = std::prev(segments_.end());
  while (last->first > recovered_from && last->second->size() == 0) --last;
  const SharedSegment segment = last->second;
  const Offset end = std::max(segment->end_offset(), log_start_offset_);
  if (end >= log_end_offset_) co_return Result<void>{};
  log::warn("log_ends_with_empty_segments", {{"topic", partition_.topic},
                                             {"partition", partition_.partition.value()},
                                             {"path", segment->path()},
                                             {"log_end_offset", log_end_offset_.value()},
                                             {"last_record_ends_at", end.value()}});
  BROOK_CO_CHECK(co_await truncate_to(end));
  BROOK_CO_CHECK(co_await segment_of(end)->sync(false));
  BROOK_CO_CHECK(co_await files_.sync_directory_on_pool(directory_));
  co_return Result<void>{};
}

/// From the newest usable snapshot, and the headers behind it, up to `end_offset`.
Task<Result<void>> Log::rebuild_producers(Offset end_offset) {
  BROOK_CO_CHECK(remove_snapshots_above(end_offset));
  // What retention took between such a one and the first segment would be missing in it.
  while (!snapshots_.empty() && snapshots_.front() < segments_.begin()->first)
    BROOK_CO_CHECK(remove_snapshot(snapshots_.front()));
  producers_.clear(std::min(log_start_offset_, end_offset));
  last_snapshot_ = Offset(-1);
  while (!snapshots_.empty()) {
    const Offset newest = snapshots_.back();
    const std::string path = offset_file_path(directory_, newest, kSnapshotSuffix);
    BROOK_CO_TRY(const std::string file, files_.read_whole(path));
    const auto loaded = producers_.load_snapshot(as_bytes(file), newest, clock_.wall_now(),
                                                 config_.producer_id_expiration_ms, path);
    if (loaded) {
      last_snapshot_ = newest;
      break;
    }
    log::warn("producer_snapshot_dropped", {{"why", loaded.error().context}});
    BROOK_CO_CHECK(files_.remove(path));
    snapshots_.pop_back();
  }
  // A snapshot between segments is of use only while it is the newest.
  for (const Offset offset : std::vector(snapshots_)) {
    if (offset != last_snapshot_ && !segments_.contains(offset)) BROOK_CO_CHECK(remove_snapshot(offset));
  }
  const Offset start = std::min(log_start_offset_, end_offset);
  if (producers_.end_offset() < start) {
    // Files below the log's start may lack what no sync ever saw. Then as if retention had taken all of it.
    const Result<bool> whole = co_await replay_producers(start);
    if (!whole.value_or(false)) producers_.clear(start);
  }
  producers_.on_log_start_advanced(start);
  BROOK_CO_CHECK(co_await replay_producers(end_offset));
  producers_.set_end_offset(end_offset);
  co_return Result<void>{};
}

/// Replays the headers from where the producers are known to `end`; false where some are missing that
/// compaction did not take.
Task<Result<bool>> Log::replay_producers(Offset end) {
  bool whole = true;
  while (producers_.end_offset() < end) {
    const SharedSegment segment = segment_of(producers_.end_offset());
    if (!segment) break;
    // The segment that is being recovered has only a part of its index, and is not to be loaded.
    if (segment != segment_of(end)) {
      BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    }
    BROOK_CO_CHECK(co_await segment->visit(producers_.end_offset(), end,
                                           [&](const internal::BatchHeader& header, ByteView body) {
                                             return replay(*segment, header, body, false);
                                           }));
    const SharedSegment next = segment_after(segment->base_offset());
    const Offset segment_end = next ? std::min(next->base_offset(), end) : end;
    whole = whole && (producers_.end_offset() >= segment_end || config_.cleanup_compact);
    if (!next || next->base_offset() >= end) break;
    producers_.set_end_offset(std::max(producers_.end_offset(), next->base_offset()));
  }
  co_return whole;
}

}  // namespace brook::storage

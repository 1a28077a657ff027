// What changes a log besides appends: truncation, flushing, retention, snapshots, closing.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/log.h"
#include "storage/partition_metadata.h"
#include "storage/retention.h"

namespace brook::storage {
namespace {
constexpr auto kFlushWait =
    std::chrono::seconds(10);  // then the waiter looks again whether a flush is still under way

std::string parent_of(const std::string& directory) {
  const std::size_t slash = directory.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}
}  // namespace

std::string Log::epochs_path() const { return fmt::format("{}/{}", directory_, kEpochsFile); }

void Log::assign_epoch_start(LeaderEpoch epoch, Offset start_offset) { epochs_.assign(epoch, start_offset); }

void Log::set_config(LogConfig config) {
  config_ = config;
  if (appended_keys_ && !config_.cleanup_compact) appended_keys_->clear();
}

Result<Log::SharedSegment> Log::create_segment(Offset base_offset) {
  auto made = std::make_shared<Segment>(files_, directory_, base_offset, 0, clock_.wall_now());
  // What a crash or a failed roll may have left under this name.
  for (const std::string& path : made->existing_files()) {
    BROOK_CHECK(files_.remove(path));
  }
  BROOK_CHECK(made->file());  // Indexes come with their first entries.
  made->begin();
  names_dirty_ = true;
  return made;
}

Result<void> Log::start_empty_at(Offset offset) {
  changed_ = true;
  if (appended_keys_) appended_keys_->clear();
  // First: one above the log's end would tell a later log of records that are no more.
  BROOK_CHECK(remove_snapshots_above(Offset(-1)));
  last_snapshot_ = Offset(-1);
  while (!segments_.empty()) {
    BROOK_CHECK(drop_segment(std::prev(segments_.end())));
  }
  BROOK_TRY(const SharedSegment made, create_segment(offset));
  segments_[offset] = made;
  log_start_offset_ = log_end_offset_ = recovery_point_ = offset;
  epochs_.clear();
  producers_.clear(offset);
  return {};
}

Task<Result<void>> Log::truncate_fully_and_start_at(Offset offset) {
  ++truncations_;
  ++generation_;
  first_dirty_offset_.reset();
  const Result<void> done = start_empty_at(offset);
  if (done)
    log::info("log_emptied", {{"topic", partition_.topic},
                              {"partition", partition_.partition.value()},
                              {"offset", offset.value()}});
  co_return done;
}

Task<Result<void>> Log::truncate_to(Offset offset) {
  if (offset >= log_end_offset_) co_return Result<void>{};
  log::info("log_truncated_to", {{"topic", partition_.topic},
                                 {"partition", partition_.partition.value()},
                                 {"offset", offset.value()},
                                 {"log_end_offset", log_end_offset_.value()}});
  ++truncations_;
  ++generation_;
  changed_ = true;
  if (first_dirty_offset_) first_dirty_offset_ = std::min(*first_dirty_offset_, offset);
  if (appended_keys_) appended_keys_->clear();  // A batch across the offset goes whole.
  if (offset < segments_.begin()->first) co_return start_empty_at(offset);
  BROOK_CO_CHECK(remove_snapshots_above(offset));
  while (segments_.size() > 1 && segments_.rbegin()->first > offset) {
    BROOK_CO_CHECK(drop_segment(std::prev(segments_.end())));
  }
  log_end_offset_ = offset;
  recovery_point_ = std::min(recovery_point_, offset);
  log_start_offset_ = std::min(log_start_offset_, offset);
  epochs_.truncate_from_end(offset);
  const SharedSegment last = segments_.rbegin()->second;
  BROOK_CO_CHECK(co_await last->truncate_to(offset, config_.index_interval_bytes));
  corrupt_.truncate(last->base_offset(), last->size(), offset);
  BROOK_CO_CHECK(co_await rebuild_producers(offset));
  ++truncations_;
  ++generation_;
  co_return Result<void>{};
}

/// A name for the file while it waits to be removed: an earlier one of this name may still wait.
std::string Log::deleted_path(const std::string& path) const {
  std::string deleted = path + std::string(kDeletedSuffix);
  for (int i = 1; files_.exists(deleted); ++i) deleted = fmt::format("{}.{}{}", path, i, kDeletedSuffix);
  return deleted;
}

/// Renames the segment's files, to be removed later: who reads them goes on.
Result<void> Log::drop_segment(Segments::iterator segment) {
  const runtime::Instant due = clock_.now() + config_.file_delete_delay_ms;
  std::vector<std::string> paths = segment->second->existing_files();
  if (const auto snapshot = offset_file_path(directory_, segment->first, kSnapshotSuffix);
      files_.exists(snapshot)) {
    paths.push_back(snapshot);
  }
  std::erase(snapshots_, segment->first);
  for (const std::string& path : paths) {
    std::string deleted = deleted_path(path);
    if (auto renamed = files_.rename(path, deleted); !renamed) {
      // Without its log a segment is gone; what is left of it is cleared away at the next start.
      if (path == segment->second->path()) return renamed;
      log::warn("file_not_deleted", {{"why", renamed.error().context}});
      continue;
    }
    names_dirty_ = true;  // Else it could come back behind what is written in its place.
    deleted_.push_back({std::move(deleted), due});
  }
  if (last_snapshot_ == segment->first) last_snapshot_ = Offset(-1);
  corrupt_.drop(segment->first);
  segment->second->retire();
  segments_.erase(segment);
  ++generation_;
  return {};
}

Task<std::size_t> Log::remove_deleted_files() {
  const runtime::Instant now = clock_.now();
  const auto due = std::ranges::partition(deleted_, [&](const auto& file) { return file.due > now; });
  const std::vector<DeletedFile> removable(std::make_move_iterator(due.begin()),
                                           std::make_move_iterator(due.end()));
  deleted_.erase(due.begin(), due.end());
  for (const DeletedFile& file : removable) {
    const auto removed = co_await files_.remove_tree(file.path);
    if (!removed)
      log::warn("deleted_file_not_removed",
                {{"why", removed.error().context}});  // The next start tries again.
  }
  co_return deleted_.size();
}

void Log::release_idle_files() {
  for (const auto& [base, segment] : segments_) segment->release_idle();
}

void Log::release_files() {
  for (const auto& [base, segment] : segments_) segment->release();
}

Task<Result<void>> Log::flush() { return flush_below(log_end_offset_, true); }

Task<Result<void>> Log::flush_sealed() { return flush_below(active().base_offset(), false); }

Task<Result<void>> Log::flush_below(Offset target, bool whole) {
  while (flushing_) {
    static_cast<void>(co_await flushed_.wait_until(clock_.now() + kFlushWait));
    if (recovery_point_ >= target) co_return Result<void>{};
  }
  flushing_ = true;
  // What came in while this waited goes along: the next that wait have nothing left to do.
  Result<void> done = co_await flush_segments(whole ? log_end_offset_ : target);
  flushing_ = false;
  flushed_.notify_all();
  co_return done;
}

Task<Result<void>> Log::flush_segments(Offset target) {
  if (sync_error_) co_return std::unexpected(*sync_error_);
  const bool whole = target == log_end_offset_;
  const std::uint64_t seen = truncations_;
  const bool rolled = std::exchange(rolled_since_flush_, false);
  if (recovery_point_ < target || rolled) {
    Result<void> synced = co_await sync_segments(target);
    if (synced) synced = co_await sync_names();
    if (!synced) {
      rolled_since_flush_ |= rolled;
      co_return synced;
    }
    if (rolled) co_await write_index_checksums(false);
  }
  BROOK_CO_CHECK(co_await save_epochs());
  if (sync_error_) co_return std::unexpected(*sync_error_);  // One of another has failed meanwhile.
  if (whole) last_flush_ = clock_.now();
  if (seen == truncations_) recovery_point_ = std::max(recovery_point_, target);
  co_return Result<void>{};
}

Task<Result<void>> Log::sync_segments(Offset target) {
  // From what ends at the recovery point on: of an append to it that failed since something may be undone.
  const Offset from = std::max(recovery_point_ - 1, segments_.begin()->first);
  for (SharedSegment segment = segment_of(from); segment && segment->base_offset() < target;
       segment = segment_after(segment->base_offset())) {
    Result<void> synced = co_await segment->sync(segment->base_offset() != active().base_offset());
    if (!synced) {
      fail_syncs(synced.error());
      co_return std::unexpected(*sync_error_);
    }
    if (syncs_ != nullptr) syncs_->add();
  }
  co_return Result<void>{};
}

void Log::fail_syncs(const Error& error) {
  sync_error_ = Error{ErrorCode::kKafkaStorageError,
                      fmt::format("{}: nothing is written until the next start, for a sync has failed: {}",
                                  directory_, error.context)};
  log::error("log_sync_failed", {{"directory", directory_}, {"why", error.context}});
}

std::optional<Log::SyncMark> Log::sync_mark() const {
  if (closed_ || sync_error_ || recovery_point_ >= log_end_offset_) return std::nullopt;
  return SyncMark{log_end_offset_, truncations_};
}

void Log::file_system_synced(SyncMark mark, const Result<void>& outcome) {
  if (closed_ || sync_error_) return;
  if (!outcome) return fail_syncs(outcome.error());
  if (mark.truncations == truncations_) recovery_point_ = std::max(recovery_point_, mark.end);
}

/// What the log's files are called, and what it takes to find and to know its directory after a power cut.
Task<Result<void>> Log::sync_names() {
  const bool parent = std::exchange(parent_dirty_, false);
  const bool own = std::exchange(names_dirty_, false);
  Result<void> synced;
  if (parent) synced = co_await sync_partition_metadata(files_, directory_);
  if (synced && own) synced = co_await files_.sync_directory_on_pool(directory_);
  if (synced && parent) synced = co_await files_.sync_directory_on_pool(parent_of(directory_));
  parent_dirty_ = parent_dirty_ || (parent && !synced);
  names_dirty_ = names_dirty_ || (own && !synced);
  co_return synced;
}

bool Log::flush_due() const {
  const std::int64_t unflushed = log_end_offset_ - recovery_point_;
  return unflushed > 0 && (unflushed >= config_.flush_messages ||
                           (config_.flush_ms && clock_.now() - last_flush_ >= *config_.flush_ms));
}

Task<Result<void>> Log::save_epochs() {
  while (saving_epochs_) static_cast<void>(co_await flushed_.wait_until(clock_.now() + kFlushWait));
  if (!epochs_.dirty()) co_return Result<void>{};
  saving_epochs_ = true;
  epochs_.mark_saved();  // Before the wait: what changes meanwhile is saved by the next.
  Result<void> saved = co_await files_.replace_whole_on_pool(epochs_path(), epochs_.text());
  if (!saved) epochs_.mark_dirty();
  saving_epochs_ = false;
  flushed_.notify_all();
  co_return saved;
}

Result<void> Log::remove_snapshots_above(Offset offset) {
  while (!snapshots_.empty() && snapshots_.back() > offset) BROOK_CHECK(remove_snapshot(snapshots_.back()));
  return {};
}

Result<void> Log::remove_snapshot(Offset offset) {
  BROOK_CHECK(files_.remove(offset_file_path(directory_, offset, kSnapshotSuffix)));
  names_dirty_ = true;  // Else it could come back, and tell of records that are no more.
  std::erase(snapshots_, offset);
  if (last_snapshot_ == offset) last_snapshot_ = Offset(-1);
  return {};
}

/// Not synced: its CRC tells a torn one, and recovery then takes the one before.
Result<void> Log::take_producer_snapshot() {
  unwritten_bytes_ = 0;
  const Offset at = producers_.end_offset();
  // Who takes all before a snapshot for written looks for no epochs there. They stay dirty: a flush is due.
  if (at <= last_snapshot_ || saving_epochs_) return {};
  if (!epochs_.written()) {
    BROOK_CHECK(files_.replace_whole_unsynced(epochs_path(), epochs_.text()));
    epochs_.mark_written();
  }
  const std::string content = producers_.snapshot();
  snapshot_size_ = content.size();
  const std::string path = offset_file_path(directory_, at, kSnapshotSuffix);
  BROOK_TRY(const auto file, files_.open(path, runtime::OpenMode::kCreateOrEmpty));
  const ByteView part = as_bytes(content);
  if (auto written = file->write_at(0, std::span(&part, 1)); !written) {
    static_cast<void>(
        files_.remove(path));  // Else the next start finds a torn one, and drops it with a warning.
    return written;
  }
  if (!std::ranges::binary_search(snapshots_, at))
    snapshots_.insert(std::ranges::upper_bound(snapshots_, at), at);
  last_snapshot_ = at;
  return {};
}

Result<void> Log::write_down() {
  // At the log's first offset there is nothing to say.
  if (producers_.end_offset() <= last_snapshot_ || producers_.end_offset() == segments_.begin()->first)
    return {};
  BROOK_CHECK(active().save_indexes());
  BROOK_CHECK(take_producer_snapshot());
  return remove_replaced_snapshots();
}

/// Between segments two are of use: the newest, and the newest that is on the disk.
Result<void> Log::remove_replaced_snapshots() {
  const auto behind = std::ranges::upper_bound(snapshots_, recovery_point_);
  const Offset durable = behind == snapshots_.begin() ? Offset(-1) : *std::prev(behind);
  for (const Offset offset : std::vector(snapshots_)) {
    if (offset != last_snapshot_ && offset != durable && !segments_.contains(offset))
      BROOK_CHECK(remove_snapshot(offset));
  }
  return {};
}

std::vector<ActiveProducer> Log::active_producers() const {
  std::vector<ActiveProducer> found;
  for (const auto& [id, entry] : producers_.entries()) {
    found.push_back({id, entry.epoch.value_or(ProducerEpoch(-1)), entry.last_sequence(), entry.last_timestamp,
                     entry.coordinator_epoch, entry.current_txn_first_offset});
  }
  std::ranges::sort(found, {}, &ActiveProducer::producer_id);
  return found;
}

std::size_t Log::remove_expired_producers(Timestamp now) {
  return producers_.remove_expired(now, config_.producer_id_expiration_ms);
}

std::uint64_t Log::size_in_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [base, segment] : segments_) total += segment->size();
  return total;
}

std::vector<SegmentInfo> Log::segments() const {
  std::vector<SegmentInfo> found;
  for (const auto& [base, segment] : segments_)
    found.push_back({base, segment->size(), segment->largest_timestamp()});
  return found;
}

Result<void> Log::advance_log_start_offset(Offset offset) {
  if (offset > log_end_offset_) {
    return fail(ErrorCode::kOffsetOutOfRange,
                fmt::format("offset {} of {}-{} is above the log's end {}", offset.value(), partition_.topic,
                            partition_.partition.value(), log_end_offset_.value()));
  }
  if (offset <= log_start_offset_) return {};
  changed_ = true;
  log_start_offset_ = offset;
  recovery_point_ = std::max(recovery_point_, std::min(offset, segments_.begin()->first));
  epochs_.truncate_from_start(offset);
  producers_.on_log_start_advanced(offset);
  return {};
}

Task<Result<std::size_t>> Log::apply_retention(Timestamp now, Offset high_watermark) {
  if (config_.cleanup_delete && config_.retention_ms) {
    // By offset, not by iterator: segments may come and go while we wait.
    for (SharedSegment segment = segments_.begin()->second; segment;
         segment = segment_after(segment->base_offset())) {
      BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    }
  }
  if (closed_) co_return std::size_t{0};
  std::vector<SegmentSummary> summaries;
  for (const auto& [base, segment] : segments_)
    summaries.push_back({base, segment->size(), segment->largest_timestamp()});
  const RetentionDecision decision =
      decide_retention(summaries, config_, now, log_start_offset_, log_end_offset_, high_watermark);
  if (decision.segments == 0) co_return std::size_t{0};

  if (decision.segments == segments_.size()) {
    BROOK_CO_CHECK(roll(log_end_offset_));
  }
  log::info("segments_deleted",
            {{"topic", partition_.topic},
             {"partition", partition_.partition.value()},
             {"count", decision.segments},
             {"by", name_of(decision.reason)},
             {"log_start_offset",
              std::next(segments_.begin(), static_cast<std::ptrdiff_t>(decision.segments))->first.value()}});
  for (std::size_t i = 0; i < decision.segments; ++i) {
    BROOK_CO_CHECK(drop_segment(segments_.begin()));
    BROOK_CO_CHECK(advance_log_start_offset(std::max(log_start_offset_, segments_.begin()->first)));
  }
  if (appended_keys_) static_cast<void>(appended_keys_->drop_below(segments_.begin()->first));
  co_return decision.segments;
}

Task<Result<void>> Log::close(CloseMode mode) {
  if (std::exchange(closed_, true)) co_return Result<void>{};
  Result<void> written;
  if (sync_error_ && mode != CloseMode::kDiscard) {
    release_files();
    co_return std::unexpected(*sync_error_);
  }
  if (changed_ && mode == CloseMode::kDurable) written = co_await write_out_durably();
  if (changed_ && mode == CloseMode::kWritten) written = write_out();
  if (changed_ && written && mode != CloseMode::kDiscard) co_await write_index_checksums(true);
  release_files();
  co_return written;
}

Result<void> Log::write_out() {
  BROOK_CHECK(active().seal());
  if (epochs_.dirty()) {
    BROOK_CHECK(files_.replace_whole_unsynced(epochs_path(), epochs_.text()));
    epochs_.mark_saved();
  }
  BROOK_CHECK(write_down());
  recovery_point_ = log_end_offset_;
  return {};
}

Task<Result<void>> Log::write_out_durably() {
  BROOK_CO_CHECK(active().seal());
  BROOK_CO_CHECK(co_await flush());
  BROOK_CO_CHECK(co_await active().sync(true));
  BROOK_CO_CHECK(write_down());
  co_return files_.sync_directory(directory_);
}

}  // namespace brook::storage

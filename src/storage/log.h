#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/result.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/signal.h"
#include "runtime/task.h"
#include "storage/appended_keys.h"
#include "storage/compaction.h"
#include "storage/corrupt_ranges.h"
#include "storage/index_checksums.h"
#include "storage/leader_epochs.h"
#include "storage/log_config.h"
#include "storage/producer_state.h"
#include "storage/segment.h"
#include "storage/transaction_index.h"
#include "storage/work_pace.h"

namespace brook::storage {

namespace internal {
class CleanedSegment;
class TransactionTracker;
}  // namespace internal

/// What the log directory's checkpoints say of a log.
struct OpenHints {
  Offset recovery_point{0};     ///< everything below is on the disk
  Offset log_start_offset{0};   ///< of log-start-offset-checkpoint, 0 where it has none
  bool clean_shutdown = false;  ///< .kafka_cleanshutdown was there: nothing is read again
  /// The page cache is the one that the log was written to: all that was written is there, synced or not, but
  /// for the write in the middle of which the process ended.
  bool cache_survived = false;
  std::optional<Offset> first_dirty_offset = {};  ///< of cleaner-offset-checkpoint
};

struct AppendInfo {
  Offset first_offset;
  Offset last_offset;
  Timestamp max_timestamp;                  ///< of a duplicate: the original batch's
  std::optional<LeaderEpoch> leader_epoch;  ///< of the last batch
  std::size_t batches = 0;
  bool duplicate = false;  ///< nothing was written: the producer's batch was already here, at first_offset
};

/// Bytes [offset, offset + size) of `file`. Stays readable when the log deletes or renames it.
struct FileRange {
  std::shared_ptr<runtime::File> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Where an offset lies: what a delayed fetch compares without another look into files.
struct LogPosition {
  Offset offset;
  Offset segment_base_offset;
  std::uint64_t position = 0;  ///< in the segment's file
};

/// What a read found: whole batches from the one that holds the asked offset on (its first records may lie
/// below it); the last batch may be cut short by max_bytes, as Kafka's is, where its start is not known.
struct LogSlice {
  LogPosition start;
  std::vector<FileRange> ranges;
  std::uint64_t size = 0;              ///< of all ranges
  std::uint64_t size_before_cut = 0;   ///< what max_bytes leaves room for, up to the end: cut batches too
  std::uint32_t first_batch_size = 0;  ///< 0 where the slice is empty
  /// Behind the last byte. No record in the slice is at or above its offset, which may be far above the last
  /// one.
  LogPosition end;

  /// Keeps the first `bytes`; `end` stays.
  void cut_to(std::uint64_t bytes);
};

struct TimestampOffset {
  Timestamp timestamp;
  Offset offset;
  std::optional<LeaderEpoch> leader_epoch;

  friend bool operator==(const TimestampOffset&, const TimestampOffset&) = default;
};

/// For DescribeProducers.
struct ActiveProducer {
  ProducerId producer_id;
  ProducerEpoch epoch;
  std::int32_t last_sequence = -1;
  Timestamp last_timestamp;
  std::int32_t coordinator_epoch = -1;
  std::optional<Offset> current_txn_start_offset;
};

/// What a look at one sealed segment came to.
struct ScrubOutcome {
  /// False where the segment went, the log was cut or closed meanwhile, or the pace ended it.
  bool finished = false;
  std::size_t new_flaws = 0;  ///< places that were not known to be damaged before
};

/// What closing a log leaves behind.
enum class CloseMode {
  kDurable,  ///< all of it on the disk
  kWritten,  ///< all of it written; the caller syncs the file system, once for all logs that it closes
  kDiscard,  ///< nothing more: the log is about to be deleted
};

struct SegmentInfo {
  Offset base_offset;
  std::uint64_t size = 0;
  Timestamp largest_timestamp;
};

/// One partition's log: a directory in Apache Kafka's format, which nobody else writes to. Offsets grow;
/// segments follow each other without overlap, the last one is active. log_start_offset <= log_end_offset;
/// recovery_point <= log_end_offset.
///
/// An append is on the shard and goes to the page cache; a failed one leaves the log as it was and usable.
/// Where a sync of its segments has failed the log takes nothing any more until it is opened again, and
/// flush() fails: the kernel tells of a lost page once, and then takes it for written. Tasks refer to the
/// log: their owner ends them before it dies. Runs on: one shard.
class Log {
 public:
  /// Opens the log in `directory`, which is made where it is absent. Without a clean shutdown the tail from
  /// the recovery point (or, where the page cache survived, from the last write_down()) is checked batch by
  /// batch and cut at the first bad one, and indexes, epochs and producers are built anew from there; what is
  /// cut off is kept beside the log (cut_bytes.h). `files` and `clock` outlive the log.
  [[nodiscard]] static Task<Result<std::unique_ptr<Log>>> open(runtime::FileSystem& files,
                                                               runtime::Clock& clock, std::string directory,
                                                               TopicPartition partition, LogConfig config,
                                                               OpenHints hints);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] const TopicPartition& partition() const { return partition_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] const LogConfig& config() const { return config_; }
  void set_config(LogConfig config);
  /// What append_as_leader() is told of keys is kept for the next compaction from here on, as far as
  /// `budget`, which outlives the log, has room; and forgotten where the log is not to be compacted any more.
  /// `seed` is that of the hashes.
  void keep_keys(runtime::MemoryBudget& budget, SipKey seed) { appended_keys_.emplace(budget, seed); }
  /// Counts the segments that flush() syncs; `counter` outlives the log.
  void count_syncs(Counter& counter) { syncs_ = &counter; }

  /// `batches` are Validated::bytes() or built here: whole, checked, and with their offsets, from
  /// log_end_offset() on, and leader epoch in place. Producers first: a repeated batch answers with the
  /// original's offsets, errors as ProducerState::check. RECORD_LIST_TOO_LARGE above segment.bytes;
  /// KAFKA_STORAGE_ERROR names the path. `transaction_version` is that of a WriteTxnMarkers request. `keys`
  /// are the hashes of the records' keys, where the caller has them (KeyHashes).
  [[nodiscard]] Result<AppendInfo> append_as_leader(ByteView batches, AppendOrigin origin,
                                                    std::int16_t transaction_version = 0,
                                                    std::span<const Hash128> keys = {});
  /// Offsets and epochs as they are: not below log_end_offset() (else OFFSET_OUT_OF_RANGE), holes allowed.
  /// CORRUPT_MESSAGE where the bytes are not batches; a short last batch, as a fetch may end with, is left
  /// out.
  [[nodiscard]] Result<AppendInfo> append_as_follower(ByteView batches);

  [[nodiscard]] Offset log_start_offset() const { return log_start_offset_; }
  [[nodiscard]] Offset log_end_offset() const { return log_end_offset_; }
  /// The end and the active segment's position: what a fetch at the end compares with.
  [[nodiscard]] LogPosition end_position() const;
  /// Where readers of committed transactions stop: the first open transaction or `high_watermark`, whichever
  /// is lower.
  [[nodiscard]] Offset last_stable_offset(Offset high_watermark);

  /// Batches from the one with offset `from` (or the next one behind a hole) that lie below `upper_bound`;
  /// max_bytes may cut the last, unless it is the first and `at_least_one_batch`. Empty where `from` is not
  /// below the bound. OFFSET_OUT_OF_RANGE outside [log start, log end]. At the log's end no file is read.
  /// Ends before what is known to be corrupt; CORRUPT_MESSAGE, naming offset and file, where `from` is in it.
  [[nodiscard]] Task<Result<LogSlice>> read(Offset from, std::size_t max_bytes, Offset upper_bound,
                                            bool at_least_one_batch);

  /// The first record whose timestamp is not before `target`.
  [[nodiscard]] Task<Result<std::optional<TimestampOffset>>> offset_for_timestamp(Timestamp target);
  /// The first record with the log's largest timestamp.
  [[nodiscard]] Task<Result<std::optional<TimestampOffset>>> max_timestamp_offset();
  /// Aborted transactions that reach into [from, upper_bound), for a reader of committed ones. With
  /// LogSlice::end as the bound the index is asked for a closer one.
  [[nodiscard]] Task<Result<std::vector<AbortedTransaction>>> aborted_transactions(Offset from,
                                                                                   Offset upper_bound);
  [[nodiscard]] Task<Result<std::vector<AbortedTransaction>>> aborted_transactions(Offset from,
                                                                                   LogPosition end);

  [[nodiscard]] std::optional<EpochEndOffset> end_offset_for_epoch(LeaderEpoch epoch) const;
  [[nodiscard]] std::optional<LeaderEpoch> latest_epoch() const;
  /// The epoch that `offset` was written in.
  [[nodiscard]] std::optional<LeaderEpoch> epoch_of(Offset offset) const { return epochs_.epoch_of(offset); }
  void assign_epoch_start(LeaderEpoch epoch, Offset start_offset);
  [[nodiscard]] const LeaderEpochs& epochs() const { return epochs_; }
  /// Changes whenever segments go, are cut or are replaced. What was read before and after such a change does
  /// not belong together: a slice and its aborted transactions, for one.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  /// Drops everything at and above `offset`; a batch across it goes whole. Nothing where the log ends below.
  [[nodiscard]] Task<Result<void>> truncate_to(Offset offset);
  /// Drops all; the log starts and ends at `offset`.
  [[nodiscard]] Task<Result<void>> truncate_fully_and_start_at(Offset offset);

  /// Makes durable what is in the log now, with the names of its files and its directory. Calls at the same
  /// time share one sync. On an error nothing is known of the disk.
  [[nodiscard]] Task<Result<void>> flush();
  /// flush.messages or flush.ms is reached: an append is answered after flush().
  [[nodiscard]] bool flush_due() const;
  /// The same for what lies below the active segment. A gigabyte may take seconds: no append waits for it.
  [[nodiscard]] Task<Result<void>> flush_sealed();
  [[nodiscard]] bool sealed_unflushed() const { return rolled_since_flush_; }
  [[nodiscard]] Offset recovery_point() const { return recovery_point_; }
  /// Writes producers, epochs and indexes down at the log's end, so that recovery reads no further back than
  /// that: after the end of the process alone, and after the machine's where it was synced. Appends do so by
  /// themselves every few megabytes.
  [[nodiscard]] Result<void> write_down();

  /// What a sync of the whole file system that begins now will make durable; nothing where all is.
  struct SyncMark {
    Offset end;
    std::uint64_t truncations = 0;
  };
  [[nodiscard]] std::optional<SyncMark> sync_mark() const;
  /// That sync has ended so: the recovery point advances, or the log takes nothing any more, as after a
  /// flush() that failed.
  void file_system_synced(SyncMark mark, const Result<void>& outcome);

  [[nodiscard]] std::vector<ActiveProducer> active_producers() const;
  [[nodiscard]] const ProducerEntry* producer(ProducerId id) const { return producers_.find(id); }
  /// producer.id.expiration.ms; returns how many were forgotten.
  std::size_t remove_expired_producers(Timestamp now);

  [[nodiscard]] std::uint64_t size_in_bytes() const;
  [[nodiscard]] std::vector<SegmentInfo> segments() const;

  /// DeleteRecords: records below `offset` are gone; their segments go with the next retention. Never goes
  /// back; OFFSET_OUT_OF_RANGE above the log's end (the caller checks the high watermark).
  [[nodiscard]] Result<void> advance_log_start_offset(Offset offset);
  /// Deletes what retention.ms, retention.bytes and the log start allow; returns the number of segments.
  /// Files are renamed now and removed by remove_deleted_files().
  [[nodiscard]] Task<Result<std::size_t>> apply_retention(Timestamp now, Offset high_watermark);

  /// What compaction would look at now.
  [[nodiscard]] Task<Result<CompactionRange>> compaction_range(Timestamp now, Offset high_watermark);
  /// Removes from the segments up to the end of `range` what newer records of the same keys replace, what
  /// aborted transactions wrote, and tombstones and markers whose time is up. Offsets stay as they are, and
  /// so does what is known of producers. New segments replace the old ones one after another, each as a
  /// whole: after a crash either is there. One at a time. On an error what was not yet replaced stays.
  [[nodiscard]] Task<Result<CompactionOutcome>> compact(CompactionRange range, CompactionJob job);
  [[nodiscard]] bool compacting() const { return compacting_; }
  /// Where the next compaction begins; nothing before the first.
  [[nodiscard]] std::optional<Offset> first_dirty_offset() const { return first_dirty_offset_; }
  /// Rolls the active segment where it holds a record for longer than max.compaction.lag.ms, so that this can
  /// be compacted.
  [[nodiscard]] Result<void> roll_for_compaction(Timestamp now);

  /// Reads the sealed segment of this base offset and checks each batch, in steps between which `pace` gives
  /// way; what is damaged is marked corrupt as it is found, and a mark of something that is sound now goes.
  /// Not for the active segment. An error is the disk's, which refuses to read.
  [[nodiscard]] Task<Result<ScrubOutcome>> scrub(Offset segment_base, WorkPace& pace);
  /// Never serves these bytes from here on: a read stops before them, and fails at them. The mark goes with
  /// the segment. Says it in the log; false, and no word, where it is known.
  bool mark_corrupt(CorruptRange range);
  [[nodiscard]] const std::vector<CorruptRange>& corrupt_ranges() const { return corrupt_.all(); }
  /// The one that held `offset`, valid until the next change; null where none is known.
  [[nodiscard]] const CorruptRange* corrupt_range_at(Offset offset) const { return corrupt_.at(offset); }

  /// Removes files that were deleted file.delete.delay.ms ago; returns how many are left.
  Task<std::size_t> remove_deleted_files();
  /// Closes files that nobody used since the last call. With the housekeeping tick.
  void release_idle_files();
  /// Closes all files; the next use opens them.
  void release_files();

  /// Writes indexes, epochs and the producer snapshot; a log that did not change since it was opened has
  /// nothing to write. The log takes no append afterwards.
  [[nodiscard]] Task<Result<void>> close(CloseMode mode = CloseMode::kDurable);

 private:
  struct DeletedFile {
    std::string path;
    runtime::Instant due;
  };
  using SharedSegment =
      std::shared_ptr<Segment>;  // with reads that wait for a file while the segment is deleted
  using Segments = std::map<Offset, SharedSegment>;
  struct Compaction;

  Log(runtime::FileSystem& files, runtime::Clock& clock, std::string directory, TopicPartition partition,
      LogConfig config);

  // log_open.cc
  [[nodiscard]] Task<Result<void>> load(OpenHints hints);
  [[nodiscard]] Task<Result<std::vector<runtime::DirectoryEntry>>> clean_directory();
  [[nodiscard]] Result<void> move_swapped_index(const std::string& file);
  [[nodiscard]] Task<Result<void>> finish_swap(Offset base_offset);
  void find_files(const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] bool load_epochs();
  [[nodiscard]] Task<Result<void>> recover(Offset recovery_point, bool cache_survived);
  [[nodiscard]] Result<void> set_last_segment_aside();
  [[nodiscard]] Task<Result<void>> end_at_last_batch(Offset recovered_from);
  [[nodiscard]] Result<void> replay(Segment& segment, const internal::BatchHeader& header, ByteView body,
                                    bool index_aborted);
  [[nodiscard]] Task<Result<void>> rebuild_producers(Offset end_offset);
  [[nodiscard]] Task<Result<bool>> replay_producers(Offset end);

  // log_append.cc
  [[nodiscard]] Result<AppendInfo> append(ByteView batches, AppendOrigin origin,
                                          std::int16_t transaction_version);
  void keep_keys_of(const AppendInfo& appended, ByteView batch, std::span<const Hash128> keys);
  [[nodiscard]] Result<void> roll_if_needed(std::size_t size, Offset last_offset, Timestamp max_timestamp);
  [[nodiscard]] Result<void> roll(Offset base_offset);
  [[nodiscard]] Result<void> complete_transactions(Segment& segment, const ProducerUpdate& update);
  void note_epoch(LeaderEpoch epoch, Offset offset);
  /// What a clean stop leaves in the files; durably, or for the caller to sync.
  [[nodiscard]] Result<void> write_out();
  [[nodiscard]] Task<Result<void>> write_out_durably();

  // log_read.cc
  [[nodiscard]] Task<Result<LogSlice>> read_once(Offset from, std::size_t max_bytes, Offset bound,
                                                 bool at_least_one_batch);
  [[nodiscard]] Task<Result<void>> extend(LogSlice* slice, SharedSegment segment, BatchAt first,
                                          std::uint64_t budget, Offset bound);
  [[nodiscard]] Task<Result<std::optional<BatchAt>>> find_in(SharedSegment segment, Offset from);
  [[nodiscard]] Result<void> refuse_corrupt(const CorruptRange* range, Offset from) const;
  [[nodiscard]] Task<Result<std::optional<TimestampOffset>>> find_timestamp(Timestamp target);
  [[nodiscard]] Task<Result<std::optional<TimestampOffset>>> find_max_timestamp();
  [[nodiscard]] Offset end_of(Offset segment_base) const;
  [[nodiscard]] SharedSegment segment_of(Offset offset) const;
  [[nodiscard]] SharedSegment segment_after(Offset segment_base) const;

  // log_compaction.cc
  enum class Mapped { kWhole, kFull, kEnded };
  [[nodiscard]] Task<Result<bool>> compact_range(Compaction& run);
  [[nodiscard]] Task<Result<bool>> map_keys(Compaction& run);
  [[nodiscard]] Task<Result<Mapped>> map_segment(Compaction& run, SharedSegment segment,
                                                 internal::TransactionTracker& transactions);
  [[nodiscard]] Task<Result<Mapped>> map_kept_keys(Compaction& run, Offset from, Offset end);
  [[nodiscard]] Task<Result<bool>> joins_group(const Compaction& run, const internal::CleanedSegment& output,
                                               SharedSegment next);
  [[nodiscard]] Task<Result<bool>> clean_group(Compaction& run);
  [[nodiscard]] Task<Result<bool>> clean_segment(Compaction& run, SharedSegment source,
                                                 internal::CleanedSegment& output);
  [[nodiscard]] Task<Result<bool>> swap_in(Compaction& run, std::vector<SharedSegment> sources,
                                           internal::CleanedSegment& output);
  [[nodiscard]] bool in_place(const std::vector<SharedSegment>& sources) const;

  // log_checksums.cc
  void load_index_checksums();
  [[nodiscard]] Task<std::optional<Offset>> first_unsound_transactions(Offset below);
  [[nodiscard]] Task<void> write_index_checksums(bool with_active);

  // log_maintenance.cc
  [[nodiscard]] std::string deleted_path(const std::string& path) const;
  [[nodiscard]] Task<Result<void>> flush_below(Offset target, bool whole);
  [[nodiscard]] Task<Result<void>> flush_segments(Offset target);
  [[nodiscard]] Task<Result<void>> sync_segments(Offset target);
  [[nodiscard]] Task<Result<void>> sync_names();
  /// Makes leader epochs durable where they changed.
  [[nodiscard]] Task<Result<void>> save_epochs();
  [[nodiscard]] Result<SharedSegment> create_segment(Offset base_offset);
  [[nodiscard]] Result<void> take_producer_snapshot();
  [[nodiscard]] Result<void> remove_snapshots_above(Offset offset);
  [[nodiscard]] Result<void> remove_snapshot(Offset offset);
  [[nodiscard]] Result<void> remove_replaced_snapshots();
  void fail_syncs(const Error& error);
  [[nodiscard]] Result<void> drop_segment(Segments::iterator segment);
  [[nodiscard]] Result<void> start_empty_at(Offset offset);
  [[nodiscard]] std::string epochs_path() const;
  [[nodiscard]] Segment& active() const { return *segments_.rbegin()->second; }

  runtime::FileSystem& files_;
  runtime::Clock& clock_;
  std::string directory_;
  TopicPartition partition_;
  LogConfig config_;

  Segments segments_;
  LeaderEpochs epochs_;
  ProducerState producers_;
  std::size_t cut_files_ = 0;      ///< that recovery has kept, now or earlier
  std::vector<Offset> snapshots_;  ///< of producers: the files that are there, ascending
  Offset last_snapshot_{-1};       ///< the newest of them that was written or loaded
  std::uint64_t snapshot_size_ = 0;
  std::uint64_t unwritten_bytes_ = 0;  ///< appended since the last snapshot was tried
  IndexChecksums index_checksums_;     ///< as they were last written
  CorruptRanges corrupt_;
  Offset log_start_offset_{0};
  Offset log_end_offset_{0};
  Offset recovery_point_{0};
  std::optional<Offset> first_dirty_offset_;
  std::optional<AppendedKeys> appended_keys_;
  std::uint64_t truncations_ = 0;
  std::uint64_t generation_ = 0;
  runtime::Instant last_flush_{};
  Counter* syncs_ = nullptr;
  bool rolled_since_flush_ = false;
  bool names_dirty_ = false;   ///< files were made, renamed or removed, and the directory is not synced
  bool parent_dirty_ = false;  ///< the directory itself may not be on the disk
  std::optional<Error> sync_error_;
  bool changed_ = false;  ///< since it was opened
  bool flushing_ = false;
  bool saving_epochs_ = false;
  bool compacting_ = false;
  bool closed_ = false;
  runtime::Signal flushed_;
  std::vector<DeletedFile> deleted_;
};

}  // namespace brook::storage

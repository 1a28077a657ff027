#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/index_checksums.h"
#include "storage/internal/batch_header.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace brook::storage {

/// Where a batch lies in its segment.
struct BatchAt {
  Offset base_offset;
  Offset last_offset;
  std::uint64_t position = 0;
  std::uint32_t size = 0;
};

/// What recovery cut off a segment.
struct RecoveryCut {
  std::uint64_t bytes = 0;
  std::string kept_as = {};  ///< a path; empty where it is kept nowhere
};

/// One `%020d.log` with its indexes, named after the first offset that it may hold. Batches follow each other
/// without gaps in the file; their offsets grow. Files are opened when they are used, closed by
/// release_idle(). Runs on: the log's shard.
class Segment {
 public:
  /// A visited batch: `body` is the whole batch where the walk asked for it or it is a control batch, else
  /// the header's bytes are not kept.
  using Visitor = std::function<Result<void>(const internal::BatchHeader& header, ByteView body)>;

  /// `size` as the directory lists it; nothing is read before load(), recover() or append().
  Segment(runtime::FileSystem& files, std::string directory, Offset base_offset, std::uint64_t size,
          Timestamp created);
  /// For one that was just made, and of which the disk holds no index: there is nothing to load.
  void begin() { loaded_ = true; }

  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Timestamp created() const { return created_; }
  /// Of the first batch: what segment.ms counts from. Nothing in an empty segment.
  [[nodiscard]] std::optional<Timestamp> first_timestamp() const { return first_timestamp_; }
  /// The largest timestamp and its batch's last offset; -1 where no record has one. Known after load().
  [[nodiscard]] IndexedTimestamp newest() const { return newest_; }
  [[nodiscard]] Timestamp largest_timestamp() const {
    return newest_.timestamp.value() >= 0 ? newest_.timestamp : created_;
  }
  /// `offset` can be written relative to this segment's base.
  [[nodiscard]] bool can_hold(Offset offset) const;
  [[nodiscard]] bool index_full(std::uint32_t index_bytes_max) const;

  /// Reads what is needed to search here. Indexes that are missing or can't be are built anew. Twice is once.
  [[nodiscard]] Task<Result<void>> load(std::uint32_t index_interval);
  /// load() of the last segment: finds also where it ends. False where the last bytes are no batch.
  [[nodiscard]] Task<Result<bool>> load_tail(std::uint32_t index_interval);
  /// What its indexes were when it was `known.log_bytes` long. The last entry and the transactions are
  /// compared with it in load(), the time index at its first search. Before load().
  void expect(const IndexChecksum& known);
  /// Looks at the transaction index alone. CORRUPT_MESSAGE where it is not what was written.
  [[nodiscard]] Task<Result<void>> load_transactions();
  /// Of what the indexes have by now, all of it in their files. Loaded.
  [[nodiscard]] Task<Result<IndexChecksum>> checksum();
  /// The same where it is known without a look at them, as of a sealed segment.
  [[nodiscard]] std::optional<IndexChecksum> known_checksum() const;
  [[nodiscard]] bool loaded() const { return loaded_; }
  /// The offset behind the last batch that load_tail(), recover() or append() saw.
  [[nodiscard]] Offset end_offset() const { return end_offset_; }

  /// Cuts the indexes back to where recovery begins, and returns that: position and base offset of the batch
  /// at `from`, or an earlier one where the indexes do not lead there.
  [[nodiscard]] Task<Result<BatchAt>> prepare_recovery(Offset from);
  /// Checks every batch from `start` with its CRC, builds the indexes over them and shows them to `visit`;
  /// cuts the file at the first bad one, and keeps what goes where `keep_cut`.
  [[nodiscard]] Task<Result<RecoveryCut>> recover(BatchAt start, std::uint32_t index_interval, bool keep_cut,
                                                  Visitor visit);
  /// Cuts off what lies behind the batch that ends at `end`, of a segment that is not the last; returns the
  /// number of bytes. Nothing where none ends there. Indexes stay.
  [[nodiscard]] Task<Result<std::uint64_t>> cut_behind(Offset end);
  /// Shows the headers of batches in [from, to), with the bodies of control batches.
  [[nodiscard]] Task<Result<void>> visit(Offset from, Offset to, Visitor visit);

  /// One write; on an error the file is as before. `headers` are those of `batches`.
  [[nodiscard]] Result<void> append(ByteView batches, std::span<const internal::BatchHeader> headers,
                                    std::uint32_t index_interval);

  /// The first batch whose last offset is not below `offset`.
  [[nodiscard]] Task<Result<std::optional<BatchAt>>> find(Offset offset);
  /// The same without a look at what lies before `position`, where a batch begins.
  [[nodiscard]] Task<Result<std::optional<BatchAt>>> find_behind(std::uint64_t position, Offset offset);
  /// The same from memory alone; the outer optional is empty where only the file knows.
  [[nodiscard]] std::optional<std::optional<BatchAt>> find_in_tail(Offset offset) const;
  /// Where the last batch starts, of those that are known to start at or before `position`: all of the tail,
  /// those of the index elsewhere. Nothing where none is. find() begins there when the batch is asked for
  /// next.
  [[nodiscard]] Task<Result<std::optional<std::uint64_t>>> batch_start_to(std::uint64_t position);
  /// The time index's last entry that is not after `target`.
  [[nodiscard]] Task<Result<std::optional<IndexedTimestamp>>> timestamp_floor(Timestamp target,
                                                                              std::uint32_t index_interval);
  /// An offset that no batch before `position` reaches; nothing where none is known but the segment's end.
  [[nodiscard]] Task<Result<std::optional<Offset>>> offset_bound(std::uint64_t position);
  [[nodiscard]] Task<Result<void>> truncate_to(Offset offset, std::uint32_t index_interval);

  /// What the indexes still have in memory goes to their files.
  [[nodiscard]] Result<void> save_indexes();
  /// The segment becomes inactive: the last time index entry, and everything in the files.
  [[nodiscard]] Result<void> seal();
  /// The log, and the transaction index where it changed; `indexes` too.
  [[nodiscard]] Task<Result<void>> sync(bool indexes);

  [[nodiscard]] Result<std::shared_ptr<runtime::File>> file();
  [[nodiscard]] OffsetIndex& offset_index() { return offset_index_; }
  [[nodiscard]] const TimeIndex& time_index() const { return time_index_; }
  [[nodiscard]] TransactionIndex& transactions() { return transactions_; }
  /// The segment's files that exist.
  [[nodiscard]] std::vector<std::string> existing_files() const;
  /// Closes what nobody used since the last call.
  void release_idle();
  /// Closes its files; the next use opens them.
  void release();
  /// Its files are renamed, and others may stand in their place: it opens, makes and writes none from here
  /// on. Who still holds it reads on while its file is open, and gets KAFKA_STORAGE_ERROR where it is not.
  void retire() { retired_ = true; }

 private:
  static constexpr std::size_t kTailBatches =
      32;  // how far behind the end a reader may be without a look into the file
  static constexpr std::size_t kExpectedMax = 8;  // readers whose next batch is remembered

  [[nodiscard]] Result<void> check_in_place() const;
  [[nodiscard]] Task<Result<void>> rebuild_indexes(std::uint32_t index_interval);
  [[nodiscard]] bool time_index_ends_as_known() const;
  [[nodiscard]] Task<Result<std::uint64_t>> scan_start(Offset offset);
  [[nodiscard]] Task<Result<std::optional<BatchAt>>> find_expected(Offset offset);
  [[nodiscard]] Task<Result<std::optional<BatchAt>>> scan(std::uint64_t start, Offset offset);
  void expect(IndexedPosition next);
  void account(const internal::BatchHeader& header, std::uint64_t position, std::uint32_t index_interval);
  [[nodiscard]] Task<Result<void>> walk_to(Offset from, IndexedPosition entry, BatchAt* start);
  void remember(const internal::BatchHeader& header, std::uint64_t position);
  [[nodiscard]] Result<void> cut_leftover();

  runtime::FileSystem& files_;
  std::string directory_;
  std::string path_;
  Offset base_offset_;
  Offset end_offset_;
  std::uint64_t size_ = 0;
  Timestamp created_;
  std::optional<Timestamp> first_timestamp_;
  IndexedTimestamp newest_;
  std::uint64_t bytes_since_index_entry_ = 0;
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  TransactionIndex transactions_;
  std::shared_ptr<runtime::File> file_;
  std::vector<BatchAt> tail_;              ///< the last batches, in order, up to the file's end
  std::vector<IndexedPosition> expected_;  ///< where reads ended, the newest last; a guess until looked at
  std::optional<IndexChecksum> known_;     ///< of the indexes at an earlier time
  bool time_index_checked_ = false;        ///< against that
  bool loaded_ = false;
  bool used_ = false;
  bool leftover_ = false;  ///< the file goes on behind `size_`
  bool retired_ = false;
};

}  // namespace brook::storage

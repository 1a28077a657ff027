#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace brook::storage {

/// When the broker itself notices what is wrong with an index, and builds it anew.
enum class IndexRepair : std::uint8_t {
  kAtFirstUse,  ///< and in recovery
  kInRecovery,  ///< where that reads the segment, or its end
  kNever,       ///< unless recovery reads the whole segment
};

/// What is wrong with an entry of an index.
struct IndexFlaw {
  std::uint64_t position = 0;    ///< of the entry, in the index file
  std::optional<Offset> offset;  ///< that it has; nothing where it is none
  std::string reason;
  IndexRepair repair = IndexRepair::kNever;
};

/// A batch of the log as an index knows it.
struct IndexedBatch {
  Offset last_offset;
  std::uint64_t position = 0;
  Timestamp max_timestamp;
};

/// Reads the entries of an index file one after another, some thousand at a time. Runs on: the file's shard.
template <class Entry>
class EntryCursor {
 public:
  explicit EntryCursor(std::shared_ptr<runtime::File> file) : file_(std::move(file)) {}

  /// The entry at position(); nothing where no whole one is left.
  [[nodiscard]] Task<Result<std::optional<Entry>>> peek();
  void skip() { position_ += Entry::kSize; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  /// The file ends within an entry: known once peek() found nothing.
  [[nodiscard]] bool torn() const { return position_ < buffer_start_ + filled_; }

 private:
  static constexpr std::size_t kEntries = 1024;

  std::shared_ptr<runtime::File> file_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_start_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t position_ = 0;
};

/// Compares a `.index` with its log while that is walked over: entries grow strictly, each has a position
/// where a batch begins, and an offset that is that batch's last or, by older Kafka, a later one's. Says what
/// is wrong first, and nothing more then. Runs on: the file's shard.
class OffsetIndexCheck {
 public:
  OffsetIndexCheck(std::shared_ptr<runtime::File> file, Offset base_offset)
      : entries_(std::move(file)), base_offset_(base_offset) {}

  /// The next batch of the log, in its order.
  [[nodiscard]] Task<Result<std::optional<IndexFlaw>>> visit(IndexedBatch batch);
  /// The log has no batch behind the last that was visited, and ends at `log_size`.
  [[nodiscard]] Task<Result<std::optional<IndexFlaw>>> finish(std::uint64_t log_size);
  /// Of the last entry that a batch was found for; nothing before the first.
  [[nodiscard]] std::optional<IndexedPosition> last() const { return last_; }

 private:
  [[nodiscard]] IndexFlaw flaw(std::optional<Offset> offset, std::string reason, IndexRepair repair);

  EntryCursor<OffsetIndex::Entry> entries_;
  Offset base_offset_;
  std::optional<IndexedPosition> last_;
  std::optional<Offset> end_;  ///< of the last batch that was visited
  bool found_ = false;
};

/// Where the batch starts that is the last in a `.index` below `end`, or the last of all; 0 where there is
/// none. Ends with the first entry that does not grow.
[[nodiscard]] Task<Result<std::uint64_t>> last_indexed_position(std::shared_ptr<runtime::File> file,
                                                                Offset base_offset,
                                                                std::optional<Offset> end);

/// The same for a `.timeindex`: timestamps grow strictly and offsets don't fall; no record up to an entry's
/// offset is newer than it says, and the offset is one of the log's.
class TimeIndexCheck {
 public:
  TimeIndexCheck(std::shared_ptr<runtime::File> file, Offset base_offset)
      : entries_(std::move(file)), base_offset_(base_offset) {}

  [[nodiscard]] Task<Result<std::optional<IndexFlaw>>> visit(IndexedBatch batch);
  [[nodiscard]] Task<Result<std::optional<IndexFlaw>>> finish();

 private:
  [[nodiscard]] std::optional<IndexFlaw> settle(const TimeIndex::Entry& entry);
  [[nodiscard]] IndexFlaw flaw(std::optional<Offset> offset, std::string reason, IndexRepair repair);

  EntryCursor<TimeIndex::Entry> entries_;
  Offset base_offset_;
  std::optional<IndexedTimestamp> last_;
  Timestamp newest_{-1};       ///< of the batches that were visited
  std::optional<Offset> end_;  ///< of the last of them
  bool found_ = false;
};

}  // namespace brook::storage

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/task.h"
#include "storage/log.h"
#include "storage/testing/keyed_batches.h"

namespace brook::sim {

/// One batch as it was handed to the log, or as it was read from it.
struct LogBatch {
  struct Record {
    std::int64_t offset = 0;
    storage::testing::KeyedRecord record;
    std::int64_t timestamp = 0;
  };

  std::int64_t base = 0;
  std::int64_t last = 0;
  std::int64_t producer = -1;
  std::int32_t sequence = -1;
  bool transactional = false;
  bool control = false;
  std::optional<bool> commits = {};  ///< of a marker; compaction may leave one without it
  std::vector<Record> records = {};
  bool aborted = false;  ///< as read: in the range of a transaction that the log says was aborted
};

/// All that a log serves.
struct SeenLog {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t last_stable = 0;
  bool transaction_open = false;  ///< also where it lies below the start, and the log is empty
  std::vector<LogBatch> batches;
};

/// Reads everything, checks CRCs and the order of offsets; the first error otherwise.
[[nodiscard]] Task<Result<SeenLog>> read_log(storage::Log& log);

/// What a log must hold, may hold and may have lost. It knows what was appended, and how far that is durable.
class LogModel {
 public:
  /// `delete_retention` is delete.retention.ms.
  explicit LogModel(std::int64_t delete_retention) : retention_(delete_retention) {}

  [[nodiscard]] std::int64_t end() const { return end_; }
  [[nodiscard]] std::int64_t start() const { return start_; }
  [[nodiscard]] std::int64_t last_stable() const;
  [[nodiscard]] std::int64_t flushed() const { return flushed_; }

  /// `batch` is about to be appended: from now on it may be there.
  void attempt(LogBatch batch);
  /// The last attempt is in the log.
  void confirm();
  /// All below `end` is on the disk.
  void set_flushed(std::int64_t end);
  /// Records below `most` may be deleted from now on; then, those below `offset` were.
  void begin_start_advance(std::int64_t most);
  void end_start_advance(std::int64_t offset);
  /// A compaction is about to look at what is below `end`.
  void begin_compaction(std::int64_t end, std::int64_t now);

  /// The log was opened again and holds `seen`: takes over what a crash may do to it.
  void reopen(const SeenLog& seen, bool power_cut, std::int64_t now);
  /// The log holds `seen`, and nothing happened to it since.
  void check(const SeenLog& seen, std::int64_t now) const;

  /// The last batch of a producer that can be asked for again; nothing where retention may have taken it.
  [[nodiscard]] const LogBatch* last_of(std::int64_t producer) const;
  [[nodiscard]] std::int32_t next_sequence(std::int64_t producer) const;
  /// The first offset of the producer's open transaction.
  [[nodiscard]] std::optional<std::int64_t> open_transaction(std::int64_t producer) const;

 private:
  enum class Fate { kCommitted, kAborted, kOpen };

  [[nodiscard]] std::map<std::int64_t, Fate> fates() const;
  void forget_open_below_start();
  void drop_unseen(const SeenLog& seen);
  void check_batch(const LogBatch& seen, const LogBatch& known) const;
  void check_keys(const SeenLog& seen, std::int64_t now) const;
  void check_order(const SeenLog& seen) const;
  [[nodiscard]] static bool same(const LogBatch& seen, const LogBatch& known);

  std::int64_t retention_;
  std::map<std::int64_t, LogBatch> batches_;  ///< by base offset; also what lies below the start
  std::vector<LogBatch> attempts_;            ///< that nobody confirmed: since the last restart
  std::int64_t start_ = 0;
  std::int64_t start_most_ = 0;
  std::int64_t end_ = 0;
  std::int64_t flushed_ = 0;
  std::int64_t touched_below_ = 0;                    ///< by compactions
  std::map<std::int64_t, std::int64_t> first_round_;  ///< when a record was first in a compaction's range
};

}  // namespace brook::sim

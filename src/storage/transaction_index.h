#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"

namespace brook::storage {

/// An aborted transaction as `.txnindex` and a fetch response name it.
struct AbortedTransaction {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;         ///< of the abort marker
  Offset last_stable_offset;  ///< when the marker was written: nothing behind it is of interest to a reader
                              ///< below

  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

/// The aborted transactions whose marker lies in one segment. The file is made with the first one; nothing is
/// kept in memory but its size. Runs on: the log's shard.
class TransactionIndex {
 public:
  static constexpr std::size_t kEntrySize = 34;

  TransactionIndex(runtime::FileSystem& files, std::string path, Offset base_offset)
      : files_(files), path_(std::move(path)), base_offset_(base_offset) {}

  /// Looks at the file; CORRUPT_MESSAGE where it is not one of ours (the caller builds it anew).
  [[nodiscard]] Result<void> load();
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Result<void> append(const AbortedTransaction& transaction);
  /// Forgets transactions whose marker is at or above `offset`.
  [[nodiscard]] Result<void> truncate_to(Offset offset);
  /// Until finish_rebuild() the file stays as it is, and append() changes a copy in memory, which begins with
  /// what is known to be below `offset`: who is killed meanwhile leaves what the next start can tell from a
  /// sound one.
  [[nodiscard]] Result<void> begin_rebuild(Offset offset);
  /// Replaces the file as a whole where the copy differs. Waits for the disk: start only.
  [[nodiscard]] Result<void> finish_rebuild();
  /// All entries, in order of their markers.
  [[nodiscard]] Task<Result<std::vector<AbortedTransaction>>> entries() const;
  /// Where anything changed since the last one.
  [[nodiscard]] Task<Result<void>> sync();
  [[nodiscard]] bool dirty() const { return dirty_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  runtime::FileSystem& files_;
  std::string path_;
  Offset base_offset_;
  std::uint64_t size_ = 0;
  bool dirty_ = false;
  std::optional<std::string> rebuilt_;
};

}  // namespace brook::storage

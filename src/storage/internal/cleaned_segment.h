#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/aligned_buffer.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/internal/batch_header.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace brook::storage::internal {

/// The output of compaction: a segment's four files, named `.cleaned` until they are whole and on the disk.
/// append() and add_aborted() run on any thread, one at a time, all else on the log's shard.
class CleanedSegment {
 public:
  /// The files that an earlier attempt left are replaced. `files` outlives it.
  [[nodiscard]] static Task<Result<std::unique_ptr<CleanedSegment>>> create(runtime::FileSystem& files,
                                                                            const std::string& directory,
                                                                            Offset base_offset,
                                                                            std::uint32_t index_interval,
                                                                            std::size_t buffer_bytes);

  /// `header` is that of `batch`; both grow in their offsets.
  [[nodiscard]] Result<void> append(const BatchHeader& header, ByteView batch);
  [[nodiscard]] Result<void> add_aborted(const AbortedTransaction& transaction) {
    return transactions_.append(transaction);
  }
  /// Everything is on the disk afterwards; no append follows.
  [[nodiscard]] Task<Result<void>> finish();
  /// Removes the files.
  [[nodiscard]] Task<void> discard();

  [[nodiscard]] Offset base_offset() const { return base_offset_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t offset_index_bytes() const {
    return offset_index_.count() * OffsetIndex::Entry::kSize;
  }
  [[nodiscard]] std::uint64_t time_index_bytes() const {
    return time_index_.count() * TimeIndex::Entry::kSize;
  }
  /// The names that the files will have, without `.cleaned`; the log first.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  CleanedSegment(runtime::FileSystem& files, const std::string& directory, Offset base_offset,
                 std::uint32_t index_interval, std::size_t buffer_bytes);
  [[nodiscard]] Result<void> write(ByteView bytes);
  [[nodiscard]] Result<void> write_buffered();

  runtime::FileSystem& files_;
  Offset base_offset_;
  std::uint32_t index_interval_;
  std::vector<std::string> names_;
  std::unique_ptr<runtime::File> file_;
  runtime::AlignedBuffer buffer_;
  std::size_t buffered_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t size_ = 0;  ///< written and buffered
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  TransactionIndex transactions_;
  IndexedTimestamp newest_;
  std::uint64_t bytes_since_index_entry_ = 0;
};

}  // namespace brook::storage::internal

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/internal/batch_header.h"
#include "storage/internal/read_window.h"

namespace brook::storage::internal {

/// Walks over the batches of [position, end) of a file, in page-aligned reads of `chunk` bytes. Runs on: the
/// log's shard.
class BatchReader {
 public:
  BatchReader(std::shared_ptr<runtime::File> file, std::uint64_t position, std::uint64_t end,
              std::size_t chunk)
      : file_(std::move(file)), position_(position), end_(end), chunk_(chunk), window_(chunk) {}

  /// The header at position(). Nothing at the end, and where what is there is no whole batch (position() <
  /// end() then).
  [[nodiscard]] Task<Result<std::optional<BatchHeader>>> header();
  /// All bytes of the batch whose header was just read; valid until the next call.
  [[nodiscard]] Task<Result<ByteView>> body(BatchHeader header);
  /// `size` bytes from `offset` behind position() on, whatever they are; valid until the next call. Empty
  /// where the file ends before them.
  [[nodiscard]] Task<Result<ByteView>> peek(std::uint64_t offset, std::size_t size);
  /// The CRC over the batch at position() is what `header`, its header, says; false too where the file ends
  /// before it. Piece by piece: a header may lie about the size, and costs no memory for it.
  [[nodiscard]] Task<Result<bool>> crc_matches(BatchHeader header);
  /// Goes behind the batch at position().
  void skip(const BatchHeader& header) { skip_bytes(header.size); }
  void skip_bytes(std::uint64_t size) { position_ += size; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::shared_ptr<runtime::File> file_;
  std::uint64_t position_;
  std::uint64_t end_;
  std::size_t chunk_;
  ReadWindow window_;
};

}  // namespace brook::storage::internal

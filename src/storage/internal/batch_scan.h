#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/file.h"
#include "storage/internal/batch_header.h"
#include "storage/internal/read_window.h"

namespace brook::storage::internal {

/// Reads all batches of [position, end) of a file, one after the other, and waits for the disk: for work that
/// has a thread to itself. BatchReader is for shards. Runs on: any, one thread at a time.
class BatchScan {
 public:
  BatchScan(std::shared_ptr<runtime::File> file, std::uint64_t position, std::uint64_t end, std::size_t chunk)
      : file_(std::move(file)), position_(position), end_(end), window_(chunk) {}

  struct Found {
    BatchHeader header;
    ByteView bytes;  ///< all of the batch; valid until the next call
  };
  /// The batch at the position, and goes behind it; nothing at the end. CORRUPT_MESSAGE, with file and
  /// position, where there is no whole batch. Nothing else is looked at, not even its CRC.
  [[nodiscard]] Result<std::optional<Found>> next();
  [[nodiscard]] bool at_end() const { return position_ >= end_; }

 private:
  [[nodiscard]] Result<ByteView> peek(std::size_t size);
  [[nodiscard]] std::unexpected<Error> corrupt(std::string_view what) const;

  std::shared_ptr<runtime::File> file_;
  std::uint64_t position_;
  std::uint64_t end_;
  ReadWindow window_;
};

}  // namespace brook::storage::internal

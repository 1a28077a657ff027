#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "runtime/aligned_buffer.h"

namespace brook::storage::internal {

/// The part of a file that a walk forwards has in memory: whole pages, some of them from the last read. It
/// reads nothing itself. Runs on: any.
class ReadWindow {
 public:
  /// `chunk`: how many bytes are read at once, unless more are needed.
  explicit ReadWindow(std::size_t chunk) : chunk_(chunk) {}

  /// What a read has to bring, and where to.
  struct Missing {
    std::uint64_t offset = 0;
    MutableBytes room;
  };
  /// Makes room for `size` bytes from `from` on of a file that ends at `end`; nothing where they are here.
  /// arrived() must follow otherwise.
  [[nodiscard]] std::optional<Missing> missing(std::uint64_t from, std::size_t size, std::uint64_t end);
  void arrived(std::size_t bytes) { filled_ += bytes; }
  /// Empty where they are not here: the file ended before. Valid until the next missing().
  [[nodiscard]] ByteView view(std::uint64_t from, std::size_t size) const {
    if (!holds(from, size)) return {};
    return ByteView(buffer_.bytes()).subspan(static_cast<std::size_t>(from - start_), size);
  }

 private:
  [[nodiscard]] bool holds(std::uint64_t from, std::size_t size) const {
    return from >= start_ && from + size <= start_ + filled_;
  }
  void move_to(std::uint64_t start, std::size_t capacity);

  std::size_t chunk_;
  runtime::AlignedBuffer buffer_;
  std::uint64_t start_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace brook::storage::internal

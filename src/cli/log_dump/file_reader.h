#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/file.h"

namespace brook::cli {

/// Reads a file from its start to its end, in pieces of a MiB or of what is asked for if that is more. Runs
/// on: the file's shard.
class FileReader {
 public:
  /// The file outlives it.
  explicit FileReader(runtime::File& file) : file_(file) {}

  /// At least `size` bytes from position() on, fewer only where the file ends. Valid until the next call.
  [[nodiscard]] Result<ByteView> peek(std::size_t size);
  /// Moves on by what peek() has shown.
  void skip(std::size_t size) { at_ += size; }
  /// How many bytes the file has from position() on.
  [[nodiscard]] Result<std::uint64_t> remaining() const;
  [[nodiscard]] std::uint64_t position() const { return buffer_start_ + at_; }

 private:
  runtime::File& file_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_start_ = 0;
  std::size_t at_ = 0;
};

/// All of a small file. INVALID_REQUEST where it has more than `size_max` bytes.
[[nodiscard]] Result<std::string> read_text(runtime::File& file, std::size_t size_max);

}  // namespace brook::cli

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/produce/line_splitter.h"
#include "runtime/file.h"
#include "runtime/host.h"
#include "runtime/input_stream.h"

namespace brook::cli {

/// Longer lines are refused: no broker takes such a record by default, and a file that is no text would
/// otherwise fill the memory.
inline constexpr std::size_t kLineBytesMax = std::size_t{64} << 20U;

/// Which line of which source.
struct LinePlace {
  std::size_t path = 0;
  std::uint64_t line = 0;  ///< from 1 on
};

/// The lines of files, one file after the other, or of standard input. Runs on: shard 0.
class LineReader {
 public:
  /// Standard input where `paths` is empty, and for the path "-". The host outlives it.
  LineReader(runtime::Host& host, std::vector<std::string> paths);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Reads more, as much as is there; false at the end of everything. Then next() gives lines until it gives
  /// none.
  [[nodiscard]] Task<Result<bool>> fill();
  /// Valid until the next call of anything.
  [[nodiscard]] std::optional<std::string_view> next();
  /// Where the line of the last next() stands.
  [[nodiscard]] LinePlace place() const { return {next_path_ - 1, line_}; }
  /// "data.txt:12", or "line 12" of standard input.
  [[nodiscard]] std::string text_of(LinePlace place) const;
  /// A pending or later fill() gives false.
  void stop();

 private:
  /// Opens the next path; false where none is left.
  [[nodiscard]] Result<bool> open_next();
  [[nodiscard]] Task<Result<std::size_t>> read_piece();
  void end_source();

  runtime::Host& host_;
  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  std::unique_ptr<runtime::File> file_;  // one of these two, or none between sources
  std::unique_ptr<runtime::InputStream> input_;
  std::uint64_t offset_ = 0;  // in file_
  std::uint64_t line_ = 0;
  std::vector<std::byte> piece_;
  LineSplitter splitter_;
  bool is_stopped_ = false;
};

}  // namespace brook::cli

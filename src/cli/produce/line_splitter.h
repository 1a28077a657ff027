#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace brook::cli {

/// Makes lines of bytes that come in pieces. A line ends with '\n', which is not part of it; the last one may
/// lack it.
class LineSplitter {
 public:
  void feed(ByteView bytes);
  /// No more bytes come: what is left is a line.
  void finish() { finished_ = true; }
  /// The next whole line, valid until the next call of anything; nothing where more bytes are needed.
  [[nodiscard]] std::optional<std::string_view> next();
  /// How much of a line is held that has not ended yet, after next() gave nothing.
  [[nodiscard]] std::size_t unfinished() const { return text_.size() - at_; }

 private:
  std::string text_;
  std::size_t at_ = 0;
  std::size_t searched_ = 0;  ///< no line end is between at_ and here
  bool finished_ = false;
};

}  // namespace brook::cli

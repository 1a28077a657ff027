#include "cli/produce/line_splitter.h"

namespace brook::cli {

void LineSplitter::feed(ByteView bytes) {
  text_.erase(0, at_);
  searched_ -= at_;
  at_ = 0;
  text_ += as_chars(bytes);
}

std::optional<std::string_view> LineSplitter::next() {
  const std::size_t end = text_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = text_.size();
    if (!finished_ || at_ == text_.size()) return std::nullopt;
    const std::string_view last = std::string_view(text_).substr(at_);
    at_ = text_.size();
    return last;
  }
  const std::string_view line = std::string_view(text_).substr(at_, end - at_);
  at_ = end + 1;
  searched_ = at_;
  return line;
}

}  // namespace brook::cli

#include "cli/log_dump/file_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace brook::cli {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

}  // namespace

Result<ByteView> FileReader::peek(std::size_t size) {
  if (buffer_.size() - at_ < size) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    buffer_start_ += at_;
    at_ = 0;
    const std::size_t held = buffer_.size();
    const std::size_t wanted = std::max(size, kPiece) - held;
    buffer_.resize(held + wanted);
    const auto got = file_.read_at_blocking(buffer_start_ + held, MutableBytes(buffer_).subspan(held));
    buffer_.resize(held + (got ? *got : 0));
    if (!got) return std::unexpected(got.error());
  }
  return ByteView(buffer_).subspan(at_);
}

Result<std::uint64_t> FileReader::remaining() const {
  BROOK_TRY(const std::uint64_t size, file_.size());
  return size - std::min(size, position());
}

Result<std::string> read_text(runtime::File& file, std::size_t size_max) {
  BROOK_TRY(const std::uint64_t size, file.size());
  if (size > size_max) {
    return fail(ErrorCode::kInvalidRequest, fmt::format("it has more than {} bytes", size_max));
  }
  FileReader reader(file);
  BROOK_TRY(const ByteView bytes, reader.peek(size));
  return to_string(bytes);
}

}  // namespace brook::cli

#include "cli/produce/line_reader.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace brook::cli {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10U;
constexpr std::string_view kStandardInput = "-";

}  // namespace

LineReader::LineReader(runtime::Host& host, std::vector<std::string> paths)
    : host_(host), paths_(std::move(paths)), piece_(kPiece) {
  if (paths_.empty()) paths_.emplace_back(kStandardInput);
}

LineReader::~LineReader() = default;

Task<Result<bool>> LineReader::fill() {
  while (!is_stopped_) {
    if (!file_ && !input_) {
      BROOK_CO_TRY(const bool has_more, open_next());
      if (!has_more) co_return false;
    }
    BROOK_CO_TRY(const std::size_t got, co_await read_piece());
    if (got > 0) {
      splitter_.feed(ByteView(piece_).first(got));
      if (splitter_.unfinished() > kLineBytesMax + kPiece) {
        co_return fail(ErrorCode::kInvalidRequest, fmt::format("{} is followed by a line of more than {} MiB",
                                                               text_of(place()), kLineBytesMax >> 20U));
      }
      co_return true;
    }
    end_source();
    co_return true;  // its last line may have come without its end
  }
  co_return false;
}

std::optional<std::string_view> LineReader::next() {
  const std::optional<std::string_view> line = splitter_.next();
  if (line) ++line_;
  return line;
}

std::string LineReader::text_of(LinePlace place) const {
  const std::string& path = paths_[place.path];
  return path == kStandardInput ? fmt::format("line {}", place.line) : fmt::format("{}:{}", path, place.line);
}

void LineReader::stop() {
  is_stopped_ = true;
  if (input_) input_->close();
}

Result<bool> LineReader::open_next() {
  if (next_path_ == paths_.size()) return false;
  const std::string& path = paths_[next_path_++];
  splitter_ = {};
  line_ = 0;
  offset_ = 0;
  if (path == kStandardInput) {
    input_ = host_.open_standard_input();
    return true;
  }
  BROOK_TRY(file_, host_.shard(0).files().open(path, runtime::OpenMode::kRead));
  return true;
}

Task<Result<std::size_t>> LineReader::read_piece() {
  if (input_) {
    Result<std::size_t> typed = co_await input_->read_some(piece_);
    co_return typed;
  }
  BROOK_CO_TRY(const std::size_t got, co_await file_->read_at(offset_, piece_));
  offset_ += got;
  co_return got;
}

void LineReader::end_source() {
  splitter_.finish();
  file_.reset();
  input_.reset();
}

}  // namespace brook::cli

#include "net/internal/response_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace brook::net::internal {
namespace {

constexpr std::size_t kPartsAtOnceMax = 8;
constexpr std::size_t kGatheredPartsMax = 256;
/// One write's bytes: so that a slow reader's progress shows at least this often.
constexpr std::uint64_t kGatheredBytesMax = 1024UL * 1024;
/// A file range below this costs less copied into the gathered write than sent on its own.
constexpr std::uint64_t kCopiedRangeMax = 64UL * 1024;
/// What one write reads of small file ranges: it is held until a slow reader has taken it.
constexpr std::uint64_t kReadBytesMax = 64UL * 1024;
constexpr std::uint64_t kFilePiece = 1024UL * 1024;

/// The bytes of a part that is no file range.
ByteView in_memory(const ResponsePart& part) {
  if (const auto* owned = std::get_if<std::vector<std::byte>>(&part)) return *owned;
  return std::get<SharedBytes>(part).bytes;
}

bool is_large_range(const ResponsePart& part) {
  const auto* range = std::get_if<FileRange>(&part);
  return range != nullptr && range->size >= kCopiedRangeMax;
}

Task<Result<runtime::AlignedBuffer>> read_range(FileRange range) {
  runtime::AlignedBuffer buffer(range.size);
  BROOK_CO_TRY(const std::size_t got, co_await range.file->read_at(range.offset, buffer.bytes()));
  if (got < range.size) {
    co_return fail(ErrorCode::kKafkaStorageError, fmt::format("cannot send {} at {}: the file ends there",
                                                              range.file->path(), range.offset + got));
  }
  co_return buffer;
}

}  // namespace

ResponseWriter::ResponseWriter(runtime::Shard& shard, runtime::Stream& stream,
                               std::function<void(const Result<std::uint64_t>&)> progress)
    : shard_(shard), stream_(stream), progress_(std::move(progress)), advanced_(shard.clock()) {}

void ResponseWriter::enqueue(Response response) {
  if (failed_ || response.size() == 0) return;
  unwritten_bytes_ += response.size();
  for (ResponsePart& part : std::move(response).take_parts()) {
    unwritten_memory_ += memory_of(part);
    unwritten_.push_back(std::move(part));
  }
  if (std::exchange(writing_, true)) return;
  // In a later turn, so that the responses to pipelined requests go out together. close() waits for it.
  shard_.post([this] {
    if (!write_at_once()) gate_.spawn(write_all());
  });
}

Task<void> ResponseWriter::wait_below(std::uint64_t bytes, std::uint64_t memory) {
  while (!is_below(bytes, memory)) (void)co_await advanced_.wait_until(runtime::Instant::max());
}

void ResponseWriter::fail() {
  failed_ = true;
  advanced_.notify_all();
}

Task<void> ResponseWriter::close() {
  while (writing_) (void)co_await advanced_.wait_until(runtime::Instant::max());
  co_await gate_.close();
}

bool ResponseWriter::write_at_once() {
  std::array<ByteView, kPartsAtOnceMax> views;
  if (failed_ || unwritten_.size() > views.size()) return false;
  for (std::size_t i = 0; i < unwritten_.size(); ++i) {
    if (std::holds_alternative<FileRange>(unwritten_[i])) return false;
    views.at(i) = in_memory(unwritten_[i]);
  }
  const Result<std::uint64_t> written = stream_.write_now(std::span(views).first(unwritten_.size()));
  if (!written) return false;  // write_all() will meet the same error.
  drop(*written);
  progress_(written);
  advanced_.notify_all();
  if (!unwritten_.empty()) return false;
  writing_ = false;
  return true;
}

void ResponseWriter::drop(std::uint64_t bytes) {
  unwritten_bytes_ -= bytes;
  skipped_ += bytes;
  auto end = unwritten_.begin();
  for (; end != unwritten_.end() && size_of(*end) <= skipped_; ++end) {
    skipped_ -= size_of(*end);
    unwritten_memory_ -= memory_of(*end);
  }
  unwritten_.erase(unwritten_.begin(), end);
}

Task<void> ResponseWriter::write_all() {
  while (!failed_ && !unwritten_.empty()) {
    const bool large = is_large_range(unwritten_.front());
    Task<Result<std::uint64_t>> step = large ? send_piece() : write_gathered();
    const Result<std::uint64_t> written = co_await step;
    if (!written) failed_ = true;
    progress_(written);
    advanced_.notify_all();
    if (large && !failed_ && !unwritten_.empty()) {
      // A reader that takes all at once would keep the shard for milliseconds: others have their turn.
      shard_.post([this] { gate_.spawn(write_all()); });
      co_return;
    }
  }
  if (failed_) {
    unwritten_.clear();
    skipped_ = 0;
    unwritten_bytes_ = 0;
    unwritten_memory_ = 0;
  }
  writing_ = false;
  advanced_.notify_all();
}

Task<Result<std::uint64_t>> ResponseWriter::write_gathered() {
  std::vector<ByteView> views;
  std::vector<runtime::AlignedBuffer> copies;
  std::uint64_t bytes = 0;
  std::uint64_t read = 0;
  // By index: enqueue() may add behind while a range is read, but only this takes from the front.
  for (std::size_t i = 0; i < unwritten_.size() && i < kGatheredPartsMax && bytes < kGatheredBytesMax; ++i) {
    if (is_large_range(unwritten_[i])) break;
    if (const auto* small = std::get_if<FileRange>(&unwritten_[i])) {
      const FileRange range = *small;
      if (read > 0 && read + range.size > kReadBytesMax) break;
      read += range.size;
      BROOK_CO_TRY(runtime::AlignedBuffer copy, co_await read_range(range));
      copies.push_back(std::move(copy));
      views.push_back(copies.back().bytes());
    } else {
      views.push_back(in_memory(unwritten_[i]).subspan(i == 0 ? skipped_ : 0));
    }
    bytes += views.back().size();
  }
  // The head of a fetch goes into one segment with the records that sendfile() brings.
  const bool more_follows = views.size() < unwritten_.size() && is_large_range(unwritten_[views.size()]);
  Task<Result<void>> write = more_follows ? stream_.write_ahead(views) : stream_.write(views);
  BROOK_CO_CHECK(co_await write);
  drop(bytes);
  co_return bytes;
}

Task<Result<std::uint64_t>> ResponseWriter::send_piece() {
  const FileRange range = std::get<FileRange>(unwritten_.front());
  // The rest of a range that would leave a small tail goes with it, so that the range stays a large one until
  // it is done.
  const std::uint64_t piece = range.size < kFilePiece + kCopiedRangeMax ? range.size : kFilePiece;
  BROOK_CO_CHECK(co_await stream_.send_file(*range.file, range.offset, piece));
  if (piece == range.size) {
    drop(piece);
  } else {
    FileRange& rest = std::get<FileRange>(unwritten_.front());
    rest.offset += piece;
    rest.size -= piece;
    unwritten_bytes_ -= piece;
  }
  co_return piece;
}

}  // namespace brook::net::internal

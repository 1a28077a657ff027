#include "storage/internal/batch_reader.h"

#include <algorithm>

#include "base/crc32c.h"

namespace brook::storage::internal {
namespace {

constexpr std::uint64_t kPage = runtime::AlignedBuffer::kPage;

}  // namespace

Task<Result<ByteView>> BatchReader::peek(std::uint64_t offset, std::size_t size) {
  const std::uint64_t from = position_ + offset;
  if (const auto missing = window_.missing(from, size, end_)) {
    BROOK_CO_TRY(const std::size_t got, co_await file_->read_at(missing->offset, missing->room));
    window_.arrived(got);
  }
  co_return window_.view(from, size);
}

Task<Result<std::optional<BatchHeader>>> BatchReader::header() {
  const std::uint64_t left = end_ - position_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kBatchHeaderSize, left));
  BROOK_CO_TRY(const ByteView head, co_await peek(0, size));
  std::optional<BatchHeader> parsed = parse_batch_header(head);
  if (parsed && parsed->size > left) parsed.reset();
  if (!parsed && looks_like_old_message(head, left)) {
    BROOK_CO_TRY(const ByteView message, co_await peek(0, old_message_size(head)));
    if (!is_old_message(message)) co_return parsed;
    co_return old_message(file_->path(), position_);
  }
  co_return parsed;
}

Task<Result<ByteView>> BatchReader::body(BatchHeader header) { co_return co_await peek(0, header.size); }

Task<Result<bool>> BatchReader::crc_matches(BatchHeader header) {
  // A piece and the page that it begins in fit the buffer.
  const std::uint64_t piece_max = std::max<std::uint64_t>(chunk_, 2 * kPage) - kPage;
  std::uint32_t crc = 0;
  for (std::uint64_t at = kCrcStart; at < header.size;) {
    const auto size = static_cast<std::size_t>(std::min(piece_max, header.size - at));
    BROOK_CO_TRY(const ByteView piece, co_await peek(at, size));
    if (piece.size() < size) co_return false;
    crc = crc32c(piece, crc);
    at += size;
  }
  co_return crc == header.crc;
}

}  // namespace brook::storage::internal

#include "storage/internal/batch_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/crc32c.h"

namespace brook::storage::internal {
namespace {

constexpr std::uint64_t kPage = runtime::AlignedBuffer::kPage;

}  // namespace

Task<Result<ByteView>> BatchReader::peek(std::uint64_t offset, std::size_t size) {
  const std::uint64_t from = position_ + offset;
  if (from < buffer_start_ || from + size > buffer_start_ + filled_) {
    const std::uint64_t start = from / kPage * kPage;
    const std::size_t needed = static_cast<std::size_t>(from - start) + size;
    const std::size_t capacity = std::max(chunk_, (needed + kPage - 1) / kPage * kPage);
    const std::size_t kept = keep_from(start, capacity);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end_ - start));
    if (wanted > kept) {
      const MutableBytes rest = buffer_.bytes().first(wanted).subspan(kept);
      BROOK_CO_TRY(const std::size_t got, co_await file_->read_at(start + kept, rest));
      filled_ = kept + got;
    }
    if (filled_ < needed) co_return ByteView{};
  }
  co_return ByteView(buffer_.bytes()).subspan(static_cast<std::size_t>(from - buffer_start_), size);
}

/// Moves what the buffer has from `start` on to its front, and makes it hold `capacity`; returns how much
/// that is, in whole pages.
std::size_t BatchReader::keep_from(std::uint64_t start, std::size_t capacity) {
  const bool overlaps = start >= buffer_start_ && start < buffer_start_ + filled_;
  const auto skipped = static_cast<std::size_t>(overlaps ? start - buffer_start_ : 0);
  const std::size_t kept = overlaps ? (filled_ - skipped) / kPage * kPage : 0;
  runtime::AlignedBuffer larger;
  if (buffer_.size() < capacity) larger = runtime::AlignedBuffer(capacity);
  runtime::AlignedBuffer& to = buffer_.size() < capacity ? larger : buffer_;
  std::ranges::copy(buffer_.bytes().subspan(skipped, kept), to.bytes().begin());  // Forwards, if in itself.
  if (buffer_.size() < capacity) buffer_ = std::move(larger);
  filled_ = kept;
  buffer_start_ = start;
  return kept;
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
    co_return fail(ErrorCode::kKafkaStorageError,
                   fmt::format("{} at byte {}: a message of format 0 or 1, which Kafka wrote before 0.11 and "
                               "Brook does not read",
                               file_->path(), position_));
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

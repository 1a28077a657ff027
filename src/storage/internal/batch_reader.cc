#include "storage/internal/batch_reader.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::storage::internal {

Task<Result<ByteView>> BatchReader::bytes(std::size_t size) {
  if (position_ < buffer_start_ || position_ + size > buffer_start_ + filled_) {
    constexpr std::uint64_t kPage = runtime::AlignedBuffer::kPage;
    const std::uint64_t start = position_ / kPage * kPage;
    const std::size_t needed = static_cast<std::size_t>(position_ - start) + size;
    const std::size_t capacity = std::max(chunk_, (needed + kPage - 1) / kPage * kPage);
    if (buffer_.size() < capacity) buffer_ = runtime::AlignedBuffer(capacity);
    filled_ = 0;
    buffer_start_ = start;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end_ - start));
    BROOK_CO_TRY(filled_, co_await file_->read_at(start, buffer_.bytes().first(wanted)));
    if (filled_ < needed) co_return ByteView{};
  }
  co_return ByteView(buffer_.bytes()).subspan(static_cast<std::size_t>(position_ - buffer_start_), size);
}

Task<Result<std::optional<BatchHeader>>> BatchReader::header() {
  const std::uint64_t left = end_ - position_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kBatchHeaderSize, left));
  BROOK_CO_TRY(const ByteView head, co_await bytes(size));
  std::optional<BatchHeader> parsed = parse_batch_header(head);
  if (parsed && parsed->size > left) parsed.reset();
  if (!parsed && looks_like_old_message(head, left)) {
    BROOK_CO_TRY(const ByteView message, co_await bytes(old_message_size(head)));
    if (!is_old_message(message)) co_return parsed;
    co_return fail(ErrorCode::kKafkaStorageError,
                   fmt::format("{} at byte {}: a message of format 0 or 1, which Kafka wrote before 0.11 and "
                               "Brook does not read",
                               file_->path(), position_));
  }
  co_return parsed;
}

Task<Result<ByteView>> BatchReader::body(BatchHeader header) { co_return co_await bytes(header.size); }

}  // namespace brook::storage::internal

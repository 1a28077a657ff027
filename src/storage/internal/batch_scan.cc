#include "storage/internal/batch_scan.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::storage::internal {

Result<std::optional<BatchScan::Found>> BatchScan::next() {
  if (at_end()) return std::optional<Found>();
  const std::uint64_t left = end_ - position_;
  BROOK_TRY(const ByteView head,
            peek(static_cast<std::size_t>(std::min<std::uint64_t>(kBatchHeaderSize, left))));
  const std::optional<BatchHeader> header = parse_batch_header(head);
  if (!header || header->size > left) {
    if (!looks_like_old_message(head, left)) return corrupt("no record batch");
    BROOK_TRY(const ByteView message, peek(old_message_size(head)));
    if (is_old_message(message)) return old_message(file_->path(), position_);
    return corrupt("no record batch");
  }
  BROOK_TRY(const ByteView bytes, peek(header->size));
  if (bytes.empty()) return corrupt("a batch that is cut off");
  position_ += header->size;
  return Found{*header, bytes};
}

Result<ByteView> BatchScan::peek(std::size_t size) {
  if (const auto missing = window_.missing(position_, size, end_)) {
    BROOK_TRY(const std::size_t got, file_->read_at_blocking(missing->offset, missing->room));
    window_.arrived(got);
  }
  return window_.view(position_, size);
}

std::unexpected<Error> BatchScan::corrupt(std::string_view what) const {
  return fail(ErrorCode::kCorruptMessage,
              fmt::format("{}: {} at position {}", file_->path(), what, position_));
}

}  // namespace brook::storage::internal

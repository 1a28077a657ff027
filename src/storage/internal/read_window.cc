#include "storage/internal/read_window.h"

#include <algorithm>
#include <utility>

namespace brook::storage::internal {
namespace {

constexpr std::uint64_t kPage = runtime::AlignedBuffer::kPage;

}  // namespace

std::optional<ReadWindow::Missing> ReadWindow::missing(std::uint64_t from, std::size_t size,
                                                       std::uint64_t end) {
  if (holds(from, size)) return std::nullopt;
  const std::uint64_t start = from / kPage * kPage;
  const std::size_t needed = static_cast<std::size_t>(from - start) + size;
  move_to(start, std::max(chunk_, (needed + kPage - 1) / kPage * kPage));
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end - start));
  if (wanted <= filled_) return std::nullopt;
  return Missing{start_ + filled_, buffer_.bytes().first(wanted).subspan(filled_)};
}

/// Keeps what is here from `start` on, in whole pages, at the front of a buffer of `capacity` or more.
void ReadWindow::move_to(std::uint64_t start, std::size_t capacity) {
  const bool overlaps = start >= start_ && start < start_ + filled_;
  const auto skipped = static_cast<std::size_t>(overlaps ? start - start_ : 0);
  const std::size_t kept = overlaps ? (filled_ - skipped) / kPage * kPage : 0;
  runtime::AlignedBuffer larger;
  if (buffer_.size() < capacity) larger = runtime::AlignedBuffer(capacity);
  runtime::AlignedBuffer& to = buffer_.size() < capacity ? larger : buffer_;
  std::ranges::copy(buffer_.bytes().subspan(skipped, kept), to.bytes().begin());  // Forwards, if in itself.
  if (buffer_.size() < capacity) buffer_ = std::move(larger);
  filled_ = kept;
  start_ = start;
}

}  // namespace brook::storage::internal

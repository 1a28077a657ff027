#include "net/response.h"

#include <cstdlib>

namespace brook::net {

std::uint64_t size_of(const ResponsePart& part) {
  if (const auto* owned = std::get_if<std::vector<std::byte>>(&part)) return owned->size();
  if (const auto* shared = std::get_if<SharedBytes>(&part)) return shared->bytes.size();
  return std::get<FileRange>(part).size;
}

std::uint64_t memory_of(const ResponsePart& part) {
  return std::holds_alternative<FileRange>(part) ? 0 : size_of(part);
}

void Response::append(ResponsePart part) {
  const std::uint64_t size = size_of(part);
  if (size == 0) return;
  size_ += size;
  parts_.push_back(std::move(part));
}

void Response::fill_prefix() {
  auto* first = parts_.empty() ? nullptr : std::get_if<std::vector<std::byte>>(&parts_.front());
  if (first == nullptr || first->size() < kPrefixSize) std::abort();  // A caller that left no room.
  store_be(first->data(), static_cast<std::int32_t>(size_ - kPrefixSize));
}

}  // namespace brook::net

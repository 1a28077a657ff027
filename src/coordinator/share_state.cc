#include "coordinator/share_state.h"

#include <fmt/core.h>

#include <charconv>
#include <system_error>

namespace brook::coordinator {

std::string coordinator_key(const ShareKey& key) {
  return fmt::format("{}:{}:{}", key.group, key.topic_id.text(), key.partition.value());
}

std::optional<ShareKey> share_key_of(std::string_view coordinator_key) {
  // The group's name may have colons of its own.
  const std::size_t second = coordinator_key.rfind(':');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const std::size_t first = coordinator_key.rfind(':', second - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const auto topic = Uuid::parse(coordinator_key.substr(first + 1, second - first - 1));
  const std::string_view digits = coordinator_key.substr(second + 1);
  std::int32_t partition = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), partition);
  if (!topic || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return ShareKey{std::string(coordinator_key.substr(0, first)), *topic, PartitionIndex(partition)};
}

}  // namespace brook::coordinator

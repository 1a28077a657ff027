#include "cli/log_dump/state_topic.h"

#include <array>
#include <cstddef>
#include <utility>

namespace brook::cli {
namespace {

// With what stands before the partition.
constexpr std::array<std::pair<std::string_view, StateTopic>, 3> kByDirectory = {{
    {"__consumer_offsets-", StateTopic::kGroups},
    {"__transaction_state-", StateTopic::kTransactions},
    {"__share_group_state-", StateTopic::kShareStates},
}};

std::string_view directory_of(std::string_view path) {
  const std::size_t end = path.rfind('/');
  if (end == std::string_view::npos) return {};
  path = path.substr(0, path.find_last_not_of('/', end) + 1);
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::optional<StateTopic> state_topic_of(std::string_view path) {
  const std::string_view directory = directory_of(path);
  for (const auto& [start, topic] : kByDirectory) {
    if (directory.starts_with(start)) return topic;
  }
  return std::nullopt;
}

}  // namespace brook::cli

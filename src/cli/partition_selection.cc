#include "cli/partition_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "cli/argument.h"

namespace brook::cli {

Result<PartitionSelection> parse_partition_selection(std::string_view word) {
  const std::size_t colon = word.rfind(':');  // no topic's name has one
  PartitionSelection selection{std::string(word.substr(0, colon)), {}};
  if (colon == std::string_view::npos) return selection;
  std::string_view rest = word.substr(colon + 1);
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto number = parse_number(rest.substr(0, comma));
    if (!number || *number < 0 || *number > INT32_MAX) {
      return fail(ErrorCode::kInvalidRequest, fmt::format("TOPIC or TOPIC:0,3 belongs here, not '{}'", word));
    }
    selection.partitions.emplace_back(static_cast<std::int32_t>(*number));
    if (comma == rest.size()) return selection;
    rest.remove_prefix(comma + 1);
  }
}

Task<Result<std::vector<TopicPartition>>> selected_partitions(client::Client& client,
                                                              std::vector<PartitionSelection> selections) {
  std::vector<std::string> names;
  for (const PartitionSelection& each : selections) names.push_back(each.topic);
  BROOK_CO_TRY(const client::ClusterMetadata cluster, co_await client.topics(names));
  std::set<TopicPartition> partitions;
  for (const PartitionSelection& each : selections) {
    const client::TopicMetadata* topic = cluster.find(each.topic);
    if (topic == nullptr || topic->error != ErrorCode::kNone)
      co_return fail(ErrorCode::kUnknownTopicOrPartition, fmt::format("there is no topic {}", each.topic));
    if (each.partitions.empty()) {
      for (const auto& partition : topic->partitions) partitions.insert({each.topic, partition.index});
    }
    for (const PartitionIndex index : each.partitions) {
      if (topic->find(index) == nullptr) {
        co_return fail(ErrorCode::kUnknownTopicOrPartition,
                       fmt::format("topic {} has no partition {}", each.topic, index.value()));
      }
      partitions.insert({each.topic, index});
    }
  }
  co_return std::vector<TopicPartition>(partitions.begin(), partitions.end());
}

}  // namespace brook::cli

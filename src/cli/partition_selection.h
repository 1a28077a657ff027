#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/client.h"
#include "runtime/task.h"

namespace brook::cli {

/// A topic with some of its partitions, as a person names them; all of them where none is named.
struct PartitionSelection {
  std::string topic;
  std::vector<PartitionIndex> partitions;
};

/// "orders" or "orders:0,3". INVALID_REQUEST otherwise.
[[nodiscard]] Result<PartitionSelection> parse_partition_selection(std::string_view word);

/// The partitions that these are, sorted, each once. UNKNOWN_TOPIC_OR_PARTITION where a topic or partition
/// does not exist. The client outlives it.
[[nodiscard]] Task<Result<std::vector<TopicPartition>>> selected_partitions(
    client::Client& client, std::vector<PartitionSelection> selections);

}  // namespace brook::cli

#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/ids.h"

namespace brook::coordinator {

using TopicPartitions = std::map<TopicId, std::set<std::int32_t>>;

/// As records and messages write them: a list of topics' ids with `partitions`. Empty topics are left out.
template <class Listed>
[[nodiscard]] TopicPartitions partitions_of(const Listed& listed) {
  TopicPartitions out;
  for (const auto& topic : listed) {
    if (!topic.partitions.empty())
      out[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return out;
}

template <class Listed>
[[nodiscard]] Listed listed(const TopicPartitions& partitions) {
  Listed out;
  for (const auto& [topic, of_topic] : partitions) {
    auto& one = out.emplace_back();
    one.topic_id = topic;
    one.partitions.assign(of_topic.begin(), of_topic.end());
  }
  return out;
}

}  // namespace brook::coordinator

#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "broker/handler.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// One partition that a request asks about, on its way to its shard (PartitionRouter::run) and back. Request
/// and response outlive it and do not grow meanwhile.
template <class Asked, class Answer>
struct AskedPartition {
  TopicIdPartition id;
  const Asked* asked = nullptr;
  Answer* answer = nullptr;
};

/// The partition's number, as the APIs call it.
template <class Asked>
[[nodiscard]] PartitionIndex index_of(const Asked& asked) {
  if constexpr (std::same_as<Asked, std::int32_t>) {
    return PartitionIndex(asked);
  } else if constexpr (requires { asked.partition_index; }) {
    return PartitionIndex(asked.partition_index);
  } else {
    return PartitionIndex(asked.partition);
  }
}

/// Makes an answer for every asked partition of one topic, in order, with its number; adds those that exist
/// to `items`, and answers the others with UNKNOWN_TOPIC_OR_PARTITION. `topic` is null where there is none.
/// `check` gives an error code that comes before that, by what was asked.
template <class Asked, class Answer, std::invocable<const Asked&> Check>
void resolve_partitions(const cluster::TopicPtr& topic, const std::vector<Asked>& asked,
                        std::vector<Answer>& answers, std::vector<AskedPartition<Asked, Answer>>& items,
                        const Check& check) {
  answers.resize(asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const PartitionIndex index = index_of(asked[i]);
    if constexpr (requires { answers[i].partition_index; }) {
      answers[i].partition_index = index.value();
    } else {
      answers[i].partition = index.value();
    }
    ErrorCode code = check(asked[i]);
    if (code == ErrorCode::kNone && (!topic || topic->partition(index) == nullptr))
      code = ErrorCode::kUnknownTopicOrPartition;
    answers[i].error_code = wire(code);
    if (code == ErrorCode::kNone) items.push_back({{topic->id, index}, &asked[i], &answers[i]});
  }
}

template <class Asked, class Answer>
void resolve_partitions(const cluster::TopicPtr& topic, const std::vector<Asked>& asked,
                        std::vector<Answer>& answers, std::vector<AskedPartition<Asked, Answer>>& items) {
  resolve_partitions(topic, asked, answers, items, [](const Asked&) { return ErrorCode::kNone; });
}

/// Takes the partitions that do not exist out of a request that names its topics, and topics that have none
/// left; answers them with UNKNOWN_TOPIC_OR_PARTITION.
template <class Response, class Request>
[[nodiscard]] Response set_unknown_aside(const cluster::MetadataImage& image, Request& request) {
  Response unknown;
  for (auto& topic : request.topics) {
    const cluster::TopicPtr known = image.topics.find(topic.name);
    typename decltype(unknown.topics)::value_type aside;
    aside.name = topic.name;
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (known && known->partition(index_of(partition)) != nullptr) return false;
      aside.partitions.push_back({partition.partition_index, wire(ErrorCode::kUnknownTopicOrPartition)});
      return true;
    });
    if (!aside.partitions.empty()) unknown.topics.push_back(std::move(aside));
  }
  std::erase_if(request.topics, [](const auto& topic) { return topic.partitions.empty(); });
  return unknown;
}

}  // namespace brook::broker

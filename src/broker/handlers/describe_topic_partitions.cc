// DescribeTopicPartitions: version 0 (KIP-966). Topics by name, a page of partitions at a time; no topics
// means all of them.
#include <algorithm>
#include <set>

#include "broker/authorized_operations.h"
#include "broker/described_partition.h"
#include "broker/handlers/handlers.h"
#include "protocol/describe_topic_partitions.h"

namespace brook::broker {
namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;

/// max.request.partition.size.limit
constexpr std::int32_t kPartitionLimit = 2000;

class DescribeTopicPartitionsHandler final
    : public TypedHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> {
 public:
  explicit DescribeTopicPartitionsHandler(ClusterView& view) : view_(view) {}

 private:
  Task<DescribeTopicPartitionsResponse> serve(const RequestContext& /*context*/,
                                              DescribeTopicPartitionsRequest request) override {
    DescribeTopicPartitionsResponse response;
    const cluster::ImagePtr image = view_.image();
    std::set<std::string> names;
    for (const auto& topic : request.topics) names.insert(topic.name);
    const bool everything = names.empty();
    if (everything)
      image->topics.for_each([&](const cluster::TopicPtr& topic) { names.insert(topic->name); });
    std::int32_t left = std::clamp(request.response_partition_limit, 1, kPartitionLimit);
    for (const std::string& name : names) {
      std::size_t first = 0;
      if (request.cursor) {
        if (name < request.cursor->topic_name) continue;
        if (name == request.cursor->topic_name)
          first = static_cast<std::size_t>(std::max(request.cursor->partition_index, 0));
      }
      if (left == 0) {
        response.next_cursor = DescribeTopicPartitionsResponse::Cursor{name, 0};
        break;
      }
      DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic out;
      out.name = name;
      const cluster::TopicPtr topic = image->topics.find(name);
      if (!topic) {
        out.error_code = wire(cluster::check_topic_name(name) ? ErrorCode::kUnknownTopicOrPartition
                                                              : ErrorCode::kInvalidTopicException);
        response.topics.push_back(std::move(out));
        continue;
      }
      out.topic_id = topic->id;
      out.is_internal = topic->is_internal();
      out.topic_authorized_operations = kAllTopicOperations;
      std::size_t at = first;
      for (; at < topic->partitions.size() && left > 0; ++at, --left)
        out.partitions.push_back(describe(*image, *topic, at));
      const bool cut = at < topic->partitions.size();
      response.topics.push_back(std::move(out));
      if (cut) {
        response.next_cursor = DescribeTopicPartitionsResponse::Cursor{name, static_cast<std::int32_t>(at)};
        break;
      }
    }
    co_return response;
  }

  [[nodiscard]] DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition describe(
      const cluster::MetadataImage& image, const cluster::TopicInfo& topic, std::size_t index) const {
    DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition out;
    describe_partition(view_, image, topic, index, out);
    out.eligible_leader_replicas.emplace();
    out.last_known_elr.emplace();
    return out;
  }

  ClusterView& view_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_topic_partitions_handler(ClusterView& view) {
  return std::make_unique<DescribeTopicPartitionsHandler>(view);
}

}  // namespace brook::broker

// CreateTopics: versions 2 to 7; defaults for partitions and replication (−1) from 4, the topic's settings in
// the answer from 5, its id from 7.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "broker/handlers/handlers.h"
#include "protocol/create_topics.h"

namespace brook::broker {
namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;

/// What the controller cannot see any more once it is a NewTopic.
Result<cluster::NewTopic> to_new_topic(const CreateTopicsRequest::CreatableTopic& asked) {
  cluster::NewTopic topic;
  topic.name = asked.name;
  const bool assigned = !asked.assignments.empty();
  if (assigned && (asked.num_partitions != -1 || asked.replication_factor != -1)) {
    return fail(ErrorCode::kInvalidRequest,
                "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be "
                "used at the same time.");
  }
  if (!assigned && asked.num_partitions != -1) {
    if (asked.num_partitions <= 0)
      return fail(ErrorCode::kInvalidPartitions,
                  "Number of partitions must be larger than 0, or -1 to use the default value.");
    topic.partitions = asked.num_partitions;
  }
  if (!assigned && asked.replication_factor != -1) {
    if (asked.replication_factor <= 0) {
      return fail(ErrorCode::kInvalidReplicationFactor,
                  "Replication factor must be larger than 0, or -1 to use the default value.");
    }
    topic.replication_factor = asked.replication_factor;
  }
  for (const auto& assignment : asked.assignments) {
    std::vector<BrokerId> brokers;
    for (const std::int32_t id : assignment.broker_ids) brokers.emplace_back(id);
    if (!topic.assignments.emplace(assignment.partition_index, std::move(brokers)).second) {
      return fail(ErrorCode::kInvalidReplicaAssignment,
                  fmt::format("Found multiple manual partition assignments for partition {}",
                              assignment.partition_index));
    }
  }
  for (const auto& config : asked.configs) {
    if (!config.value)
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("Null value not supported for topic configs: {}", config.name));
    topic.configs.insert_or_assign(config.name, *config.value);
  }
  return topic;
}

class CreateTopicsHandler final : public TypedHandler<CreateTopicsRequest, CreateTopicsResponse> {
 public:
  CreateTopicsHandler(ClusterView& view, Administration& administration)
      : view_(view), administration_(administration) {}

 private:
  Task<CreateTopicsResponse> serve(const RequestContext& /*context*/, CreateTopicsRequest request) override {
    CreateTopicsResponse response;
    std::map<std::string, int> times;
    for (const auto& topic : request.topics) ++times[topic.name];
    std::vector<cluster::NewTopic> topics;
    std::vector<std::size_t> places;
    for (const auto& asked : request.topics) {
      // A name that stands twice is refused once.
      int& left = times[asked.name];
      if (left == 0) continue;
      auto& answer = response.topics.emplace_back();
      answer.name = asked.name;
      answer.error_message.reset();
      if (left > 1) {
        left = 0;
        refuse(answer, {ErrorCode::kInvalidRequest, "Duplicate topic name."});
        continue;
      }
      Result<cluster::NewTopic> topic = to_new_topic(asked);
      if (!topic) {
        refuse(answer, topic.error());
        continue;
      }
      places.push_back(response.topics.size() - 1);
      topics.push_back(*std::move(topic));
    }
    const std::vector<Result<cluster::CreatedTopic>> created =
        co_await administration_.create_topics(std::move(topics), request.validate_only);
    for (std::size_t i = 0; i < created.size(); ++i) {
      auto& answer = response.topics[places[i]];
      if (!created[i]) {
        refuse(answer, created[i].error());
        continue;
      }
      const cluster::CreatedTopic& topic = *created[i];
      if (!request.validate_only) answer.topic_id = topic.id;
      answer.num_partitions = topic.partitions;
      answer.replication_factor = topic.replication_factor;
      answer.configs.emplace();
      for (const cluster::DescribedConfig& config :
           cluster::describe_topic_config(view_.layers(), topic.configs)) {
        answer.configs->push_back({config.key, config.value, config.read_only,
                                   static_cast<std::int8_t>(config.source), config.sensitive});
      }
    }
    co_return response;
  }

  [[nodiscard]] std::uint64_t reply_bytes(const RequestContext& /*context*/,
                                          const CreateTopicsRequest& request) const override {
    constexpr std::uint64_t kSettings = 16UL * 1024;  // of one topic, described and encoded
    return request.topics.size() * kSettings;
  }

  static void refuse(CreateTopicsResponse::CreatableTopicResult& answer, const Error& error) {
    answer.error_code = wire(error.code);
    answer.error_message = error.context;
    answer.configs.reset();
  }

  ClusterView& view_;
  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_create_topics_handler(ClusterView& view, Administration& administration) {
  return std::make_unique<CreateTopicsHandler>(view, administration);
}

}  // namespace brook::broker

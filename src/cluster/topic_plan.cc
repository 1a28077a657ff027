#include "cluster/topic_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/placement.h"
#include "cluster/znode_codec.h"

namespace brook::cluster {
namespace {

constexpr std::size_t kNameLengthMax = 249;
/// Of one multi. ZooKeeper's limit is 1 MiB; its own framing and the fence need some of that.
constexpr std::size_t kChunkBytes = 512 * 1024;
constexpr std::size_t kChunkOperations = 2000;

std::string collision_key(std::string_view name) {
  std::string key(name);
  std::ranges::replace(key, '.', '_');
  return key;
}

Result<void> check_counts(std::optional<std::int32_t> partitions,
                          std::optional<std::int16_t> replication_factor) {
  if (partitions && *partitions <= 0) {
    return fail(ErrorCode::kInvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.");
  }
  if (replication_factor && *replication_factor <= 0) {
    return fail(ErrorCode::kInvalidReplicationFactor,
                "Replication factor was set to an invalid non-positive value.");
  }
  return {};
}

Result<void> check_manual(const MetadataImage& image, const NewTopic& request) {
  if (request.replication_factor) {
    return fail(ErrorCode::kInvalidRequest,
                "A manual partition assignment was specified, but replication factor was not set to -1.");
  }
  if (request.partitions) {
    return fail(ErrorCode::kInvalidRequest,
                "A manual partition assignment was specified, but numPartitions was not set to -1.");
  }
  std::int32_t expected = 0;
  std::size_t replicas = 0;
  for (const auto& [index, assigned] : request.assignments) {
    if (index != expected++) {
      return fail(ErrorCode::kInvalidReplicaAssignment,
                  "partitions should be a consecutive 0-based integer sequence");
    }
    BROOK_CHECK(check_replicas(image.brokers, assigned, replicas));
    replicas = assigned.size();
  }
  return {};
}

void set_replicas(TopicInfo& topic, std::vector<std::vector<BrokerId>> placed) {
  for (auto& replicas : placed) {
    PartitionInfo partition;
    partition.replicas = std::move(replicas);
    topic.partitions.push_back(std::move(partition));
  }
}

}  // namespace

Result<void> check_topic_name(std::string_view name) {
  const auto invalid = [](std::string why) {
    return fail(ErrorCode::kInvalidTopicException, fmt::format("Topic name is invalid: {}", why));
  };
  if (name.empty()) return invalid("the empty string is not allowed");
  if (name == "." || name == "..") return invalid(fmt::format("'{}' is not allowed", name));
  if (name.size() > kNameLengthMax) {
    return invalid(
        fmt::format("the length of '{}' is longer than the max allowed length {}", name, kNameLengthMax));
  }
  const bool legal = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (!legal) {
    return invalid(fmt::format(
        "'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name));
  }
  return {};
}

std::optional<std::string> colliding_topic(const MetadataImage& image, std::string_view name) {
  // Names without either character collide with none.
  if (name.find_first_of("._") == std::string_view::npos) return std::nullopt;
  const std::string key = collision_key(name);
  std::optional<std::string> found;
  image.topics.for_each([&](const TopicPtr& topic) {
    if (topic->name.size() == name.size() && topic->name != name && collision_key(topic->name) == key)
      found = topic->name;
  });
  return found;
}

Result<TopicInfo> plan_topic(const MetadataImage& image, const ConfigLayers& layers, const NewTopic& request,
                             TopicId id, std::uint64_t seed) {
  BROOK_CHECK(check_topic_name(request.name));
  if (image.topics.find(request.name)) {
    return fail(ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", request.name));
  }
  if (image.deleting.contains(request.name)) {
    return fail(ErrorCode::kTopicAlreadyExists,
                fmt::format("Topic '{}' is marked for deletion.", request.name));
  }
  if (const auto other = colliding_topic(image, request.name)) {
    return fail(ErrorCode::kInvalidTopicException,
                fmt::format("Topic '{}' collides with existing topic: {}", request.name, *other));
  }
  BROOK_CHECK(check_config(layers, {ConfigEntity::kTopic, request.name}, request.configs));
  TopicInfo topic;
  topic.name = request.name;
  topic.id = id;
  topic.configs = request.configs;
  if (!request.assignments.empty()) {
    BROOK_CHECK(check_manual(image, request));
    std::vector<std::vector<BrokerId>> placed;
    for (const auto& [index, replicas] : request.assignments) placed.push_back(replicas);
    set_replicas(topic, std::move(placed));
    return topic;
  }
  BROOK_CHECK(check_counts(request.partitions, request.replication_factor));
  const auto by_default = [&](std::string_view key) {
    return static_cast<std::int32_t>(effective_broker_value(layers, key).number);
  };
  const std::int32_t partitions = request.partitions.value_or(by_default("num.partitions"));
  const std::int32_t replicas =
      request.replication_factor ? *request.replication_factor : by_default("default.replication.factor");
  BROOK_TRY(auto placed, place_replicas(image.brokers, 0, partitions, replicas, seed));
  set_replicas(topic, std::move(placed));
  return topic;
}

Result<std::vector<std::vector<BrokerId>>> plan_partitions(const MetadataImage& image,
                                                           const NewPartitions& request, std::uint64_t seed) {
  const TopicPtr topic = image.topics.find(request.topic);
  if (!topic)
    return fail(ErrorCode::kUnknownTopicOrPartition,
                fmt::format("The topic '{}' does not exist.", request.topic));
  const auto present = static_cast<std::int32_t>(topic->partitions.size());
  if (request.count == present)
    return fail(ErrorCode::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", present));
  if (request.count < present) {
    return fail(ErrorCode::kInvalidPartitions,
                fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                            request.topic, present, request.count));
  }
  const std::int32_t added = request.count - present;
  const std::size_t replicas = topic->partitions.front().replicas.size();
  if (request.assignments.empty()) {
    return place_replicas(image.brokers, present, added, static_cast<std::int32_t>(replicas), seed);
  }
  if (request.assignments.size() != static_cast<std::size_t>(added)) {
    return fail(
        ErrorCode::kInvalidReplicaAssignment,
        fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                    added, request.assignments.size()));
  }
  for (const auto& assigned : request.assignments)
    BROOK_CHECK(check_replicas(image.brokers, assigned, replicas));
  return request.assignments;
}

std::vector<keeper::Operation> partition_operations(const MetadataImage& image, const TopicInfo& topic,
                                                    std::size_t first, ControllerEpoch epoch) {
  std::vector<keeper::Operation> operations;
  for (std::size_t i = first; i < topic.partitions.size(); ++i) {
    const std::vector<BrokerId>& replicas = topic.partitions[i].replicas;
    PartitionStateZnode state{std::nullopt, LeaderEpoch(0), epoch, {}};
    // As in Kafka, a new partition's in-sync replicas are those that live; where none does, the first replica
    // is waited for.
    std::ranges::copy_if(replicas, std::back_inserter(state.isr),
                         [&](BrokerId id) { return image.brokers.contains(id); });
    if (state.isr.empty()) {
      state.isr.push_back(replicas.front());
    } else {
      state.leader = state.isr.front();
    }
    const auto index = static_cast<std::int32_t>(i);
    operations.push_back(keeper::CreateOp{partition_path(topic.name, index), ""});
    operations.push_back(
        keeper::CreateOp{partition_state_path(topic.name, index), encode_partition_state(state)});
  }
  return operations;
}

std::vector<keeper::Operation> creation_operations(const MetadataImage& image, const TopicInfo& topic,
                                                   ControllerEpoch epoch) {
  std::vector<keeper::Operation> operations;
  operations.push_back(
      keeper::CreateOp{config_path({ConfigEntity::kTopic, topic.name}), encode_config(topic.configs)});
  operations.push_back(keeper::CreateOp{topic_path(topic.name), encode_topic({topic.id, topic.partitions})});
  operations.push_back(keeper::CreateOp{partitions_path(topic.name), ""});
  std::ranges::move(partition_operations(image, topic, 0, epoch), std::back_inserter(operations));
  return operations;
}

std::vector<keeper::Operation> removal_operations(const TopicInfo& topic) {
  std::vector<keeper::Operation> operations;
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto index = static_cast<std::int32_t>(i);
    operations.push_back(keeper::RemoveOp{partition_state_path(topic.name, index), {}});
    operations.push_back(keeper::RemoveOp{partition_path(topic.name, index), {}});
  }
  operations.push_back(keeper::RemoveOp{partitions_path(topic.name), {}});
  operations.push_back(keeper::RemoveOp{topic_path(topic.name), {}});
  operations.push_back(keeper::RemoveOp{config_path({ConfigEntity::kTopic, topic.name}), {}});
  return operations;
}

std::vector<std::vector<keeper::Operation>> into_chunks(std::vector<keeper::Operation> operations) {
  std::vector<std::vector<keeper::Operation>> chunks;
  std::size_t bytes = kChunkBytes + 1;
  for (keeper::Operation& operation : operations) {
    const std::size_t size = std::visit(
        [](const auto& op) {
          if constexpr (requires { op.data; }) return op.path.size() + op.data.size();
          return op.path.size();
        },
        operation);
    if (chunks.empty() || bytes + size > kChunkBytes || chunks.back().size() >= kChunkOperations) {
      chunks.emplace_back();
      bytes = 0;
    }
    bytes += size;
    chunks.back().push_back(std::move(operation));
  }
  return chunks;
}

}  // namespace brook::cluster

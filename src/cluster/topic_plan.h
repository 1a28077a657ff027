#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/config.h"
#include "cluster/controller.h"
#include "cluster/metadata_image.h"
#include "keeper/client.h"

/// What the controller decides, without doing it: pure functions from (image, request) to what is to be
/// written, or the refusal.
namespace brook::cluster {

/// Kafka refuses requests that make more.
inline constexpr std::int32_t kPartitionsPerRequestMax = 10000;

/// A topic as it is to be; its partitions have replicas only.
[[nodiscard]] Result<TopicInfo> plan_topic(const MetadataImage& image, const ConfigLayers& layers,
                                           const NewTopic& request, TopicId id, std::uint64_t seed);
/// The replicas of the partitions to be added.
[[nodiscard]] Result<std::vector<std::vector<BrokerId>>> plan_partitions(const MetadataImage& image,
                                                                         const NewPartitions& request,
                                                                         std::uint64_t seed);

/// The znodes of new partitions from index `first` on, led by their first live replica.
[[nodiscard]] std::vector<keeper::Operation> partition_operations(const MetadataImage& image,
                                                                  const TopicInfo& topic, std::size_t first,
                                                                  ControllerEpoch epoch);
/// All znodes of a topic: configuration, assignment, partitions.
[[nodiscard]] std::vector<keeper::Operation> creation_operations(const MetadataImage& image,
                                                                 const TopicInfo& topic,
                                                                 ControllerEpoch epoch);
/// Removes all that creation_operations() makes, children first.
[[nodiscard]] std::vector<keeper::Operation> removal_operations(const TopicInfo& topic);

/// Cuts operations into multis that fit, in order.
[[nodiscard]] std::vector<std::vector<keeper::Operation>> into_chunks(
    std::vector<keeper::Operation> operations);

/// Another topic's name that differs in '.' and '_' only, which metrics could not tell apart.
[[nodiscard]] std::optional<std::string> colliding_topic(const MetadataImage& image, std::string_view name);

}  // namespace brook::cluster

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/ids.h"

namespace brook::coordinator {

struct TopicFacts {
  std::string_view name;  ///< lives until the facts change
  TopicId id;
  std::int32_t partitions = 0;
};

/// What one consumer or share group obeys: the broker's group.consumer.* or group.share.*, or its own
/// consumer.* or share.*.
struct GroupSettings {
  std::chrono::milliseconds session_timeout = std::chrono::seconds(45);
  std::chrono::milliseconds heartbeat_interval = std::chrono::seconds(5);
  std::chrono::milliseconds assignment_interval = std::chrono::seconds(1);
};

/// The same of a streams group: group.streams.* and streams.*.
struct StreamsSettings : GroupSettings {
  std::chrono::milliseconds initial_rebalance_delay = std::chrono::seconds(3);
  std::int32_t standbys = 0;  ///< copies of the state of each task
};

/// What groups see of the cluster around them. It changes between decisions, never within one. The
/// coordinator owns this port; the broker implements it over its metadata image. Runs on: the groups' shard.
class ClusterFacts {
 public:
  virtual ~ClusterFacts() = default;

  /// Another number whenever a topic came, went or grew.
  [[nodiscard]] virtual std::int64_t version() const = 0;
  [[nodiscard]] virtual std::optional<TopicFacts> topic(std::string_view name) const = 0;
  [[nodiscard]] virtual std::optional<TopicFacts> topic(const TopicId& id) const = 0;
  /// In no particular order.
  virtual void for_each_topic(const std::function<void(const TopicFacts&)>& visit) const = 0;
  [[nodiscard]] virtual GroupSettings settings_of(std::string_view group) const = 0;
  [[nodiscard]] virtual GroupSettings share_settings_of(std::string_view group) const = 0;
  [[nodiscard]] virtual StreamsSettings streams_settings_of(std::string_view group) const = 0;
};

}  // namespace brook::coordinator

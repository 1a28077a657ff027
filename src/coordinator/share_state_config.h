#pragma once

#include <chrono>
#include <cstdint>

namespace brook::coordinator {

/// The broker's settings that share groups' states obey.
struct ShareStateConfig {
  /// share.coordinator.snapshot.update.records.per.snapshot
  std::int32_t updates_per_snapshot = 500;
  /// How often the log is cut, and how old a snapshot is before it is written anew for that. Kafka's two
  /// settings of these are internal and have the same default.
  std::chrono::milliseconds house_interval = std::chrono::minutes(5);
};

}  // namespace brook::coordinator

#pragma once

#include <chrono>
#include <cstddef>

#include "coordinator/consumer_assignor.h"

namespace brook::coordinator {

/// The broker's settings that groups and their offsets obey.
struct GroupConfig {
  std::chrono::milliseconds session_timeout_min{6000};      ///< group.min.session.timeout.ms
  std::chrono::milliseconds session_timeout_max{1800000};   ///< group.max.session.timeout.ms
  std::chrono::milliseconds initial_rebalance_delay{3000};  ///< group.initial.rebalance.delay.ms
  std::size_t members_max = 2147483647;                     ///< group.max.size
  std::size_t metadata_chars_max = 4096;  ///< offset.metadata.max.bytes, which Kafka counts in characters
  std::chrono::milliseconds offsets_retention = std::chrono::hours(168);  ///< offsets.retention.minutes
  std::chrono::milliseconds retention_check_interval =
      std::chrono::minutes(10);   ///< offsets.retention.check.interval.ms
  bool consumer_protocol = true;  ///< group.coordinator.rebalance.protocols
  bool streams_protocol = true;
  std::size_t consumer_members_max = 2147483647;  ///< group.consumer.max.size
  AssignorChoice consumer_assignors{};            ///< group.consumer.assignors
  bool consumer_upgrade = true;                   ///< group.consumer.migration.policy
  bool consumer_downgrade = true;
  std::size_t share_members_max = 200;           ///< group.share.max.size
  std::size_t streams_members_max = 2147483647;  ///< group.streams.max.size
};

}  // namespace brook::coordinator

#pragma once

#include <array>

#include "base/metrics.h"
#include "coordinator/classic_group.h"
#include "coordinator/consumer_group.h"
#include "coordinator/effects.h"
#include "coordinator/share_group.h"
#include "coordinator/streams_group.h"

namespace brook::coordinator {

/// What is counted of groups, over all shards. Any thread.
class GroupMetrics {
 public:
  explicit GroupMetrics(MetricRegistry& registry);

  std::array<Gauge*, ClassicGroup::kStates> groups{};  ///< by state
  std::array<Gauge*, ConsumerGroup::kStates> consumer_groups{};
  std::array<Gauge*, ShareGroup::kStates> share_groups{};
  std::array<Gauge*, StreamsGroup::kStates> streams_groups{};
  std::array<Counter*, kRebalanceCauses> rebalances{};  ///< by cause
  Counter& generations;
  Counter& commits;
  Counter& expired_offsets;
};

}  // namespace brook::coordinator

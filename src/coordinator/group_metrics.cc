#include "coordinator/group_metrics.h"

#include <string>

namespace brook::coordinator {

GroupMetrics::GroupMetrics(MetricRegistry& registry)
    : generations(
          registry.counter("brook_group_generations_total", "Rebalances that ended with an assignment.")),
      commits(registry.counter("brook_offset_commits_total", "Offsets committed, one for each partition.")),
      expired_offsets(registry.counter("brook_offsets_expired_total",
                                       "Committed offsets that offsets.retention.minutes removed.")) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto state = ClassicGroup::state_name(static_cast<ClassicGroup::State>(i));
    groups.at(i) = &registry.gauge("brook_groups", "Groups by state.",
                                   {{"state", std::string(state)}, {"type", "classic"}});
  }
  for (std::size_t i = 0; i < consumer_groups.size(); ++i) {
    const auto state = ConsumerGroup::state_name(static_cast<ConsumerGroup::State>(i));
    consumer_groups.at(i) = &registry.gauge("brook_groups", "Groups by state.",
                                            {{"state", std::string(state)}, {"type", "consumer"}});
  }
  for (std::size_t i = 0; i < share_groups.size(); ++i) {
    const auto state = ShareGroup::state_name(static_cast<ShareGroup::State>(i));
    share_groups.at(i) = &registry.gauge("brook_groups", "Groups by state.",
                                         {{"state", std::string(state)}, {"type", "share"}});
  }
  for (std::size_t i = 0; i < streams_groups.size(); ++i) {
    const auto state = StreamsGroup::state_name(static_cast<StreamsGroup::State>(i));
    streams_groups.at(i) = &registry.gauge("brook_groups", "Groups by state.",
                                           {{"state", std::string(state)}, {"type", "streams"}});
  }
  for (std::size_t i = 0; i < rebalances.size(); ++i) {
    const auto cause = rebalance_cause_name(static_cast<RebalanceCause>(i));
    rebalances.at(i) =
        &registry.counter("brook_group_rebalances_total", "Rebalances begun, by what caused them.",
                          {{"cause", std::string(cause)}});
  }
}

}  // namespace brook::coordinator

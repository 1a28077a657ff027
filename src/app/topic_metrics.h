#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "broker/broker_metrics.h"
#include "broker/cluster_view.h"
#include "broker/topic_traffic.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::app {

/// The metrics that have a topic's name, brought together from all shards when somebody reads them.
///
/// A series costs whoever keeps it: with more than kTopicsMax topics, the first by name have series of their
/// own and the others are summed under the topic "(others)", which no topic can be called. Partitions have no
/// series: DescribeLogDirs tells their sizes. Runs on: the shard that renders the registry.
class TopicMetrics {
 public:
  static constexpr std::size_t kTopicsMax = 1000;

  /// What it reads on one shard; all outlive it.
  struct Source {
    runtime::Shard* shard;
    broker::ClusterView* view;
    broker::TopicTraffic* traffic;
    replica::ReplicaSet* replicas;
  };

  /// Declares the metrics. `registry` is rendered no longer than this lives.
  TopicMetrics(MetricRegistry& registry, broker::BrokerMetrics& metrics, std::vector<Source> sources);

  /// Reads all shards, one after another; what render() tells afterwards.
  [[nodiscard]] Task<void> gather();

 private:
  struct Topic {
    broker::TopicFigures traffic;
    std::uint64_t log_bytes = 0;
    std::size_t partitions = 0;
  };
  using Topics = std::map<std::string, Topic>;

  [[nodiscard]] static Topics read(const Source& source);
  static void add(Topics& all, const std::string& name, const Topic& more);
  template <class Figure>
  [[nodiscard]] std::vector<MetricSample> samples(Figure figure) const;

  broker::BrokerMetrics& metrics_;
  std::vector<Source> sources_;
  Topics topics_;  ///< at most kTopicsMax and the others
};

}  // namespace brook::app

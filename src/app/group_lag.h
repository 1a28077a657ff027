#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "broker/cluster_view.h"
#include "coordinator/group_coordinator.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::app {

/// How far groups of consumers are behind, in records and in seconds, brought together from all shards when
/// somebody reads the metrics: of the groups that this broker coordinates and the partitions that it leads.
///
/// The lag counts to the last stable offset: what an open transaction holds back nobody can read yet, and is
/// no lag. A reader of uncommitted records that is beyond it has none.
///
/// Bounds: at most kOffsetsMax committed offsets are looked at, the first by partition of __consumer_offsets,
/// group, topic and partition; where there are more, brook_group_lag_incomplete is 1. The first kSeriesMax of
/// these have series of their own, the others are summed, without a time. Shards are asked about one
/// partition of __consumer_offsets, and about the ends of kChunk partitions, at a time, so that nobody waits
/// long for it; the time of the first unread record is looked up where the offset has changed since the last
/// time. Runs on: the shard that renders the registry.
class GroupLag {
 public:
  static constexpr std::size_t kOffsetsMax = 20'000;
  static constexpr std::size_t kSeriesMax = 2'000;
  static constexpr std::size_t kChunk = 64;

  /// What it reads on one shard; all outlive it.
  struct Source {
    runtime::Shard* shard;
    coordinator::GroupCoordinator* groups;
    replica::ReplicaSet* replicas;
  };

  /// Declares the metrics. `registry` is rendered no longer than this lives; `view` is this shard's.
  GroupLag(MetricRegistry& registry, broker::ClusterView& view, std::vector<Source> sources);

  /// Reads all shards, one after another; what render() tells afterwards.
  [[nodiscard]] Task<void> gather();

 private:
  struct Key {
    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Item {
    Key key;
    TopicIdPartition id;
    Offset committed;
    bool timed = false;                ///< it has a series of its own
    std::optional<Timestamp> written;  ///< the first unread record; from the last time or looked up
    std::optional<std::int64_t> lag;   ///< nothing where the partition is not led here
  };
  struct Committed {
    Key key;
    Offset offset;
  };
  /// What one partition of __consumer_offsets has; no index where there is none behind the last.
  struct Look {
    std::optional<PartitionIndex> index;
    std::vector<Committed> committed;
  };

  /// Looks at the first partition behind `last`, for up to `max` offsets.
  [[nodiscard]] static Task<Look> look(coordinator::GroupCoordinator& groups,
                                       std::optional<PartitionIndex> last, std::size_t max);
  /// Up to kOffsetsMax of them; true where there are more.
  [[nodiscard]] Task<bool> collect(std::vector<Committed>& committed);
  [[nodiscard]] std::vector<Item> items_of(const std::vector<Committed>& committed) const;
  /// Both outlive the task.
  [[nodiscard]] static Task<bool> measure(replica::ReplicaSet& replicas, std::vector<Item*> items);
  [[nodiscard]] static MetricLabels labels_of(const Key& key);
  [[nodiscard]] std::vector<MetricSample> records() const;
  [[nodiscard]] std::vector<MetricSample> seconds() const;

  broker::ClusterView& view_;
  std::vector<Source> sources_;
  Gauge& incomplete_;
  std::map<Key, Item> own_;             ///< at most kSeriesMax
  std::optional<std::int64_t> others_;  ///< the sum of the others' lag
  Timestamp gathered_;
};

}  // namespace brook::app

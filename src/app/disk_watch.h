#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "base/metrics.h"
#include "broker/cluster_view.h"
#include "replica/log_directories.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::app {

struct DiskWatchOptions {
  std::uint64_t min_free_bytes = 0;
  std::uint64_t reserve_bytes = 0;
};

/// Looks every second whether the disks of the log directories work and have room: closes the partitions of
/// one that fails, and tells every shard which partitions can't be served. Runs on: shard 0.
class DiskWatch {
 public:
  /// What it changes on one shard; all outlive it.
  struct Target {
    runtime::Shard* shard;
    broker::ClusterView* view;
    replica::ReplicaSet* replicas;
  };

  /// `registry` is rendered no longer than `directories` live.
  DiskWatch(runtime::Shard& shard, replica::LogDirectories& directories, std::vector<Target> targets,
            DiskWatchOptions options, MetricRegistry& registry);

  /// Until stop().
  [[nodiscard]] Task<void> run();
  [[nodiscard]] Task<void> stop();
  [[nodiscard]] Task<void> look();

 private:
  [[nodiscard]] Task<void> take_offline(const replica::DirectoryHealth& health);
  [[nodiscard]] Task<void> tell_offline_partitions();
  void look_at_room(replica::OpenLogDirectory& entry, std::uint64_t free) const;
  [[nodiscard]] Task<void> keep_reserve(const replica::OpenLogDirectory& entry, std::uint64_t free);

  runtime::Shard& shard_;
  replica::LogDirectories& directories_;
  std::vector<Target> targets_;
  DiskWatchOptions options_;
  std::vector<bool> known_offline_;                               ///< as LogDirectories::healths()
  std::size_t told_offline_ = 0;                                  ///< partitions
  std::set<const replica::OpenLogDirectory*> asked_for_reserve_;  ///< once each
  runtime::Signal stopped_;
  bool stopping_ = false;
  bool running_ = false;
};

}  // namespace brook::app

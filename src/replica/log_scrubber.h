#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "replica/log_scrubber_metrics.h"
#include "replica/partition.h"
#include "replica/partition_pace.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::replica {

/// Reads the sealed segments of one shard's partitions again, slowly, so that what a disk has lost is found
/// before the last good copy of it is gone. The partition whose scrub is longest ago comes first; each at
/// most once a day, however small the logs are. What is damaged the log no longer serves (Log::scrub). Of the
/// times nothing is kept: after a start it begins anywhere. Runs on: its shard.
class LogScrubber {
 public:
  /// All outlive it. Each of `shard_count` shards has an equal part of brook.log.scrub.bytes.per.second.
  LogScrubber(runtime::Shard& shard, ReplicaSet& replicas, std::size_t shard_count,
              LogScrubberMetrics& metrics);

  /// Until stop(). `replicas` has its first image.
  [[nodiscard]] Task<void> run();
  void stop() { stop_.stop(); }

 private:
  class Pace;

  /// This shard's, in force now; 0 where scrubs are off.
  [[nodiscard]] double bytes_per_second() const;
  /// Those whose time has come, in their order.
  [[nodiscard]] std::vector<TopicIdPartition> due();
  [[nodiscard]] Task<void> scrub(std::shared_ptr<Partition> partition);
  void note_unreadable(const Partition& partition, const Error& error);

  runtime::Shard& shard_;
  ReplicaSet& replicas_;
  std::size_t shard_count_;
  LogScrubberMetrics& metrics_;
  std::unordered_map<TopicIdPartition, runtime::Instant> scrubbed_;  ///< when each was, since the start
  WorkStop stop_;
};

}  // namespace brook::replica

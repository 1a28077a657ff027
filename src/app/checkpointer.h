#pragma once

#include <chrono>
#include <vector>

#include "broker/partition_router.h"
#include "replica/log_directories.h"
#include "runtime/signal.h"

namespace brook::app {

/// Keeps the checkpoint files of the log directories. Runs on: shard 0.
class Checkpointer {
 public:
  Checkpointer(runtime::Shard& shard, broker::PartitionRouter& router, replica::LogDirectories& directories,
               std::chrono::milliseconds interval);

  /// Until stop().
  [[nodiscard]] Task<void> run();
  [[nodiscard]] Task<void> stop();
  /// Syncs the file systems of logs that are not all on the disk, then writes recovery points, log start
  /// offsets, high watermarks and where compaction goes on, of all partitions: what a crash leaves to be read
  /// was written since.
  [[nodiscard]] Task<void> write();
  /// Partitions that should be here and can't be served: of them write() leaves what the start found.
  [[nodiscard]] Task<std::vector<TopicPartition>> unopened();

 private:
  [[nodiscard]] Task<void> sync();

  runtime::Shard& shard_;
  broker::PartitionRouter& router_;
  replica::LogDirectories& directories_;
  std::chrono::milliseconds interval_;
  runtime::Signal stopped_;
  bool stopping_ = false;
  bool running_ = false;
};

}  // namespace brook::app

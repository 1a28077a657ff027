#pragma once

#include <chrono>

#include "broker/partition_router.h"
#include "replica/log_directories.h"
#include "runtime/signal.h"

namespace brook::app {

struct CheckpointerOptions {
  std::chrono::milliseconds interval{60000};
  std::uint64_t min_free_bytes = 0;
};

/// The housekeeping of log directories: their checkpoint files, and whether their disks have room. Runs on:
/// shard 0.
class Checkpointer {
 public:
  Checkpointer(runtime::Shard& shard, broker::PartitionRouter& router, replica::LogDirectories& directories,
               CheckpointerOptions options);

  /// Until stop().
  [[nodiscard]] Task<void> run();
  [[nodiscard]] Task<void> stop();
  /// Writes recovery points, log start offsets, high watermarks and where compaction goes on, of all
  /// partitions.
  [[nodiscard]] Task<void> write();
  /// Refuses writes below brook.log.min.free.bytes and takes them again above it and a tenth more.
  [[nodiscard]] Task<void> watch_disks();

 private:
  runtime::Shard& shard_;
  broker::PartitionRouter& router_;
  replica::LogDirectories& directories_;
  CheckpointerOptions options_;
  runtime::Signal stopped_;
  bool stopping_ = false;
  bool running_ = false;
};

}  // namespace brook::app

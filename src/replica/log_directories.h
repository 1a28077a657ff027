#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "storage/checkpoints.h"
#include "storage/log.h"
#include "storage/log_directory.h"

namespace brook::replica {

/// One entry of log.dirs and what its checkpoints said at the start. Written at start-up; then only the
/// atomics change.
struct OpenLogDirectory {
  std::unique_ptr<storage::LogDirectory> directory;
  storage::OffsetCheckpoint recovery_points;
  storage::OffsetCheckpoint log_start_offsets;
  storage::OffsetCheckpoint first_dirty_offsets;
  bool clean_shutdown = false;
  /// Below brook.log.min.free.bytes: writes are refused until there is room again.
  std::atomic<bool> full{false};
  std::atomic<std::size_t> partition_count{0};
};

/// The log.dirs of this broker, locked. Runs on: startup; then any shard reads it.
class LogDirectories {
 public:
  /// Takes every directory's lock. KAFKA_STORAGE_ERROR: in use by another process, not writable.
  [[nodiscard]] static Result<std::unique_ptr<LogDirectories>> open(runtime::FileSystem& files,
                                                                    const std::vector<std::string>& paths);
  /// The cluster that the data belongs to; nothing where no directory was ever used.
  [[nodiscard]] Result<std::optional<std::string>> cluster_id() const;
  /// Writes or checks meta.properties, reads the checkpoints, removes the clean-shutdown marks.
  [[nodiscard]] Result<void> claim(std::string_view cluster_id, BrokerId node,
                                   const std::vector<Uuid>& fresh_directory_ids);

  [[nodiscard]] const std::vector<std::unique_ptr<OpenLogDirectory>>& all() const { return directories_; }
  /// The directory that has the partition already, else the one with the fewest partitions.
  [[nodiscard]] OpenLogDirectory& place(const TopicPartition& partition);

 private:
  explicit LogDirectories(runtime::FileSystem& files) : files_(files) {}

  runtime::FileSystem& files_;
  std::vector<std::unique_ptr<OpenLogDirectory>> directories_;
};

}  // namespace brook::replica

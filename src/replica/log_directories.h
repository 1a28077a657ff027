#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "replica/directory_health.h"
#include "replica/known_directories.h"
#include "runtime/file.h"
#include "storage/checkpoints.h"
#include "storage/log.h"
#include "storage/log_directory.h"

namespace brook::replica {

/// What a directory's disk has room for.
enum class Room {
  kEnough,
  kState,  ///< below brook.log.min.free.bytes: what coordinators write, and no records of clients
  kNone,   ///< below a quarter of that
};

/// One entry of log.dirs and what its checkpoints said at the start. Written at start-up; then only the
/// atomics change.
struct OpenLogDirectory {
  std::unique_ptr<storage::LogDirectory> directory;
  DirectoryHealth* health = nullptr;
  storage::OffsetCheckpoint recovery_points;
  storage::OffsetCheckpoint log_start_offsets;
  storage::OffsetCheckpoint first_dirty_offsets;
  bool clean_shutdown = false;
  bool cache_survived = false;  ///< as storage::OpenHints::cache_survived
  std::atomic<Room> room{Room::kEnough};
  std::atomic<std::size_t> partition_count{0};
};

/// The log.dirs of this broker, locked. One whose disk fails is offline from then on; the rest serve. Runs
/// on: startup; then any shard reads it.
class LogDirectories {
 public:
  /// Takes every directory's lock. One whose disk fails stays away, unless it is the first, which holds the
  /// cluster's metadata. KAFKA_STORAGE_ERROR: that, or in use by another process. `files` tells it of failing
  /// disks from then on, and outlives it.
  [[nodiscard]] static Result<std::unique_ptr<LogDirectories>> open(runtime::FileSystem& files,
                                                                    const std::vector<std::string>& paths);
  ~LogDirectories();
  LogDirectories(const LogDirectories&) = delete;
  LogDirectories& operator=(const LogDirectories&) = delete;

  /// The cluster that the data belongs to; nothing where no directory was ever used. KAFKA_STORAGE_ERROR
  /// where the first was not, and another was.
  [[nodiscard]] Result<std::optional<std::string>> cluster_id() const;
  /// Writes or checks meta.properties, reads the checkpoints, removes the clean-shutdown marks. A directory
  /// that had data once and is empty stays away: its disk is not mounted.
  [[nodiscard]] Result<void> claim(std::string_view cluster_id, BrokerId node,
                                   const std::vector<Uuid>& fresh_directory_ids);

  /// LogDirectory::note_cache_life() of each.
  void note_cache_life();

  /// Those that could be opened; some may be offline since.
  [[nodiscard]] const std::vector<std::unique_ptr<OpenLogDirectory>>& all() const { return directories_; }
  /// Of all entries of log.dirs, in their order.
  [[nodiscard]] const std::vector<std::unique_ptr<DirectoryHealth>>& healths() const { return healths_; }
  [[nodiscard]] bool any_offline() const;
  /// What LogDirectory::partitions() lists; nothing where the disk fails.
  [[nodiscard]] Result<std::vector<storage::PartitionDirectory>> partitions_of(
      const OpenLogDirectory& entry) const;
  /// The directory that has the partition already, else the one with the most free space for each partition
  /// that it has. KAFKA_STORAGE_ERROR where none works; or where one is offline and the partition is not
  /// `is_new`, and may be there.
  [[nodiscard]] Result<OpenLogDirectory*> place(const TopicPartition& partition, bool is_new);

 private:
  explicit LogDirectories(runtime::FileSystem& files) : files_(files) {}

  [[nodiscard]] Result<Uuid> claim_one(OpenLogDirectory& entry, const KnownDirectories& known,
                                       std::string_view cluster_id, BrokerId node, const Uuid& fresh_id);
  void read_checkpoints(OpenLogDirectory& entry) const;
  /// True where the error came of a disk that fails, which leaves `entry` out and is said in the log.
  [[nodiscard]] bool passes_over(const DirectoryHealth& health, const Error& error) const;

  runtime::FileSystem& files_;
  std::vector<std::unique_ptr<DirectoryHealth>> healths_;
  std::vector<std::unique_ptr<OpenLogDirectory>> directories_;
};

}  // namespace brook::replica

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"

namespace brook::storage {

inline constexpr std::string_view kMetaPropertiesFile = "meta.properties";
inline constexpr std::string_view kCleanShutdownFile = ".kafka_cleanshutdown";
inline constexpr std::string_view kLockFile = ".lock";

/// What a directory of a log.dirs entry is, by its name's suffix.
enum class PartitionDirectoryKind { kCurrent, kDelete, kStray, kFuture };

struct PartitionDirectory {
  std::string name;  ///< below the log directory
  TopicPartition partition;
  PartitionDirectoryKind kind = PartitionDirectoryKind::kCurrent;
};

/// `topic-3`, `topic-3.<32 hex>-delete`, `-stray`, `-future`; nothing for any other name.
[[nodiscard]] std::optional<PartitionDirectory> parse_partition_directory(std::string_view name);
[[nodiscard]] std::string partition_directory_name(const TopicPartition& partition);
/// The name to rename a directory to; as Kafka does, a name of more than 255 characters loses the end of its
/// topic. `unique` makes it so.
[[nodiscard]] std::string partition_directory_name(const TopicPartition& partition,
                                                   PartitionDirectoryKind kind, const Uuid& unique);

/// meta.properties. Version 1 has all three; version 0 (of the ZooKeeper days) may lack the directory id.
struct MetaProperties {
  int version = 1;
  std::string cluster_id;
  BrokerId node_id;
  std::optional<Uuid> directory_id;

  friend bool operator==(const MetaProperties&, const MetaProperties&) = default;
};
[[nodiscard]] std::string meta_properties_text(const MetaProperties& properties);
[[nodiscard]] Result<MetaProperties> parse_meta_properties(std::string_view text, std::string_view path);

/// The page cache is still the one of which LogDirectory::note_cache_life() spoke last in this directory.
[[nodiscard]] bool page_cache_survived(runtime::FileSystem& files, const std::string& log_directory);

/// One entry of log.dirs, locked for this object's life. Runs on: startup and the shard that does the
/// directory's housekeeping.
class LogDirectory {
 public:
  /// Creates the directory where it is absent and takes its lock. Errors: KAFKA_STORAGE_ERROR, another
  /// process holds it among them.
  [[nodiscard]] static Result<std::unique_ptr<LogDirectory>> open(runtime::FileSystem& files,
                                                                  std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(const PartitionDirectory& directory) const {
    return path_ + "/" + directory.name;
  }
  [[nodiscard]] std::string path_of(const TopicPartition& partition) const;
  [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Nothing for a directory that was never formatted.
  [[nodiscard]] Result<std::optional<MetaProperties>> meta_properties() const;
  [[nodiscard]] Result<void> write_meta_properties(const MetaProperties& properties);
  /// Writes meta.properties where there is none (with `fresh_directory_id`), adds a missing directory id, and
  /// refuses another cluster's or node's data with INCONSISTENT_CLUSTER_ID or KAFKA_STORAGE_ERROR, naming
  /// both. Returns the directory's id.
  [[nodiscard]] Result<Uuid> claim(std::string_view cluster_id, BrokerId node_id,
                                   const Uuid& fresh_directory_id);

  /// The broker epoch in .kafka_cleanshutdown (-1 where the file has none); nothing where the last stop was
  /// not clean.
  [[nodiscard]] std::optional<std::int64_t> clean_shutdown() const;
  [[nodiscard]] Result<void> write_clean_shutdown(std::int64_t broker_epoch);
  /// To be done before the first write of a start.
  [[nodiscard]] Result<void> remove_clean_shutdown();

  /// Every partition directory, in the order of names. Others are left out, with a line in the log.
  [[nodiscard]] Result<std::vector<PartitionDirectory>> partitions() const;
  /// Renames the partition's directory (to be removed by the caller with remove_tree after
  /// file.delete.delay.ms) and returns the new one. The log in it is closed.
  [[nodiscard]] Result<PartitionDirectory> rename_for(const TopicPartition& partition,
                                                      PartitionDirectoryKind kind, const Uuid& unique);

  /// page_cache_survived() of this directory.
  [[nodiscard]] bool cache_survived() const;
  /// All logs of the directory have been opened: what a crash of the machine may have done to them is mended,
  /// and as long as the page cache lives none needs to look for it again.
  [[nodiscard]] Result<void> note_cache_life();

  /// Gives up the reserve where the disk has less room than that: a start on a full disk has something to
  /// write with.
  [[nodiscard]] Result<void> release_reserve();
  /// Keeps `bytes` of the disk for such a start, where they are not kept already.
  [[nodiscard]] Task<Result<void>> keep_reserve(std::uint64_t bytes);

 private:
  LogDirectory(runtime::FileSystem& files, std::string path, std::unique_ptr<runtime::FileLock> lock)
      : files_(files), path_(std::move(path)), lock_(std::move(lock)) {}

  [[nodiscard]] Result<std::uint64_t> reserved_bytes() const;

  runtime::FileSystem& files_;
  std::string path_;
  std::unique_ptr<runtime::FileLock> lock_;
};

}  // namespace brook::storage

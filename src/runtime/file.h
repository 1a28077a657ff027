#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/task.h"

namespace brook::runtime {

enum class OpenMode {
  kRead,           ///< must exist
  kReadWrite,      ///< must exist
  kCreate,         ///< made where absent, kept where present
  kCreateOrEmpty,  ///< made where absent, emptied where present
};

/// One open file with positional access. Errors carry KAFKA_STORAGE_ERROR and name the path, the operation
/// and errno's text; a full disk too (`is_disk_full` in its context is not parsed: see
/// FileSystem::free_bytes). Runs on: one shard at a time.
class File {
 public:
  virtual ~File() = default;

  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  /// Gathers `parts` at `offset` in one system call where possible; all or an error (what a failed write left
  /// behind is the caller's to truncate). Goes to the page cache and does not wait for the disk, so it is
  /// called on the shard.
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) = 0;
  /// Reads up to to.size() bytes, fewer only at the end of the file. Served on the shard from the page cache,
  /// else by the file pool.
  [[nodiscard]] virtual Task<Result<std::size_t>> read_at(std::uint64_t offset, MutableBytes to) = 0;
  /// The same without leaving the shard: may block on the disk. For start-up and small metadata files.
  [[nodiscard]] virtual Result<std::size_t> read_at_blocking(std::uint64_t offset, MutableBytes to) = 0;
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size) = 0;
  /// The file has `size` bytes then, and the disk the room for them. May take as long as writing them.
  [[nodiscard]] virtual Task<Result<void>> allocate(std::uint64_t size) = 0;
  /// fdatasync on the file pool.
  [[nodiscard]] virtual Task<Result<void>> sync() = 0;
  [[nodiscard]] virtual Result<void> sync_blocking() = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

/// Holds an exclusive lock for its life.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// The path of an operation that a failing disk ended, and its error's context.
using DiskErrorObserver = std::function<void(const std::string& path, const std::string& why)>;

/// The file system. Tasks run on the file pool unless they say where, all else on the calling thread.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// The same on the file pool: to make a file takes some hundred microseconds where many were removed.
  [[nodiscard]] virtual Task<Result<std::unique_ptr<File>>> open_on_pool(std::string path, OpenMode mode) = 0;
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> create_directories(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// A missing file is no error. Slow for a large file, whose pages and blocks are given back meanwhile.
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
  /// A file, or a directory and what is in it. In the background: see run_in_background().
  [[nodiscard]] virtual Task<Result<void>> remove_tree(const std::string& path) = 0;
  /// Waits for the disk: start and stop only.
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;
  [[nodiscard]] virtual Task<Result<void>> sync_directory_on_pool(std::string path) = 0;
  [[nodiscard]] virtual Result<std::string> read_whole(const std::string& path) = 0;
  /// Writes `path`.tmp, syncs it, renames it over `path`, syncs the directory. Blocks for both syncs: start
  /// and stop only.
  [[nodiscard]] virtual Result<void> replace_whole(const std::string& path, std::string_view content) = 0;
  /// The same on the file pool.
  [[nodiscard]] virtual Task<Result<void>> replace_whole_on_pool(std::string path, std::string content) = 0;
  /// Writes `path`.tmp and renames it over `path`, and leaves both to the next sync of the file system: a
  /// power cut in between may leave `path` empty.
  [[nodiscard]] virtual Result<void> replace_whole_unsynced(const std::string& path,
                                                            std::string_view content) = 0;
  /// Makes durable all that was written to the file system that holds `path`, on the file pool: one call
  /// instead of several for each of thousands of files.
  [[nodiscard]] virtual Task<Result<void>> sync_file_system(std::string path) = 0;
  /// Calls `work` on a thread that gives way to all others: for long work over files, such as compaction.
  /// What it refers to stays alive until it has ended, and is left alone meanwhile.
  [[nodiscard]] virtual Task<void> run_in_background(std::move_only_function<void()> work) = 0;
  /// Names the life of the page cache: as long as it is the same, all that was written is there for who opens
  /// a file, synced or not, whatever became of the process that wrote it. Empty where that is not known.
  [[nodiscard]] virtual std::string cache_life() = 0;
  /// An error naming the holder's process id where it is known.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  /// Of the file system that holds `path`: what an ordinary user may still write, and its size.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> total_bytes(const std::string& path) = 0;
  /// Calls `observer` whenever a disk fails (EIO and its kin; not a full disk, and not a missing file), on
  /// the thread that meets it and before the operation ends. One for all shards, in place of the one before;
  /// an empty one takes it away.
  virtual void observe_disk_errors(DiskErrorObserver observer) = 0;
  /// How many files from open() are open now. Any thread.
  [[nodiscard]] virtual std::size_t open_files() const = 0;
  /// From how many on idle ones should be closed; what is left of the process's limit is for sockets.
  [[nodiscard]] virtual std::size_t open_files_max() const = 0;
};

}  // namespace brook::runtime

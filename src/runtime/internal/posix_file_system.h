#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/file.h"
#include "runtime/internal/disk_errors.h"
#include "runtime/internal/file_pool.h"

namespace brook::runtime::internal {

/// The machine's file system. All shards of a host share one, which keeps nothing but the number of open
/// files and who is told of failing disks. Runs on: any.
class PosixFileSystem final : public FileSystem {
 public:
  /// Raises the process's limit of open files as far as it may go.
  PosixFileSystem(FilePool& pool, FilePool& background);

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Task<Result<std::unique_ptr<File>>> open_on_pool(std::string path, OpenMode mode) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  [[nodiscard]] Result<void> create_directories(const std::string& path) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& path) override;
  [[nodiscard]] Task<Result<void>> remove_tree(const std::string& path) override;
  [[nodiscard]] Result<void> sync_directory(const std::string& path) override;
  [[nodiscard]] Task<Result<void>> sync_directory_on_pool(std::string path) override;
  [[nodiscard]] Result<std::string> read_whole(const std::string& path) override;
  [[nodiscard]] Result<void> replace_whole(const std::string& path, std::string_view content) override;
  [[nodiscard]] Task<Result<void>> replace_whole_on_pool(std::string path, std::string content) override;
  [[nodiscard]] Result<void> replace_whole_unsynced(const std::string& path,
                                                    std::string_view content) override;
  [[nodiscard]] Task<Result<void>> sync_file_system(std::string path) override;
  [[nodiscard]] Task<void> run_in_background(std::move_only_function<void()> work) override;
  [[nodiscard]] std::string cache_life() override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> total_bytes(const std::string& path) override;
  void observe_disk_errors(DiskErrorObserver observer) override { errors_->observe(std::move(observer)); }
  [[nodiscard]] std::size_t open_files() const override { return open_->load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t open_files_max() const override { return open_max_; }

 private:
  FilePool& pool_;
  FilePool& background_;
  std::shared_ptr<DiskErrors> errors_ = std::make_shared<DiskErrors>();  ///< the files have it too
  std::shared_ptr<std::atomic<std::size_t>> open_;  ///< shared with the files, which may live longer
  std::size_t open_max_;
};

}  // namespace brook::runtime::internal

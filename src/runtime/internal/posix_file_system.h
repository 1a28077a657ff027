#pragma once

#include "runtime/file.h"
#include "runtime/internal/file_pool.h"

namespace brook::runtime::internal {

/// The machine's file system. Stateless: all shards of a host share one. Runs on: any.
class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(FilePool& pool) : pool_(pool) {}

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  [[nodiscard]] bool exists(const std::string& path) override;
  [[nodiscard]] Result<void> create_directories(const std::string& path) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& path) override;
  [[nodiscard]] Task<Result<void>> remove_tree(const std::string& path) override;
  [[nodiscard]] Result<void> sync_directory(const std::string& path) override;
  [[nodiscard]] Result<std::string> read_whole(const std::string& path) override;
  [[nodiscard]] Result<void> replace_whole(const std::string& path, std::string_view content) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> total_bytes(const std::string& path) override;

 private:
  FilePool& pool_;
};

}  // namespace brook::runtime::internal

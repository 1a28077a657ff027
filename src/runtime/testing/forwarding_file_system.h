#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/file.h"

namespace brook::runtime::testing {

/// Hands every call to `real`, which outlives it: a fake overrides what it is about.
class ForwardingFileSystem : public FileSystem {
 public:
  explicit ForwardingFileSystem(FileSystem& real) : real_(real) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return real_.open(path, mode);
  }
  Task<Result<std::unique_ptr<File>>> open_on_pool(std::string path, OpenMode mode) override {
    co_return open(path, mode);
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    return real_.list(directory);
  }
  bool exists(const std::string& path) override { return real_.exists(path); }
  Result<void> create_directories(const std::string& path) override { return real_.create_directories(path); }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Task<Result<void>> remove_tree(const std::string& path) override { return real_.remove_tree(path); }
  Result<void> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  Task<Result<void>> sync_directory_on_pool(std::string path) override {
    return real_.sync_directory_on_pool(std::move(path));
  }
  Result<std::string> read_whole(const std::string& path) override { return real_.read_whole(path); }
  Result<void> replace_whole(const std::string& path, std::string_view content) override {
    return real_.replace_whole(path, content);
  }
  Task<Result<void>> replace_whole_on_pool(std::string path, std::string content) override {
    return real_.replace_whole_on_pool(std::move(path), std::move(content));
  }
  Result<void> replace_whole_unsynced(const std::string& path, std::string_view content) override {
    return real_.replace_whole_unsynced(path, content);
  }
  Task<Result<void>> sync_file_system(std::string path) override {
    return real_.sync_file_system(std::move(path));
  }
  Task<void> run_in_background(std::move_only_function<void()> work) override {
    return real_.run_in_background(std::move(work));
  }
  std::string cache_life() override { return real_.cache_life(); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return real_.lock(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return real_.free_bytes(path); }
  Result<std::uint64_t> total_bytes(const std::string& path) override { return real_.total_bytes(path); }
  void observe_disk_errors(DiskErrorObserver observer) override {
    real_.observe_disk_errors(std::move(observer));
  }
  [[nodiscard]] std::size_t open_files() const override { return real_.open_files(); }
  [[nodiscard]] std::size_t open_files_max() const override { return real_.open_files_max(); }

 protected:
  [[nodiscard]] FileSystem& real() { return real_; }

 private:
  FileSystem& real_;
};

}  // namespace brook::runtime::testing

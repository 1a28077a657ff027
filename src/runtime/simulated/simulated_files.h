#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/file.h"
#include "runtime/simulated/disk.h"
#include "runtime/simulated/life.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// A process's door to its machine's disk. Once the process is dead nothing succeeds. Runs on: the process's
/// shards.
class SimulatedFileSystem final : public FileSystem {
 public:
  /// From how many open files on a process closes idle ones: few, so that it does.
  static constexpr std::size_t kOpenFilesMax = 40;

  SimulatedFileSystem(World& world, Disk& disk, LifePtr life)
      : world_(world), disk_(disk), life_(std::move(life)) {}

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
  /// All of it in one turn, some time later.
  [[nodiscard]] Task<void> run_in_background(std::move_only_function<void()> work) override;
  [[nodiscard]] std::string cache_life() override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> total_bytes(const std::string& path) override;
  void observe_disk_errors(DiskErrorObserver observer) override { observer_ = std::move(observer); }
  [[nodiscard]] std::size_t open_files() const override { return *open_; }
  [[nodiscard]] std::size_t open_files_max() const override { return kOpenFilesMax; }

 private:
  class SimulatedFile;
  class SimulatedLock;

  [[nodiscard]] Result<void> check_alive() const;
  /// "Input/output error", which the observer is told of.
  [[nodiscard]] std::unexpected<Error> io_failed(std::string_view what, const std::string& path) const;
  /// One change of the disk, which may fail, or kill the process.
  [[nodiscard]] Result<void> change(std::string_view what, const std::string& path, double error,
                                    const std::function<void()>& partly, const std::function<void()>& wholly);
  [[nodiscard]] Result<void> change_entry(std::string_view what, const std::string& path,
                                          const std::function<void()>& wholly) {
    return change(what, path, disk_.faults.name_error, [] {}, wholly);
  }
  [[nodiscard]] Result<std::size_t> read(const DiskNode& node, const std::string& path, std::uint64_t offset,
                                         MutableBytes to, bool from_disk);
  /// The first `changed` changes of a file, or of a directory's entries.
  [[nodiscard]] Result<void> sync_data(const DiskNode::Ptr& node, const std::string& path,
                                       std::uint64_t changed);
  [[nodiscard]] Result<void> sync_entries(const DiskNode::Ptr& node, const std::string& path,
                                          std::uint64_t changed);
  [[nodiscard]] Result<void> remove_node(const std::string& path);
  [[nodiscard]] Result<void> remove_all(const std::string& path);
  [[nodiscard]] Result<void> write_draft(const std::string& draft, std::string_view content, bool durable);
  /// As long as a disk takes.
  [[nodiscard]] Duration delay();
  [[nodiscard]] Task<void> wait();

  World& world_;
  Disk& disk_;
  LifePtr life_;
  DiskErrorObserver observer_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
};

}  // namespace brook::runtime::simulated

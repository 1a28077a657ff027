#pragma once

#include <memory>
#include <string>

#include "runtime/file.h"
#include "runtime/internal/disk_errors.h"
#include "runtime/internal/file_pool.h"
#include "runtime/internal/owned_fd.h"

namespace brook::runtime::internal {

/// A file of the operating system. It must outlive the operations that wait on it, as must their buffers; the
/// descriptor stays open until the last of them has ended in any case.
class PosixFile final : public File {
 public:
  PosixFile(FilePool& pool, std::shared_ptr<DiskErrors> errors, std::string path,
            std::shared_ptr<const OwnedFd> fd);

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::uint64_t> size() const override;
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) override;
  [[nodiscard]] Task<Result<std::size_t>> read_at(std::uint64_t offset, MutableBytes to) override;
  [[nodiscard]] Result<std::size_t> read_at_blocking(std::uint64_t offset, MutableBytes to) override;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) override;
  [[nodiscard]] Task<Result<void>> allocate(std::uint64_t size) override;
  [[nodiscard]] Task<Result<void>> sync() override;
  [[nodiscard]] Result<void> sync_blocking() override;

  /// Ends when the range, of at most some MiB, was in the page cache a moment ago, so that sendfile() does
  /// not wait for the disk. An error where the file ends before `offset + size`.
  [[nodiscard]] Task<Result<void>> make_resident(std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] int fd() const { return fd_->get(); }

 private:
  FilePool& pool_;
  std::shared_ptr<DiskErrors> errors_;
  std::string path_;
  std::shared_ptr<const OwnedFd> fd_;
};

}  // namespace brook::runtime::internal

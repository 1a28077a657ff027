#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "runtime/testing/forwarding_file.h"
#include "runtime/testing/forwarding_file_system.h"

namespace brook::storage::testing {

/// The real file system until `changes_left` changes were made; from then on no change succeeds, as if the
/// process had died there. What was changed before is as another process would find it.
class DyingDisk final : public runtime::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  std::int64_t changes_left = INT64_MAX;
  [[nodiscard]] bool dead() const { return changes_left <= 0; }

  Result<std::unique_ptr<runtime::File>> open(const std::string& path, runtime::OpenMode mode) override {
    const bool makes = mode == runtime::OpenMode::kCreateOrEmpty ||
                       (mode == runtime::OpenMode::kCreate && !real().exists(path));
    if (makes) BROOK_CHECK(change());
    BROOK_TRY(auto file, real().open(path, mode));
    return std::unique_ptr<runtime::File>(std::make_unique<DyingFile>(*this, std::move(file)));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    BROOK_CHECK(change());
    return real().rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    if (!real().exists(path)) return {};
    BROOK_CHECK(change());
    return real().remove(path);
  }
  Task<Result<void>> remove_tree(const std::string& path) override {
    BROOK_CO_CHECK(change());
    Result<void> removed = co_await real().remove_tree(path);
    co_return removed;
  }
  Task<Result<void>> sync_directory_on_pool(std::string path) override {
    BROOK_CO_CHECK(change());
    Result<void> synced = co_await real().sync_directory_on_pool(std::move(path));
    co_return synced;
  }

 private:
  Result<void> change() {
    if (--changes_left > 0) return {};
    return fail(ErrorCode::kKafkaStorageError, "the process died");
  }

  class DyingFile final : public runtime::testing::ForwardingFile {
   public:
    DyingFile(DyingDisk& disk, std::unique_ptr<runtime::File> file)
        : ForwardingFile(std::move(file)), disk_(disk) {}
    Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
      BROOK_CHECK(disk_.change());
      return real().write_at(offset, parts);
    }
    Result<void> truncate(std::uint64_t size) override {
      BROOK_CHECK(disk_.change());
      return real().truncate(size);
    }
    Task<Result<void>> sync() override {
      BROOK_CO_CHECK(disk_.change());
      Result<void> synced = co_await real().sync();
      co_return synced;
    }

   private:
    DyingDisk& disk_;
  };
};

}  // namespace brook::storage::testing

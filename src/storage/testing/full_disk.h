#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "runtime/testing/forwarding_file.h"
#include "runtime/testing/forwarding_file_system.h"

namespace brook::storage::testing {

/// The real file system, on which writes begin to fail when `bytes_left` is used up: half of a failing
/// write's bytes arrive.
class FullDisk final : public runtime::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  std::uint64_t bytes_left = UINT64_MAX;

  Result<std::unique_ptr<runtime::File>> open(const std::string& path, runtime::OpenMode mode) override {
    BROOK_TRY(auto file, real().open(path, mode));
    return std::unique_ptr<runtime::File>(std::make_unique<LimitedFile>(*this, std::move(file)));
  }

 private:
  class LimitedFile final : public runtime::testing::ForwardingFile {
   public:
    LimitedFile(FullDisk& disk, std::unique_ptr<runtime::File> file)
        : ForwardingFile(std::move(file)), disk_(disk) {}
    Result<void> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
      std::uint64_t size = 0;
      for (const ByteView part : parts) size += part.size();
      if (size <= disk_.bytes_left) {
        disk_.bytes_left -= size;
        return real().write_at(offset, parts);
      }
      const ByteView half = parts.front().first(parts.front().size() / 2);
      BROOK_CHECK(real().write_at(offset, std::span(&half, 1)));
      return fail(ErrorCode::kKafkaStorageError, path() + ": write: no space left on device");
    }

   private:
    FullDisk& disk_;
  };
};

}  // namespace brook::storage::testing

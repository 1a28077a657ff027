#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "runtime/shard.h"
#include "runtime/signal.h"
#include "runtime/testing/forwarding_file.h"
#include "runtime/testing/forwarding_file_system.h"

namespace brook::broker::testing {

/// A shard's disk, whose reads wait while the test holds them, or fail. Runs on: its shard.
class HeldDisk final : public runtime::testing::ForwardingFileSystem {
 public:
  explicit HeldDisk(runtime::Shard& shard) : ForwardingFileSystem(shard.files()), released_(shard.clock()) {}

  Result<std::unique_ptr<runtime::File>> open(const std::string& path, runtime::OpenMode mode) override {
    BROOK_TRY(auto file, real().open(path, mode));
    return std::unique_ptr<runtime::File>(std::make_unique<HeldFile>(*this, std::move(file)));
  }
  void release() {
    hold = false;
    released_.notify_all();
  }

  bool hold = false;
  int reads_held = 0;
  int good_reads = INT_MAX;  ///< those behind them fail

 private:
  class HeldFile final : public runtime::testing::ForwardingFile {
   public:
    HeldFile(HeldDisk& disk, std::unique_ptr<runtime::File> file)
        : ForwardingFile(std::move(file)), disk_(disk) {}
    Task<Result<std::size_t>> read_at(std::uint64_t offset, MutableBytes to) override {
      if (disk_.hold) ++disk_.reads_held;
      while (disk_.hold) {
        [[maybe_unused]] const bool woken = co_await disk_.released_.wait_until(runtime::Instant::max());
      }
      if (disk_.good_reads == 0) co_return fail(ErrorCode::kKafkaStorageError, "a test says so");
      --disk_.good_reads;
      Result<std::size_t> got = co_await real().read_at(offset, to);
      co_return got;
    }

   private:
    HeldDisk& disk_;
  };

  runtime::Signal released_;
};

}  // namespace brook::broker::testing

#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/file.h"

namespace brook::runtime::internal {

/// Makes the errors of file operations, and tells an observer of those that mean a failing disk. Any thread.
class DiskErrors {
 public:
  void observe(DiskErrorObserver observer);
  /// "cannot <what>: <errno's text>", KAFKA_STORAGE_ERROR. `path` is what the disk was asked for.
  [[nodiscard]] std::unexpected<Error> fail(std::string_view what, const std::string& path, int error);

 private:
  std::mutex mutex_;
  DiskErrorObserver observer_;
};

}  // namespace brook::runtime::internal

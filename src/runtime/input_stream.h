#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/task.h"

namespace brook::runtime {

/// Bytes that come in order and may keep one waiting: what is piped or typed into the process. At most one
/// read at a time. Runs on: shard 0.
class InputStream {
 public:
  virtual ~InputStream() = default;
  /// What is there, at least one byte; 0 at the end, and after close().
  [[nodiscard]] virtual Task<Result<std::size_t>> read_some(MutableBytes to) = 0;
  /// A pending read ends with 0.
  virtual void close() = 0;
};

}  // namespace brook::runtime

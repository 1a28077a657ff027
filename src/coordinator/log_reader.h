#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "coordinator/log_port.h"
#include "record/batch.h"

namespace brook::coordinator {

/// Takes the records of an internal topic out of its batches, in the order in which they count: those of a
/// transaction when its marker commits it, and never when it aborts. One reader for one pass over a log.
class LogReader {
 public:
  /// The records that `batches` make final. A batch whose records can't be read is passed over, and counted.
  /// CORRUPT_MESSAGE where no batch begins.
  [[nodiscard]] Result<std::vector<EncodedRecord>> take(ByteView batches);
  [[nodiscard]] std::size_t unreadable_batches() const { return unreadable_batches_; }

 private:
  [[nodiscard]] Result<void> take(const record::BatchView& batch, std::vector<EncodedRecord>& into);

  std::size_t unreadable_batches_ = 0;
  std::map<ProducerId, std::vector<EncodedRecord>> open_;
};

}  // namespace brook::coordinator

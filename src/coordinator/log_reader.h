#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "coordinator/log_port.h"
#include "record/batch.h"

namespace brook::coordinator {

/// A record as it stands in the log.
struct LoggedRecord {
  Offset offset;
  EncodedRecord record;
  std::optional<ProducerId> transaction;  ///< whose; it counts once that is committed
};

/// The marker of a transaction.
struct LoggedEnd {
  ProducerId producer_id;
  bool commit = false;
};

using LogEntry = std::variant<LoggedRecord, LoggedEnd>;

/// Takes records and markers out of an internal topic's batches, in their order. One reader for one pass over
/// a log.
class LogReader {
 public:
  /// What is in `batches`. A batch whose records can't be read is passed over, and counted. CORRUPT_MESSAGE
  /// where no batch begins.
  [[nodiscard]] Result<std::vector<LogEntry>> take(ByteView batches);
  [[nodiscard]] std::size_t unreadable_batches() const { return unreadable_batches_; }

 private:
  std::size_t unreadable_batches_ = 0;
};

}  // namespace brook::coordinator

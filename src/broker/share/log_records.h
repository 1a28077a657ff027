#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "broker/share/dead_letters.h"

namespace brook::broker {

/// A record of a log, with bytes of its own.
struct LogRecord {
  Offset offset;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<DeadLetterHeader> headers;
};

struct LogRecords {
  std::vector<LogRecord> records;  ///< in order
  std::optional<Offset> last;      ///< of the whole batches that were there; nothing where there was none
};

/// The records of [first, last] in whole batches of a log. Those of a batch that cannot be read are missing.
[[nodiscard]] LogRecords log_records(ByteView bytes, Offset first, Offset last);

}  // namespace brook::broker

#pragma once

#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "protocol/types.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// A record of an internal topic as it goes into the log; without a value it is a tombstone.
struct EncodedRecord {
  protocol::Bytes key;
  std::optional<protocol::Bytes> value;

  friend bool operator==(const EncodedRecord&, const EncodedRecord&) = default;
};

/// Whole record batches, read back.
struct LogChunk {
  protocol::Bytes batches;
  /// Where to read on.
  Offset next;
};

/// The log of one partition of an internal topic, as a coordinator needs it. The coordinator owns this port;
/// the broker implements it over a replica. Runs on: the partition's shard.
class LogPort {
 public:
  virtual ~LogPort() = default;

  [[nodiscard]] virtual Offset start_offset() const = 0;
  /// Behind the last record that was appended.
  [[nodiscard]] virtual Offset end_offset() const = 0;
  /// Appends `records`, at least one, as one batch: all or none of them. NOT_LEADER_OR_FOLLOWER,
  /// KAFKA_STORAGE_ERROR, MESSAGE_TOO_LARGE.
  [[nodiscard]] virtual Result<void> append(std::span<const EncodedRecord> records, Timestamp now) = 0;
  /// Waits until everything below `end` is committed. NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT.
  [[nodiscard]] virtual Task<Result<void>> wait_committed(Offset end) = 0;
  /// Batches from the one with `from` on, about `max_bytes` of them but at least one. Empty at the end.
  [[nodiscard]] virtual Task<Result<LogChunk>> read(Offset from, std::size_t max_bytes) = 0;
};

}  // namespace brook::coordinator

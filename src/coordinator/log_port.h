#pragma once

#include <cstdint>
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

/// The end of a producer's transaction, as a partition's log takes it: a marker.
struct TransactionEnd {
  ProducerId producer_id;
  ProducerEpoch epoch;
  bool commit = false;
  std::int32_t coordinator_epoch = 0;  ///< of the coordinator that decided; an older one's is refused
  std::int16_t protocol = 0;           ///< the level of transaction.version that the transaction had
};

/// Records of a transaction, which count once its marker commits it.
struct InTransaction {
  ProducerId producer_id;
  ProducerEpoch epoch;
};

/// Whole record batches, read back. One whose checksum does not hold is left out.
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
  /// Of a transaction also INVALID_PRODUCER_EPOCH.
  [[nodiscard]] virtual Result<void> append(std::span<const EncodedRecord> records, Timestamp now,
                                            std::optional<InTransaction> transaction) = 0;
  /// The same for the marker that ends a transaction. TRANSACTION_COORDINATOR_FENCED,
  /// INVALID_PRODUCER_EPOCH.
  [[nodiscard]] virtual Result<void> append_end(const TransactionEnd& end, Timestamp now) = 0;
  /// Markers of this producer since the log was opened.
  [[nodiscard]] virtual std::uint32_t markers_of(ProducerId producer) const = 0;
  /// What is below `offset`, which is committed, is not needed any more: the log may begin there.
  [[nodiscard]] virtual Result<void> drop_before(Offset offset) = 0;
  /// The leader epoch in which the log is written.
  [[nodiscard]] virtual std::int32_t epoch() const = 0;
  /// Everything below `end` is committed: wait_committed() would not wait.
  [[nodiscard]] virtual bool is_committed(Offset end) const = 0;
  /// Waits until everything below `end` is committed. NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT.
  [[nodiscard]] virtual Task<Result<void>> wait_committed(Offset end) = 0;
  /// Waits until all that was appended is on the disk, whatever the topic's configuration demands. An error
  /// is the disk's: nothing is known of it then, and the log takes nothing more.
  [[nodiscard]] virtual Task<Result<void>> make_durable() = 0;
  /// Batches from the one with `from` on, about `max_bytes` of them but at least one. Empty at the end.
  [[nodiscard]] virtual Task<Result<LogChunk>> read(Offset from, std::size_t max_bytes) = 0;
};

}  // namespace brook::coordinator

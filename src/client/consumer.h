#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/offsets.h"
#include "record/batch.h"
#include "record/record.h"
#include "runtime/clock.h"
#include "runtime/task.h"

namespace brook::client {

class Client;

namespace internal {
class ConsumerCore;
}

/// Where to go on when the log does not have the offset that is next: auto.offset.reset.
enum class OffsetReset : std::uint8_t { kNone, kEarliest, kLatest };

/// The comments name the setting of Kafka's own consumer.
struct ConsumerOptions {
  IsolationLevel isolation = IsolationLevel::kReadUncommitted;  ///< isolation.level
  OffsetReset offset_reset = OffsetReset::kNone;                ///< auto.offset.reset; kNone: poll() fails
  std::size_t fetch_bytes_min = 1;                              ///< fetch.min.bytes
  std::chrono::milliseconds fetch_wait_max = std::chrono::milliseconds(500);  ///< fetch.max.wait.ms
  std::size_t fetch_bytes_max = std::size_t{50} << 20U;     ///< fetch.max.bytes, of one reply
  std::size_t partition_bytes_max = std::size_t{1} << 20U;  ///< max.partition.fetch.bytes
  /// Fetched and not yet polled; past it nothing more is asked for. One reply may go beyond it.
  std::size_t buffer_bytes_max = std::size_t{64} << 20U;
  /// One batch may come to this when decompressed; beyond it the poll fails with MESSAGE_TOO_LARGE.
  std::size_t decompressed_bytes_max = std::size_t{256} << 20U;
  bool check_crcs = true;  ///< check.crcs
  std::string rack = {};   ///< client.rack, told to the brokers
};

/// A partition to read and where to begin: an offset, or what ListOffsets finds; a timestamp later than every
/// record begins at the end.
struct Assignment {
  TopicPartition partition;
  std::variant<Offset, OffsetSpec> from = OffsetSpec::earliest();
};

/// One record, as views into its batch's bytes.
struct ConsumedRecord {
  Offset offset;
  Timestamp timestamp;
  std::optional<ByteView> key;
  std::optional<ByteView> value;  ///< nothing is a tombstone
  std::vector<record::HeaderView> headers;
};

/// Records of one partition in the order of their offsets. The views live as long as it, or a copy of
/// `owner`.
struct ConsumedBatch {
  TopicPartition partition;
  std::optional<LeaderEpoch> leader_epoch;
  record::TimestampType timestamp_type = record::TimestampType::kCreateTime;
  std::vector<ConsumedRecord> records;  ///< not empty
  std::shared_ptr<const void> owner;
};

/// What is known of a partition that is read.
struct PartitionProgress {
  Offset position;                         ///< of the next record that poll() may give
  std::optional<Offset> log_start_offset;  ///< these three from the last reply; nothing before the first
  std::optional<Offset> high_watermark;
  /// Where reading ends for now: the high watermark or, under read_committed, the last stable offset.
  std::optional<Offset> end_offset;

  [[nodiscard]] bool at_end() const { return end_offset && position >= *end_offset; }
};

/// Reads partitions that it is given; groups come later, in front of the same fetching. It asks each leader
/// for what comes next as long as its buffer has room, skips control batches and, under read_committed,
/// records of aborted transactions.
/// stop() before it dies; the client outlives it. Runs on: the client's shard.
class Consumer {
 public:
  Consumer(Client& client, ConsumerOptions options);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Reads these and no others from now on; looks up what is not an offset first. An error leaves it as it
  /// was: UNKNOWN_TOPIC_OR_PARTITION, or what ListOffsets answered.
  [[nodiscard]] Task<Result<void>> assign(std::vector<Assignment> partitions);

  /// The next batches. It ends with some as soon as there are any; with none at `deadline`, or earlier where
  /// a partition has come to its end since the last call (see progress()), so that a caller can stop there.
  /// An error belongs to a partition: OFFSET_OUT_OF_RANGE without a reset, CORRUPT_MESSAGE, authorization.
  /// The partition is not read from until it is assigned or sought anew; the others go on.
  [[nodiscard]] Task<Result<std::vector<ConsumedBatch>>> poll(runtime::Instant deadline);

  /// Goes on at `offset`; what was fetched ahead is dropped. Ignored for a partition that is not assigned.
  void seek(const TopicPartition& partition, Offset offset);
  /// Nothing where it is not assigned.
  [[nodiscard]] std::optional<PartitionProgress> progress(const TopicPartition& partition) const;
  [[nodiscard]] Task<void> stop();

 private:
  std::unique_ptr<internal::ConsumerCore> core_;
};

}  // namespace brook::client

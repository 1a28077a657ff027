#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/producer.h"
#include "record/builder.h"
#include "runtime/clock.h"

namespace brook::client::internal {

/// What the buffer is charged for a record: its bytes, and an estimate of what goes with it.
[[nodiscard]] std::size_t charge_of(const ProducerRecord& record);

/// Why a batch was refused, and which of its records are to blame (KIP-467); by their place in the batch.
struct BatchRefusal {
  Error error;
  std::vector<std::pair<std::int32_t, std::string>> records;
};

/// Where a batch went.
struct BatchPlace {
  std::optional<Offset> base_offset;
  std::optional<Timestamp> append_time;  ///< in place of the records' own timestamps
};

/// Records of one partition that travel together: open while records are added, then closed and encoded. It
/// holds their callbacks, and exactly one of deliver() and refuse() is called. Runs on: one shard.
class ProducerBatch {
 public:
  ProducerBatch(PartitionIndex partition, std::uint64_t number, record::Compression compression,
                runtime::Instant opened)
      : partition_(partition), number_(number), opened_(opened), builder_({.compression = compression}) {}

  void append(const ProducerRecord& record, Timestamp timestamp, Producer::Delivered delivered);
  [[nodiscard]] std::size_t uncompressed_size() const { return builder_.uncompressed_size(); }
  void close() { bytes_ = builder_.finish(); }

  [[nodiscard]] PartitionIndex partition() const { return partition_; }
  /// The batches of a partition are numbered in the order of their records.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] runtime::Instant opened() const { return opened_; }
  [[nodiscard]] std::int32_t record_count() const { return static_cast<std::int32_t>(records_.size()); }
  [[nodiscard]] std::size_t charge() const { return charge_; }
  /// Closed only.
  [[nodiscard]] ByteView bytes() const { return bytes_; }

  void set_producer(ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence);
  [[nodiscard]] bool has_sequence() const { return has_sequence_; }
  void forget_sequence() { has_sequence_ = false; }

  void deliver(const BatchPlace& place);
  void refuse(const BatchRefusal& refusal);

  std::uint32_t tries = 0;
  std::string last_error;  ///< of these tries
  /// A try ended without telling whether the broker has the batch.
  bool maybe_appended = false;
  /// This try did not reach the broker: one before it has to go first.
  bool out_of_turn = false;

 private:
  struct Pending {
    Producer::Delivered delivered;
    Timestamp timestamp;
  };

  PartitionIndex partition_;
  std::uint64_t number_;
  runtime::Instant opened_;
  record::BatchBuilder builder_;
  std::vector<Pending> records_;
  std::size_t charge_ = 0;
  record::Bytes bytes_;
  bool has_sequence_ = false;
};

}  // namespace brook::client::internal

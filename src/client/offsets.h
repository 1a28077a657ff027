#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/result.h"

/// Places in a partition, as ListOffsets finds them.
namespace brook::client {

enum class IsolationLevel : std::int8_t { kReadUncommitted = 0, kReadCommitted = 1 };

/// What to look for in a partition.
class OffsetSpec {
 public:
  /// The log start offset.
  [[nodiscard]] static OffsetSpec earliest() { return OffsetSpec(kEarliest); }
  /// The high watermark or, under read_committed, the last stable offset: what the next record gets.
  [[nodiscard]] static OffsetSpec latest() { return OffsetSpec(kLatest); }
  /// The record with the greatest timestamp (Kafka 3.0 and later).
  [[nodiscard]] static OffsetSpec max_timestamp() { return OffsetSpec(kMaxTimestamp); }
  /// The first record with this timestamp or a later one; not before 1970.
  [[nodiscard]] static OffsetSpec at(Timestamp timestamp) { return OffsetSpec(timestamp.value()); }

  /// The number that stands for it on the wire.
  [[nodiscard]] std::int64_t wire() const { return wire_; }
  friend bool operator==(OffsetSpec, OffsetSpec) = default;

 private:
  static constexpr std::int64_t kLatest = -1;
  static constexpr std::int64_t kEarliest = -2;
  static constexpr std::int64_t kMaxTimestamp = -3;

  explicit OffsetSpec(std::int64_t wire) : wire_(wire) {}
  std::int64_t wire_;
};

struct OffsetQuery {
  TopicPartition partition;
  OffsetSpec at = OffsetSpec::latest();
};

struct ListedOffset {
  std::optional<Offset> offset;        ///< nothing where no record is that late
  std::optional<Timestamp> timestamp;  ///< of the record; nothing for earliest and latest
  std::optional<LeaderEpoch> leader_epoch;
};

struct ListOffsetOutcome {
  TopicPartition partition;
  Result<ListedOffset> outcome;
};

}  // namespace brook::client

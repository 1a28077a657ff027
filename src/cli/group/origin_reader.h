#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/admin.h"
#include "client/client.h"
#include "client/consumer.h"
#include "runtime/task.h"

namespace brook::cli {

/// A record where it was, or why it cannot be had.
struct OriginRecord {
  const client::ConsumedRecord* record = nullptr;  ///< until the next read
  std::string_view missing = {};                   ///< such as "gone from its topic"
};

/// Reads the records that dead letters are of, where they were. It remembers which partitions there are and
/// which offsets they have: one entry for each that letters come from.
/// stop() before it dies; the client outlives it. Runs on: the client's shard.
class OriginReader {
 public:
  /// `patience` is for one record.
  OriginReader(client::Client& client, std::chrono::milliseconds patience);

  /// Cheap where the record follows on the last one. REQUEST_TIMED_OUT where it does not come.
  [[nodiscard]] Task<Result<OriginRecord>> read(TopicPartition from, Offset offset);
  /// Whether there is such a partition.
  [[nodiscard]] Task<Result<bool>> exists(TopicPartition partition);
  [[nodiscard]] Task<void> stop() { co_await consumer_.stop(); }

 private:
  struct Range {
    Offset first;
    Offset end;
  };

  [[nodiscard]] Task<Result<std::optional<Range>>> range_of(TopicPartition partition);
  [[nodiscard]] Task<Result<void>> go_to(TopicPartition partition, Offset offset);
  [[nodiscard]] Offset position() const { return consumer_.progress(*at_)->position; }
  [[nodiscard]] const client::ConsumedRecord* find(Offset offset) const;

  client::Client& client_;
  client::Admin admin_;
  const std::chrono::milliseconds patience_;
  client::Consumer consumer_;
  std::map<TopicPartition, bool> exists_;
  std::map<TopicPartition, Range> ranges_;
  std::optional<TopicPartition> at_;  ///< what the consumer reads
  Offset kept_from_;                  ///< what is kept reaches from here to the position
  std::vector<client::ConsumedBatch> kept_;
};

}  // namespace brook::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "broker/share/share_partition.h"
#include "runtime/task.h"

namespace brook::broker {

struct DeadLetterHeader {
  std::string name;
  std::optional<std::string> value;
};

/// A record that a share group gave up. Key, value and headers only where the group wants them copied and the
/// record could be read.
struct DeadLetter {
  Offset offset;
  std::int16_t delivery_count = 0;
  GivenUp why = GivenUp::kRejected;
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<DeadLetterHeader> headers{};
};

/// Whose records they were.
struct DeadLetterOrigin {
  std::string group;
  TopicPartition partition;
};

/// What share partitions need to be rid of dead letters (KIP-1191). Outlives who uses it. Runs on: the shard
/// that it was made for.
class DeadLetterPort {
 public:
  virtual ~DeadLetterPort() = default;

  /// Whether the group's dead letters carry what was in their records.
  [[nodiscard]] virtual bool copies_records(const std::string& group) = 0;
  /// Returns when they are in the group's dead-letter topic, or when the group has none any more. After an
  /// error some of them may be there.
  [[nodiscard]] virtual Task<Result<void>> write(DeadLetterOrigin origin,
                                                 std::vector<DeadLetter> letters) = 0;
};

}  // namespace brook::broker

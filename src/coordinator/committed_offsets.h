#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "protocol/state/group_coordinator.h"

namespace brook::coordinator {

struct CommittedOffset {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  Timestamp commit_time;
  std::optional<Timestamp> expires;  ///< where the client said so (OffsetCommit 2 to 4)
  /// Zero where the committer did not say, or its record could not.
  TopicId topic_id;

  [[nodiscard]] static CommittedOffset of(const protocol::OffsetCommitValue& value);
  [[nodiscard]] protocol::OffsetCommitValue value() const;
  /// Whether it was committed for another topic of this name, which has been deleted since. Zero is any.
  [[nodiscard]] bool is_of_other_topic(const TopicId& id) const {
    return !id.is_zero() && !topic_id.is_zero() && id != topic_id;
  }

  friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

/// What one group has committed: what its records say, nothing else.
class CommittedOffsets {
 public:
  using Partitions = std::map<std::int32_t, CommittedOffset>;

  void put(const std::string& topic, std::int32_t partition, CommittedOffset offset);
  void erase(std::string_view topic, std::int32_t partition);
  /// Null where nothing is committed.
  [[nodiscard]] const CommittedOffset* find(std::string_view topic, std::int32_t partition) const;
  [[nodiscard]] const std::map<std::string, Partitions, std::less<>>& topics() const { return topics_; }
  [[nodiscard]] bool empty() const { return topics_.empty(); }

  friend bool operator==(const CommittedOffsets&, const CommittedOffsets&) = default;

 private:
  std::map<std::string, Partitions, std::less<>> topics_;
};

}  // namespace brook::coordinator

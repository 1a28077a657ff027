#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/topic_partitions.h"
#include "protocol/state/group_coordinator.h"

namespace brook::coordinator {

/// A partition whose state is to be made, and where the group begins to read it; nothing: where
/// share.auto.offset.reset says.
struct ShareStart {
  TopicIdPartition partition;
  std::optional<Offset> start{};

  friend bool operator==(const ShareStart&, const ShareStart&) = default;
};

/// States to be made, in one epoch of them.
struct ShareInitialisation {
  std::int32_t state_epoch = 0;
  std::vector<ShareStart> starts{};
};

/// Which partitions have a state in __share_group_state for one group. Only those are given to members. It
/// says before it is done what is to be made and to go, so that nothing is left behind after a crash.
struct ShareTopics {
  struct Topic {
    std::string name;
    std::set<std::int32_t> partitions{};

    friend bool operator==(const Topic&, const Topic&) = default;
  };
  using Topics = std::map<TopicId, Topic>;

  Topics initialising{};
  Topics initialised{};
  std::map<TopicId, std::string> deleting{};  ///< by name

  [[nodiscard]] static ShareTopics of(const protocol::ShareGroupStatePartitionMetadataValue& value);
  [[nodiscard]] protocol::ShareGroupStatePartitionMetadataValue value() const;

  /// They are about to be made.
  void begin(const Topics& topics);
  /// The attempt is over: they are there, or not.
  void end(const TopicPartitions& made, const TopicPartitions& failed);
  /// All states of the topic are about to go.
  void begin_deleting(const TopicId& topic);
  /// Nothing is known of the topic any more.
  void forget(const TopicId& topic);

  [[nodiscard]] bool empty() const { return initialising.empty() && initialised.empty() && deleting.empty(); }
  [[nodiscard]] bool has(const TopicId& topic) const;
  /// Where there may be a state of the topic; `partitions`: how many it has.
  [[nodiscard]] std::set<std::int32_t> states_of(const TopicId& topic, std::int32_t partitions) const;

  friend bool operator==(const ShareTopics&, const ShareTopics&) = default;
};

}  // namespace brook::coordinator

#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "coordinator/share_state.h"
#include "coordinator/share_topics.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// What a share group's coordinator needs of those of its partitions' states. It owns this port; the broker
/// implements it. Each answers for what it was given, in order: UNKNOWN_TOPIC_OR_PARTITION,
/// FENCED_STATE_EPOCH, and why a state's coordinator does not answer, after it has been tried again. Runs on:
/// the group's shard.
class ShareStateStore {
 public:
  virtual ~ShareStateStore() = default;

  /// Makes states, or makes them anew.
  [[nodiscard]] virtual Task<std::vector<Result<void>>> initialise(std::string group,
                                                                   ShareInitialisation what) = 0;
  [[nodiscard]] virtual Task<std::vector<Result<void>>> erase(std::string group,
                                                              std::vector<TopicIdPartition> partitions) = 0;
};

}  // namespace brook::coordinator

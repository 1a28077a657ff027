#pragma once

#include <cstdint>

#include "base/result.h"
#include "coordinator/share_state.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// What a share partition needs of the coordinators: its durable state. The coordinator owns this port; the
/// broker implements it and takes each call to the shard that has the state. All errors but FENCED_* and
/// INVALID_REQUEST pass: COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE. Outlives
/// who uses it. Runs on: any shard.
class ShareStatePort {
 public:
  virtual ~ShareStatePort() = default;

  /// The state, committed, for the leader of `leader_epoch`, who fences those before it. A state that nobody
  /// has written yet has state epoch 0 and no start offset. FENCED_LEADER_EPOCH, UNKNOWN_TOPIC_OR_PARTITION;
  /// INVALID_REQUEST where the group has no state of this partition: it is made before a member hears of it.
  [[nodiscard]] virtual Task<Result<ShareState>> read(ShareKey key, std::int32_t leader_epoch) = 0;
  /// Returns when the change is committed; one batch of records however many batches it has, so all of it or
  /// nothing. A caller has at most one write of a key under way. FENCED_LEADER_EPOCH and FENCED_STATE_EPOCH:
  /// the share partition must read anew or go; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST where there is no
  /// state.
  [[nodiscard]] virtual Task<Result<void>> write(ShareKey key, ShareStateUpdate update) = 0;
};

}  // namespace brook::coordinator

#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "broker/cluster_view.h"
#include "broker/share/live_share_partition.h"
#include "broker/share/share_group_settings.h"
#include "broker/share/share_metrics.h"
#include "broker/share/share_router.h"
#include "coordinator/share_state_port.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::broker {

/// The share partitions of one shard: those that a member of a share group fetches from. One is made by the
/// first fetch and goes when the last session with it has ended and all is written, so that what was altered
/// while a group was empty is read. Runs on: its shard.
class SharePartitions {
 public:
  /// All outlive it.
  SharePartitions(runtime::Shard& shard, replica::ReplicaSet& replicas, const ClusterView& view,
                  coordinator::ShareStatePort& port, DeadLetterPort& dead_letters, ShareMetrics& metrics);

  /// The share partition, loaded. UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR,
  /// and as ShareStatePort: comes_later() says of which it is to be tried again without a word to the client.
  [[nodiscard]] Task<Result<LiveSharePartition::Use>> open(coordinator::ShareKey key);
  /// The same where it is loaded; UNKNOWN_TOPIC_OR_PARTITION otherwise.
  [[nodiscard]] Result<LiveSharePartition::Use> find(const coordinator::ShareKey& key);
  /// A member's session over `connection` has ended.
  [[nodiscard]] Task<void> release(coordinator::ShareKey key, std::string member, std::uint64_t connection);
  [[nodiscard]] ShareGroupSettings settings_of(const std::string& group) const {
    return share_group_settings(view_, group);
  }

  /// Takes records back whose locks end, and wakes who waits where a delay ends, until stop().
  [[nodiscard]] Task<void> expire_locks();
  /// Ends waits; writes are not tried again.
  void stop();

 private:
  [[nodiscard]] Task<Result<void>> load(coordinator::ShareKey key,
                                        std::shared_ptr<replica::Partition> partition);
  void drop_if_unused(const coordinator::ShareKey& key);

  runtime::Shard& shard_;
  replica::ReplicaSet& replicas_;
  const ClusterView& view_;
  coordinator::ShareStatePort& port_;
  DeadLetterPort& dead_letters_;
  ShareMetrics& metrics_;
  std::map<coordinator::ShareKey, std::shared_ptr<LiveSharePartition>> loaded_;
  /// How the load under way ended, for all who wait for it.
  struct Loading {
    std::optional<Result<void>> result;
  };
  std::map<coordinator::ShareKey, std::shared_ptr<Loading>> loading_;
  runtime::Signal load_ended_;
  bool stopping_ = false;
  runtime::Signal changed_;  // the first is loaded, or the broker stops
};

/// Whether a share partition that could not be loaded because of `code` will be there in a moment.
[[nodiscard]] bool comes_later(ErrorCode code);

}  // namespace brook::broker

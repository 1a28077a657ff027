#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/availability.h"
#include "coordinator/cluster_facts.h"
#include "coordinator/coordinator_runtime.h"
#include "coordinator/share_state_machine.h"

namespace brook::coordinator {

/// One partition of __share_group_state, and the states that it holds: decisions of the machine, carried out.
///
/// While it loads, everything is refused with COORDINATOR_LOAD_IN_PROGRESS at once; after close() with
/// NOT_COORDINATOR. Whoever calls a task holds it by shared_ptr until that has ended. Runs on: its shard.
class ShareStatePartition {
 public:
  /// All outlive it.
  ShareStatePartition(runtime::Shard& shard, const ShareStateConfig& config, const ClusterFacts& facts,
                      PartitionIndex index, std::unique_ptr<LogPort> log);

  [[nodiscard]] Task<void> load();
  /// Takes nothing any more.
  void close() { available_.close(); }
  /// Refuses new requests, for a broker that stops.
  void stop_waiting() { available_.stop(); }

  /// Answer as the machine's functions of these names, once all that they saw is committed; and why the
  /// partition can't answer or its log did not take the records.
  [[nodiscard]] Task<Result<void>> initialise(ShareKey key, std::int32_t state_epoch,
                                              std::optional<Offset> start);
  [[nodiscard]] Task<Result<ShareState>> read(ShareKey key, std::optional<std::int32_t> leader_epoch);
  [[nodiscard]] Task<Result<ShareState>> summarize(ShareKey key);
  [[nodiscard]] Task<Result<void>> write(ShareKey key, ShareStateUpdate update);
  [[nodiscard]] Task<Result<void>> erase(ShareKey key);

  /// A topic was deleted: drops what share groups knew of it.
  [[nodiscard]] Task<void> forget_topic(TopicId topic);
  /// Cuts off what is not needed any more.
  [[nodiscard]] Task<void> prune();

 private:
  using Records = ShareStateMachine::Records;

  [[nodiscard]] Result<void> check_serving() const;
  /// Writes records and waits until they, and what was there before, are committed. An error is what a client
  /// is told.
  [[nodiscard]] Task<Result<void>> settle(Records records, bool divisible = false);

  PartitionIndex index_;
  CoordinatorRuntime<ShareStateMachine> runtime_;
  Availability available_;
  std::optional<Offset> pruned_;
};

}  // namespace brook::coordinator

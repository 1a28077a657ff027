#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "coordinator/cluster_facts.h"
#include "coordinator/moment.h"
#include "coordinator/share_state.h"
#include "coordinator/share_state_config.h"
#include "coordinator/share_state_records.h"

namespace brook::coordinator {

/// The states of one partition of __share_group_state (KIP-932): decisions as functions of (state, request,
/// now) into records and an answer; replay() applies what they write. No I/O, no clock, no waiting.
///
/// A state is a snapshot and the updates since. Two epochs fence: an older leader of the partition, and a
/// share partition that does not know yet that its state was made anew. The topic is not compacted, which
/// would lose updates: what all present snapshots are behind is cut off (redundant_before()).
class ShareStateMachine {
 public:
  using Record = ShareStateRecord;
  using Records = std::vector<ShareStateRecord>;

  /// Both outlive it.
  ShareStateMachine(const ShareStateConfig& config, const ClusterFacts& facts)
      : config_(config), facts_(facts) {}

  [[nodiscard]] static Result<std::optional<Record>> decode(const EncodedRecord& record) {
    return decode_share_state_record(record);
  }

  /// A new state, or the present one anew. All these: INVALID_REQUEST where the key is none;
  /// UNKNOWN_TOPIC_OR_PARTITION. Here also FENCED_STATE_EPOCH.
  [[nodiscard]] Result<void> initialise(const ShareKey& key, std::int32_t state_epoch,
                                        std::optional<Offset> start, const Moment& now, Records& out) const;
  /// For the leader of `leader_epoch`; nothing: for whoever only looks. INVALID_REQUEST where there is no
  /// state; FENCED_LEADER_EPOCH.
  [[nodiscard]] Result<ShareState> read(const ShareKey& key, std::optional<std::int32_t> leader_epoch,
                                        const Moment& now, Records& out) const;
  /// Without the batches; a state epoch of 0 and nothing else where there is none.
  [[nodiscard]] Result<ShareState> summarize(const ShareKey& key) const;
  /// INVALID_REQUEST also where there is no state, or a batch is none; FENCED_LEADER_EPOCH;
  /// FENCED_STATE_EPOCH.
  [[nodiscard]] Result<void> write(const ShareKey& key, const ShareStateUpdate& update, const Moment& now,
                                   Records& out) const;
  /// Nothing is written where there is no state.
  [[nodiscard]] Result<void> erase(const ShareKey& key, Records& out) const;
  void forget_topic(const TopicId& topic, Records& out) const;

  /// Writes old snapshots anew that keep many later records from being cut off, up to `states_max`. `end`: of
  /// the log.
  void refresh(Offset end, const Moment& now, std::size_t states_max, Records& out) const;
  /// Below it nothing is needed. Nothing where there are no records.
  [[nodiscard]] std::optional<Offset> redundant_before() const;

  void replay(const ShareStateRecord& record, Offset offset);
  [[nodiscard]] runtime::Instant next_tick() const { return runtime::Instant::max(); }

  [[nodiscard]] std::size_t size() const { return states_.size(); }
  /// Null where there is none.
  [[nodiscard]] const ShareState* find(const ShareKey& key) const;
  /// What replay makes, the places in the log aside.
  [[nodiscard]] bool same_records(const ShareStateMachine& other) const { return states_ == other.states_; }

 private:
  struct Kept {
    ShareSnapshot snapshot{};  ///< with the updates since
    std::int32_t updates = 0;  ///< since the snapshot
    /// The highest of the state's epochs: those of a new snapshot may be lower.
    std::int32_t leader_fence = 0;
    std::int32_t state_fence = 0;
    Offset at{0};  ///< of the snapshot

    friend bool operator==(const Kept& a, const Kept& b) {
      return a.snapshot == b.snapshot && a.updates == b.updates && a.leader_fence == b.leader_fence &&
             a.state_fence == b.state_fence;
    }
  };

  [[nodiscard]] Result<void> check_partition(const ShareKey& key) const;
  [[nodiscard]] const Kept* at(const ShareKey& key) const;
  void apply(const ShareSnapshotRecord& record, Offset offset);
  void apply(const ShareUpdateRecord& record, Offset offset);
  /// Writes `update`, as a snapshot where it is time for one.
  void change(const ShareKey& key, const Kept& kept, ShareUpdate update, const Moment& now,
              Records& out) const;

  const ShareStateConfig& config_;
  const ClusterFacts& facts_;
  std::map<ShareKey, Kept> states_;
  std::multiset<Offset> snapshots_;  ///< where they are
  /// Behind the last record: what counts where there are no states.
  std::optional<Offset> replayed_;
};

}  // namespace brook::coordinator

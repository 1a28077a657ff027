#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/classic_group.h"
#include "coordinator/cluster_facts.h"
#include "coordinator/effects.h"
#include "coordinator/group_config.h"
#include "coordinator/moment.h"
#include "coordinator/share_member.h"
#include "coordinator/share_topics.h"
#include "protocol/alter_share_group_offsets.h"
#include "protocol/delete_share_group_offsets.h"
#include "protocol/share_group_describe.h"
#include "protocol/share_group_heartbeat.h"

namespace brook::coordinator {

/// A ShareGroupHeartbeat request with what its decision needs besides. Both live as long as the call.
struct ShareHeartbeatCall {
  const protocol::ShareGroupHeartbeatRequest& request;
  const Caller& caller;
};

/// What can be said of a request without any group: INVALID_REQUEST.
[[nodiscard]] Result<void> check_share_heartbeat(const protocol::ShareGroupHeartbeatRequest& request);

struct ShareHeartbeatAnswer {
  protocol::ShareGroupHeartbeatResponse response;
  /// States that have to be made, once the records are committed, before their partitions can be given to
  /// anybody. ShareGroup::initialisation_ended() is owed then.
  std::optional<ShareInitialisation> initialise{};
};

/// An answer to AlterShareGroupOffsets, and what is to be made before it goes out.
struct ShareAlteration {
  protocol::AlterShareGroupOffsetsResponse response;
  ShareInitialisation initialise{};
};

/// An answer to DeleteShareGroupOffsets, and what is to go before it goes out.
struct ShareErasure {
  protocol::DeleteShareGroupOffsetsResponse response;
  std::vector<TopicIdPartition> erase{};
};

/// A group whose members share partitions record by record (KIP-932, group.protocol=share), as a state
/// machine without I/O, clock or waiting. Epochs are as a ConsumerGroup's: the group's rises when members or
/// what they read change, the targets' follows, and each member's follows that, at once: nobody gives up a
/// partition before another takes it, since several may have it. Only partitions whose state is in
/// __share_group_state are given.
///
/// Everything that counts is in records, changes in the log first, and here by replay(); sessions are soft
/// and begin anew after a load. Invariants: no epoch falls; each partition that has a state, of a topic that
/// is subscribed to, has a member once targets have followed.
class ShareGroup {
 public:
  enum class State : std::uint8_t { kEmpty, kStable };
  static constexpr std::size_t kStates = 2;
  /// As ShareGroupDescribe says it.
  [[nodiscard]] static std::string_view state_name(State state);

  /// `config` and `facts` outlive it.
  ShareGroup(std::string id, const GroupConfig& config, const ClusterFacts& facts)
      : id_(std::move(id)), config_(config), facts_(facts) {}

  /// `call.request` has passed check_share_heartbeat(). On an error nothing is written. UNKNOWN_MEMBER_ID,
  /// FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED.
  [[nodiscard]] Result<ShareHeartbeatAnswer> heartbeat(const ShareHeartbeatCall& call, const Moment& now,
                                                       Effects& out);
  [[nodiscard]] bool has_member(std::string_view id) const { return members_.contains(id); }

  /// States were to be made: `made` are there, `failed` are not.
  void initialisation_ended(const TopicPartitions& made, const TopicPartitions& failed, Effects& out);
  /// What was decided came to nothing before the states could be made.
  void initialisation_dropped() { initialising_ = false; }
  /// Where the group begins to read. NON_EMPTY_GROUP.
  [[nodiscard]] Result<ShareAlteration> alter_offsets(const protocol::AlterShareGroupOffsetsRequest& request,
                                                      Effects& out) const;
  /// NON_EMPTY_GROUP.
  [[nodiscard]] Result<ShareErasure> delete_offsets(const protocol::DeleteShareGroupOffsetsRequest& request,
                                                    Effects& out) const;
  /// The states of `topics` are gone.
  void erased(const std::set<TopicId>& topics, Effects& out) const;
  /// All states, which are about to go with the group.
  [[nodiscard]] std::vector<TopicIdPartition> erase_all(Effects& out) const;
  /// A topic is gone, and its states with it.
  void forget_topic(const TopicId& topic, Effects& out) const;
  [[nodiscard]] const ShareTopics& topics() const { return topics_; }

  /// Sessions that have ended.
  void tick(const Moment& now, Effects& out);
  /// No later than the next moment at which tick() has something to do; max where nothing is due.
  [[nodiscard]] runtime::Instant next_tick() const { return next_tick_; }
  /// All records have been replayed: sessions begin.
  void loaded(const Moment& now);
  /// The log refused what was decided.
  void not_stored() {
    topics_seen_.reset();
    states_seen_.reset();
    initialising_ = false;
  }
  /// What ends the group in the log.
  void bury(Effects& out) const;

  void replay(const ShareGroupRecord& record);

  [[nodiscard]] State state() const { return members_.empty() ? State::kEmpty : State::kStable; }
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] std::int32_t assignment_epoch() const { return assignment_epoch_; }
  [[nodiscard]] const std::map<std::string, ShareMember, std::less<>>& members() const { return members_; }
  [[nodiscard]] const std::map<std::string, TopicPartitions, std::less<>>& targets() const {
    return targets_;
  }
  [[nodiscard]] protocol::ShareGroupDescribeResponse::DescribedGroup describe() const;

  /// What replay makes; the soft part does not count.
  [[nodiscard]] bool same_records(const ShareGroup& other) const;

 private:
  using Members = std::vector<const ShareMember*>;  // By id.
  /// What a heartbeat makes of its member, before it is written.
  struct Change {
    ShareMember member{};  ///< with its new profile, and its progress so far
    bool is_new = false;
    bool profile_changed = false;
    bool subscription_changed = false;
  };

  // share_group_heartbeat.cc
  [[nodiscard]] Result<Change> member_of(const ShareHeartbeatCall& call) const;
  [[nodiscard]] Result<ShareHeartbeatAnswer> leave(const protocol::ShareGroupHeartbeatRequest& request,
                                                   Effects& out);
  [[nodiscard]] std::int32_t follow_topics(const Change& change, Effects& out);
  [[nodiscard]] bool may_assign(const Moment& now) const;
  [[nodiscard]] TopicPartitions retarget(const Change& change, std::int32_t epoch, const Moment& now,
                                         Effects& out) const;
  [[nodiscard]] ShareProgress step(const Change& change, std::int32_t target_epoch,
                                   const TopicPartitions& target) const;
  [[nodiscard]] std::optional<ShareInitialisation> missing_states(const Change& change, std::int32_t epoch,
                                                                  Effects& out);

  // share_group.cc
  void remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail, Effects& out);
  void begin_session(const std::string& id, const Moment& now);
  void write_removal(const std::string& id, Effects& out) const;
  void write_epoch(std::int32_t epoch, std::int64_t hash, Effects& out) const;
  void write_states(const ShareTopics& topics, Effects& out) const;
  [[nodiscard]] Members members_with(const Change& change) const;
  [[nodiscard]] static TopicNames topics_of(const Members& members);
  [[nodiscard]] std::map<TopicId, std::set<std::int32_t>> assignable() const;
  void due(runtime::Instant when) { next_tick_ = std::min(next_tick_, when); }

  void apply(const ShareGroupEpochRecord& record);
  void apply(const ShareProfileRecord& record);
  void apply(const ShareTargetEpochRecord& record);
  void apply(const ShareTargetRecord& record);
  void apply(const ShareProgressRecord& record);
  void apply(const ShareStatesRecord& record);

  std::string id_;
  const GroupConfig& config_;
  const ClusterFacts& facts_;

  std::int32_t epoch_ = 0;
  std::int64_t topics_hash_ = 0;
  std::int32_t assignment_epoch_ = 0;
  std::optional<Timestamp> assigned_at_;
  std::map<std::string, ShareMember, std::less<>> members_;
  std::map<std::string, TopicPartitions, std::less<>> targets_;
  ShareTopics topics_;
  bool states_changed_ = false;  ///< since there are the present targets

  // What no record keeps:
  std::map<std::string, runtime::Instant> session_ends_;
  bool initialising_ = false;                ///< states are being made
  std::optional<std::int64_t> topics_seen_;  ///< the version of the facts that the hash is of
  std::optional<std::int64_t> states_seen_;  ///< that at which no state was missing
  runtime::Instant next_tick_ = runtime::Instant::max();
};

}  // namespace brook::coordinator

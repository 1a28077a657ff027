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
#include "coordinator/consumer_member.h"
#include "coordinator/effects.h"
#include "coordinator/group_config.h"
#include "coordinator/moment.h"
#include "protocol/consumer_group_describe.h"
#include "protocol/consumer_group_heartbeat.h"
#include "protocol/join_group.h"
#include "protocol/offset_commit.h"
#include "protocol/sync_group.h"

namespace brook::coordinator {

/// A ConsumerGroupHeartbeat request with what its decision needs besides. All references live as long as the
/// call.
struct HeartbeatCall {
  const protocol::ConsumerGroupHeartbeatRequest& request;
  const Caller& caller;
  /// The id of a member that does not bring one (version 0).
  std::string_view fresh_id;
};

/// What can be said of a request without any group: INVALID_REQUEST, UNSUPPORTED_ASSIGNOR.
[[nodiscard]] Result<void> check_heartbeat(const protocol::ConsumerGroupHeartbeatRequest& request,
                                           std::int16_t version, const AssignorChoice& assignors);

/// A group whose coordinator assigns partitions (KIP-848, group.protocol=consumer), as a state machine
/// without I/O, clock or waiting. Three epochs tell how far it is:
///
///     group epoch         rises when members or what they read change
///     assignment epoch    that of the targets: what each member is to have; follows the group's
///     member epoch        that of a member; follows the targets' as the member is reconciled
///
///     Empty ─► Assigning (targets are behind) ─► Reconciling (members are behind) ─► Stable
///
/// Everything that counts is in records, changes in the log first, and here by replay(); the ends of sessions
/// are soft and begin anew after a load. Invariants: no epoch falls; a partition is held, assigned or still
/// to be given up, by one member at most; targets share out every partition of what is subscribed to. There
/// is nothing that waits: a member hears at its next heartbeat.
class ConsumerGroup {
 public:
  enum class State : std::uint8_t { kEmpty, kAssigning, kReconciling, kStable };
  static constexpr std::size_t kStates = 4;
  /// As ConsumerGroupDescribe says it.
  [[nodiscard]] static std::string_view state_name(State state);

  /// `config` and `facts` outlive it.
  ConsumerGroup(std::string id, const GroupConfig& config, const ClusterFacts& facts)
      : id_(std::move(id)), config_(config), facts_(facts) {}

  /// `call.request` has passed check_heartbeat(). On an error nothing is written. UNKNOWN_MEMBER_ID,
  /// FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED,
  /// INVALID_REGULAR_EXPRESSION.
  [[nodiscard]] Result<protocol::ConsumerGroupHeartbeatResponse> heartbeat(const HeartbeatCall& call,
                                                                           const Moment& now, Effects& out);
  /// A member of the classic protocol, or an administrator, removes members. One code per leaver.
  [[nodiscard]] std::vector<ErrorCode> leave(const std::vector<ClassicGroup::Leaver>& leavers,
                                             const Moment& now, Effects& out);

  /// Members of the classic protocol among the others. All of it is answered at once, through `out`.
  void classic_join(const JoinCall& call, const Moment& now, Effects& out);
  void classic_sync(const protocol::SyncGroupRequest& request, Token token, const Moment& now, Effects& out);
  /// UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.
  [[nodiscard]] ErrorCode classic_heartbeat(const std::string& id, const std::optional<std::string>& instance,
                                            std::int32_t generation, const Moment& now);
  /// The records of a consumer group with the members, generation and assignment of a classic one.
  /// GROUP_ID_NOT_FOUND where what they say to each other can't be read.
  [[nodiscard]] static Result<std::vector<ConsumerGroupRecord>> upgrade(const ClassicGroup& classic,
                                                                        const ClusterFacts& facts);
  /// Its last member of the consumer protocol has gone: what was decided makes it a classic group, which has
  /// to rebalance.
  [[nodiscard]] bool becomes_classic() const { return becomes_classic_; }
  /// Whether this member may commit: −1 and no member from outside of a group without members.
  /// UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, and UNSUPPORTED_VERSION below version 9.
  [[nodiscard]] ErrorCode check_commit(const protocol::OffsetCommitRequest& request,
                                       std::int16_t version) const;
  /// UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH.
  [[nodiscard]] ErrorCode check_fetch(const std::optional<std::string>& member, std::int32_t epoch) const;

  /// Time-outs that have passed.
  void tick(const Moment& now, Effects& out);
  /// No later than the next moment at which tick() has something to do; max where nothing is due.
  [[nodiscard]] runtime::Instant next_tick() const { return next_tick_; }
  /// All records have been replayed: sessions begin.
  void loaded(const Moment& now);
  /// The log refused what was decided.
  void not_stored() {
    topics_seen_.reset();
    becomes_classic_ = false;
  }
  /// What ends the group in the log.
  void bury(Effects& out) const;

  void replay(const ConsumerGroupRecord& record);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] std::int32_t assignment_epoch() const { return assignment_epoch_; }
  [[nodiscard]] const std::map<std::string, ConsumerMember, std::less<>>& members() const { return members_; }
  [[nodiscard]] const std::map<std::string, TopicPartitions, std::less<>>& targets() const {
    return targets_;
  }
  /// By name or by regular expression.
  [[nodiscard]] bool subscribes_to(std::string_view topic) const;
  [[nodiscard]] protocol::ConsumerGroupDescribeResponse::DescribedGroup describe() const;

  /// What replay makes; the soft part does not count.
  [[nodiscard]] bool same_records(const ConsumerGroup& other) const;

 private:
  struct ResolvedRegex {
    std::set<std::string, std::less<>> topics;
    std::int64_t version = 0;
    std::int64_t timestamp = 0;
    friend bool operator==(const ResolvedRegex&, const ResolvedRegex&) = default;
  };
  using Regexes = std::map<std::string, ResolvedRegex, std::less<>>;
  using Members = std::vector<const ConsumerMember*>;  // By id.
  struct Deadlines {
    runtime::Instant session_end = runtime::Instant::max();
    runtime::Instant revocation_end = runtime::Instant::max();
    runtime::Instant rejoin_end = runtime::Instant::max();  ///< of a classic member that is told to
    runtime::Instant sync_end = runtime::Instant::max();    ///< of one that has joined
    std::int32_t revocation_epoch = 0;

    [[nodiscard]] runtime::Instant next() const {
      return std::min({session_end, revocation_end, rejoin_end, sync_end});
    }
  };
  /// What a heartbeat makes of its member, before it is written.
  struct Change {
    ConsumerMember member{};  ///< with its new profile, and its progress so far
    bool is_new = false;
    std::optional<std::string> replaces{};  ///< the static member's id until now
    bool profile_changed = false;
    bool subscription_changed = false;
  };

  // consumer_group_heartbeat.cc
  [[nodiscard]] Result<Change> member_of(const HeartbeatCall& call) const;
  [[nodiscard]] Result<Change> static_member_of(const HeartbeatCall& call) const;
  [[nodiscard]] Result<protocol::ConsumerGroupHeartbeatResponse> leave(const HeartbeatCall& call,
                                                                       const Moment& now, Effects& out);
  [[nodiscard]] Result<void> update(Change& change, const HeartbeatCall& call) const;
  void write_member(const Change& change, Effects& out) const;
  [[nodiscard]] bool follow_regexes(const Members& members, Regexes& regexes, const Moment& now,
                                    Effects& out) const;
  [[nodiscard]] std::int32_t follow_topics(const Change& change, Regexes& regexes, const Moment& now,
                                           Effects& out);
  [[nodiscard]] bool may_assign(const Moment& now) const;
  [[nodiscard]] TopicPartitions retarget(const Change& change, const Regexes& regexes, std::int32_t epoch,
                                         const Moment& now, Effects& out) const;
  [[nodiscard]] const TopicPartitions* target_so_far(const Change& change, const std::string& id) const;
  /// Writes what `change` makes, and takes its member one step further. `owned`: what it says that it has.
  ConsumerProgress advance(const Change& change, const std::optional<TopicPartitions>& owned,
                           const Moment& now, Effects& out);
  [[nodiscard]] ConsumerProgress step(const Change& change, const std::optional<TopicPartitions>& owned,
                                      const Regexes& regexes, std::int32_t target_epoch,
                                      const TopicPartitions& target) const;
  void set_deadlines(const Change& change, const ConsumerProgress& next, const Moment& now);

  // consumer_group_classic.cc
  [[nodiscard]] bool speaks_with_all(const protocol::JoinGroupRequest& request) const;
  [[nodiscard]] Result<Change> classic_member_of(const JoinCall& call) const;
  [[nodiscard]] ErrorCode check_classic(const std::string& member, const std::optional<std::string>& instance,
                                        std::int32_t generation) const;
  [[nodiscard]] bool is_behind(const ConsumerMember& member, const Moment& now) const;
  [[nodiscard]] bool waits_for_others(const ConsumerMember& member) const;
  void await_rejoin(const ConsumerMember& member, const Moment& now);
  void downgrade(const Members& rest, std::int32_t generation, const Moment& now, Effects& out) const;

  // consumer_group.cc
  void remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail, const Moment& now,
              Effects& out);
  [[nodiscard]] bool may_downgrade(const Members& rest) const;
  void begin_session(const ConsumerMember& member, const Moment& now);
  void write_removal(const std::string& id, Effects& out) const;
  void write_epoch(std::int32_t epoch, std::int64_t hash, Effects& out) const;
  [[nodiscard]] Members members_with(const Change& change) const;
  [[nodiscard]] std::set<std::string, std::less<>> topics_of(const Members& members,
                                                             const Regexes& regexes) const;
  [[nodiscard]] std::set<TopicId> subscribed_ids(const ConsumerProfile& profile,
                                                 const Regexes& regexes) const;
  [[nodiscard]] Assignor preferred_assignor(const Members& members) const;
  [[nodiscard]] const ConsumerMember* static_member(std::string_view instance) const;
  [[nodiscard]] ErrorCode check_epoch(const ConsumerMember& member, std::int32_t epoch) const;
  void due(runtime::Instant when) { next_tick_ = std::min(next_tick_, when); }

  // consumer_group_replay.cc
  void apply(const ConsumerGroupEpochRecord& record);
  void apply(const ConsumerGroupTopicsRecord& record);
  void apply(const ConsumerProfileRecord& record);
  void apply(const ConsumerTargetEpochRecord& record);
  void apply(const ConsumerTargetRecord& record);
  void apply(const ConsumerProgressRecord& record);
  void apply(const ConsumerRegexRecord& record);
  void set_progress(ConsumerMember& member, ConsumerProgress progress);
  void hold(const ConsumerMember& member);
  void release(const ConsumerMember& member);

  std::string id_;
  const GroupConfig& config_;
  const ClusterFacts& facts_;

  std::int32_t epoch_ = 0;
  std::int64_t topics_hash_ = 0;
  std::int32_t assignment_epoch_ = 0;
  std::optional<Timestamp> assigned_at_;
  bool has_topics_record_ = false;
  std::map<std::string, ConsumerMember, std::less<>> members_;
  std::map<std::string, TopicPartitions, std::less<>> targets_;
  Regexes regexes_;

  // What follows from the above.
  std::map<std::string, std::string, std::less<>> static_ids_;  // By instance id: the member's id.
  std::map<TopicIdPartition, std::string> holders_;             // Members' ids.
  std::size_t behind_ = 0;                                      // Members that are not reconciled.

  // What no record keeps:
  std::map<std::string, Deadlines> deadlines_;
  bool becomes_classic_ = false;
  std::optional<std::int64_t> topics_seen_;  // The version of the facts that the hash and regexes are of.
  runtime::Instant next_tick_ = runtime::Instant::max();
};

}  // namespace brook::coordinator

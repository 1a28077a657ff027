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
#include "coordinator/streams_group_records.h"
#include "coordinator/streams_member.h"
#include "coordinator/streams_reconciliation.h"
#include "coordinator/streams_topology.h"
#include "protocol/offset_commit.h"
#include "protocol/streams_group_describe.h"
#include "protocol/streams_group_heartbeat.h"

namespace brook::coordinator {

/// A StreamsGroupHeartbeat request with what its decision needs besides. Both live as long as the call.
struct StreamsHeartbeatCall {
  const protocol::StreamsGroupHeartbeatRequest& request;
  const Caller& caller;
};

/// What can be said of a request without any group: INVALID_REQUEST, STREAMS_INVALID_TOPOLOGY. As in Apache
/// Kafka 4.3.1 there are no static members, regular expressions, warm-up tasks or tasks' offsets yet.
[[nodiscard]] Result<void> check_streams_heartbeat(const protocol::StreamsGroupHeartbeatRequest& request);

struct StreamsHeartbeatAnswer {
  protocol::StreamsGroupHeartbeatResponse response;
  std::vector<StreamsInternalTopic> topics{};  ///< to be made
};

/// A group whose coordinator shares out the tasks of a streams application (KIP-1071,
/// group.protocol=streams), as a state machine without I/O, clock or waiting. Its epochs are a
/// ConsumerGroup's: the group's rises when members, topology, topics or the number of standby tasks change,
/// the targets' follows, each member's follows that as it is reconciled.
///
///     Empty ─► NotReady (topics are missing or do not fit) ─► Assigning (targets are behind)
///           ─► Reconciling (members are behind) ─► Stable
///
/// The topology comes with the first member and stays until the group is deleted; who brings another is
/// refused. The first targets of an empty group wait for group.streams.initial.rebalance.delay.ms, so that
/// the members that start together share.
///
/// Everything that counts is in records, changes in the log first, and here by replay(); sessions, a shutdown
/// that was asked for and the epoch of endpoints are soft. Invariants: no epoch falls; a task is active with
/// one member at most, pending ones included, and in one role on a process; targets share out every task.
class StreamsGroup {
 public:
  enum class State : std::uint8_t { kEmpty, kNotReady, kAssigning, kReconciling, kStable };
  static constexpr std::size_t kStates = 5;
  /// As StreamsGroupDescribe says it.
  [[nodiscard]] static std::string_view state_name(State state);

  /// `config` and `facts` outlive it.
  StreamsGroup(std::string id, const GroupConfig& config, const ClusterFacts& facts)
      : id_(std::move(id)), config_(config), facts_(facts) {}

  /// `call.request` has passed check_streams_heartbeat(). On an error nothing is written. UNKNOWN_MEMBER_ID,
  /// FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED, INVALID_REQUEST, STREAMS_INVALID_TOPOLOGY.
  [[nodiscard]] Result<StreamsHeartbeatAnswer> heartbeat(const StreamsHeartbeatCall& call, const Moment& now,
                                                         Effects& out);
  /// Whether this member may commit: −1 and no member from outside of a group without members, or in a
  /// transaction. UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, and UNSUPPORTED_VERSION below version 9.
  [[nodiscard]] ErrorCode check_commit(const protocol::OffsetCommitRequest& request,
                                       std::int16_t version) const;
  /// UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH.
  [[nodiscard]] ErrorCode check_fetch(const std::optional<std::string>& member, std::int32_t epoch) const;
  /// While it has members.
  [[nodiscard]] bool subscribes_to(std::string_view topic) const;

  /// Time-outs that have passed, and the first targets.
  void tick(const Moment& now, Effects& out);
  /// No later than the next moment at which tick() has something to do; max where nothing is due.
  [[nodiscard]] runtime::Instant next_tick() const { return next_tick_; }
  /// All records have been replayed: sessions begin.
  void loaded(const Moment& now);
  /// The log refused what was decided.
  void not_stored() { topics_seen_.reset(); }
  /// What ends the group in the log.
  void bury(Effects& out) const;

  void replay(const StreamsGroupRecord& record);

  [[nodiscard]] State state() const;
  [[nodiscard]] bool empty() const { return members_.empty(); }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] std::int32_t assignment_epoch() const { return assignment_epoch_; }
  [[nodiscard]] const std::map<std::string, StreamsMember, std::less<>>& members() const { return members_; }
  [[nodiscard]] const std::map<std::string, TaskSets, std::less<>>& targets() const { return targets_; }
  [[nodiscard]] const std::optional<StreamsTopology>& topology() const { return topology_; }
  [[nodiscard]] protocol::StreamsGroupDescribeResponse::DescribedGroup describe() const;

  /// What replay makes; the soft part does not count.
  [[nodiscard]] bool same_records(const StreamsGroup& other) const;

 private:
  using Request = protocol::StreamsGroupHeartbeatRequest;
  using Response = protocol::StreamsGroupHeartbeatResponse;
  using Members = std::vector<const StreamsMember*>;  // By id.
  struct Deadlines {
    runtime::Instant session_end = runtime::Instant::max();
    runtime::Instant revocation_end = runtime::Instant::max();
    std::int32_t revocation_epoch = 0;
  };
  /// What a heartbeat makes of its member, before it is written.
  struct Change {
    StreamsMember member{};  ///< with its new profile, and its progress so far
    bool is_new = false;
    bool profile_changed = false;
  };
  /// What a decision goes by: what is there, with what a heartbeat adds.
  struct View {
    const Change* change = nullptr;  ///< null: nobody's
    const StreamsTopology& topology;
    const ConfiguredTopology& configured;
  };

  // streams_group_heartbeat.cc
  [[nodiscard]] Result<StreamsHeartbeatAnswer> leave(const Request& request, Effects& out);
  [[nodiscard]] Result<Change> member_of(const StreamsHeartbeatCall& call) const;
  void update(Change& change, const StreamsHeartbeatCall& call) const;
  /// The topology that the heartbeat brings, where there is none yet.
  [[nodiscard]] Result<std::optional<StreamsTopology>> brought(const Request& request) const;
  /// The group's epoch now: another where something changed that targets depend on.
  [[nodiscard]] std::int32_t follow(const View& view, Effects& out);
  [[nodiscard]] bool may_assign(const Moment& now) const;
  /// New targets; what is meant for the member that changes.
  [[nodiscard]] TaskSets retarget(const View& view, std::int32_t epoch, const Moment& now,
                                  Effects& out) const;
  [[nodiscard]] StreamsProgress step(const Change& change, const std::optional<TaskSets>& owned,
                                     std::int32_t target_epoch, const TaskSets& target) const;
  void set_deadlines(const Change& change, const StreamsProgress& next, const Moment& now);
  void answer_endpoints(const Request& request, const View& view, Response& out) const;
  [[nodiscard]] std::vector<Response::Status> statuses(const View& view) const;

  // streams_group.cc
  void remove(const std::set<std::string>& ids, RebalanceCause cause, std::string detail, Effects& out);
  void begin_session(const std::string& id, const Moment& now);
  void write_removal(const std::string& id, Effects& out) const;
  void write_epoch(const protocol::StreamsGroupMetadataValue& value, Effects& out) const;
  /// What is recorded with the group's epoch, as it is.
  [[nodiscard]] protocol::StreamsGroupMetadataValue metadata() const;
  /// The first targets.
  void assign_first(const Moment& now, Effects& out);
  [[nodiscard]] Members members_with(const Change* change) const;
  void due(runtime::Instant when) { next_tick_ = std::min(next_tick_, when); }

  void apply(const StreamsGroupEpochRecord& record);
  void apply(const StreamsProfileRecord& record);
  void apply(const StreamsTargetEpochRecord& record);
  void apply(const StreamsTargetRecord& record);
  void apply(const StreamsProgressRecord& record);
  void apply(const StreamsTopologyRecord& record);

  std::string id_;
  const GroupConfig& config_;
  const ClusterFacts& facts_;

  // A member that is made to wait for the first targets has an epoch, that of none: 0 would be a join.
  std::int32_t epoch_ = 1;
  std::int64_t topics_hash_ = 0;
  std::int32_t validated_epoch_ = -1;  ///< of the topology when all of its topics last were there
  std::map<std::string, std::string> assignment_configs_;  ///< what the targets were made with
  std::int32_t assignment_epoch_ = 1;
  std::optional<Timestamp> assigned_at_;
  std::optional<StreamsTopology> topology_;
  std::map<std::string, StreamsMember, std::less<>> members_;
  std::map<std::string, TaskSets, std::less<>> targets_;

  // What no record keeps:
  std::map<std::string, Deadlines> deadlines_;
  std::optional<std::int64_t> topics_seen_;  ///< the version of the facts that the hash is of
  struct Seen {
    std::int64_t version = 0;
    ConfiguredTopology topology;
  };
  std::optional<Seen> configured_;                 ///< the topology among the topics of that version
  std::optional<runtime::Instant> first_targets_;  ///< when they are made
  std::optional<std::string> shutdown_by_;
  std::int32_t endpoint_epoch_ = -1;
  runtime::Instant next_tick_ = runtime::Instant::max();
};

}  // namespace brook::coordinator

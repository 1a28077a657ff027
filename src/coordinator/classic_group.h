#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/effects.h"
#include "coordinator/group_config.h"
#include "coordinator/moment.h"
#include "protocol/describe_groups.h"

namespace brook::coordinator {

/// Who asks, and how.
struct Caller {
  std::string client_id;
  std::string host;  ///< as Java prints an address: "/127.0.0.1"
  std::int16_t version = 0;
};

/// A JoinGroup request with what its decision needs besides. All references live as long as the call.
struct JoinCall {
  const protocol::JoinGroupRequest& request;
  const Caller& caller;
  Token token = 0;
  /// What makes a new member's id unique.
  std::string_view fresh_uuid;

  /// Version 0 has no such field.
  [[nodiscard]] std::chrono::milliseconds rebalance_timeout() const {
    return std::chrono::milliseconds(caller.version == 0 ? request.session_timeout_ms
                                                         : request.rebalance_timeout_ms);
  }
};

/// What a member supports, in its order of preference.
struct MemberProtocol {
  std::string name;
  protocol::Bytes metadata;

  friend bool operator==(const MemberProtocol&, const MemberProtocol&) = default;
};

struct ClassicMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::chrono::milliseconds rebalance_timeout{};
  std::chrono::milliseconds session_timeout{};
  std::vector<MemberProtocol> protocols;
  protocol::Bytes assignment;

  // What no record keeps:
  std::optional<Token> join;  ///< its request that waits for the generation
  std::optional<Token> sync;  ///< its request that waits for the assignment
  bool is_new = false;        ///< it has not been told of a generation yet
  bool owes_sync = false;     ///< it was, and has not come for its assignment
  runtime::Instant session_end{};

  [[nodiscard]] const protocol::Bytes* metadata_for(std::string_view protocol) const;
};

/// A group whose members choose a leader among them that assigns partitions (JoinGroup, SyncGroup): Apache
/// Kafka's classic protocol, as a state machine without I/O, clock or waiting.
///
///     Empty ─► PreparingRebalance ─► CompletingRebalance ─► Stable
///       ▲              │  ▲                  │                │
///       └──────────────┘  └──────────────────┴────────────────┘
///
/// What the group's record says (generation, members, assignment) changes in the log first and here by
/// install(), live and on load alike; everything else is soft and is lost with the process, after which
/// clients join again. Each request that waits gets exactly one reply. Invariants: a generation has one
/// leader, which is a member; the generation never falls; in Stable each member has an assignment, maybe an
/// empty one.
class ClassicGroup {
 public:
  enum class State : std::uint8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };
  static constexpr std::size_t kStates = 4;
  /// As DescribeGroups says it.
  [[nodiscard]] static std::string_view state_name(State state);

  /// `config` outlives it.
  ClassicGroup(std::string id, const GroupConfig& config) : id_(std::move(id)), config_(config) {}

  /// Replies now or later, through `out`.
  void join(const JoinCall& call, const Moment& now, Effects& out);
  void sync(const protocol::SyncGroupRequest& request, Token token, const Moment& now, Effects& out);
  /// UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.
  [[nodiscard]] ErrorCode heartbeat(const std::string& member, const std::optional<std::string>& instance,
                                    std::int32_t generation, const Moment& now);
  struct Leaver {
    std::string member;
    std::optional<std::string> instance;
    std::string reason;
  };
  /// One code per leaver.
  [[nodiscard]] std::vector<ErrorCode> leave(const std::vector<Leaver>& leavers, const Moment& now,
                                             Effects& out);
  /// Whether this member may commit offsets: −1 and no member from outside of the group management.
  [[nodiscard]] ErrorCode check_commit(const std::string& member, const std::optional<std::string>& instance,
                                       std::int32_t generation) const;
  /// A commit keeps the session alive.
  void note_commit(const std::string& member, const Moment& now);
  /// Something from outside makes the members join again.
  void rebalance(RebalanceCause cause, std::string detail, const Moment& now, Effects& out);
  /// The log refused what sync() wrote: the members join again.
  void assignment_not_stored(const Moment& now, Effects& out);

  /// Time-outs that have passed.
  void tick(const Moment& now, Effects& out);
  /// No later than the next moment at which tick() has something to do; max where nothing is due.
  [[nodiscard]] runtime::Instant next_tick() const { return next_tick_; }

  /// Makes the group what its record says: after an append, and while loading.
  void install(const protocol::GroupMetadataValue& value);
  /// All records have been installed: sessions begin.
  void loaded(const Moment& now, Effects& out);
  /// Answers everybody who waits with `code`.
  void refuse_all(ErrorCode code, Effects& out);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool empty() const { return state_ == State::kEmpty; }
  [[nodiscard]] bool has_pending_members() const { return !pending_.empty(); }
  [[nodiscard]] std::int32_t generation() const { return generation_; }
  /// "" before the first member: a group that only commits offsets.
  [[nodiscard]] const std::string& protocol_type() const { return protocol_type_; }
  [[nodiscard]] const std::optional<std::string>& leader() const { return leader_; }
  [[nodiscard]] const std::map<std::string, ClassicMember>& members() const { return members_; }
  /// When it came into the state that its last record says.
  [[nodiscard]] const std::optional<Timestamp>& state_since() const { return state_since_; }
  /// What its record would say now.
  [[nodiscard]] protocol::GroupMetadataValue metadata() const;
  [[nodiscard]] protocol::DescribeGroupsResponse::DescribedGroup describe() const;
  /// The topics that the members of a "consumer" group read; nothing where that cannot be known.
  [[nodiscard]] std::optional<std::set<std::string>> subscribed_topics() const;

 private:
  struct Cause {
    RebalanceCause cause;
    std::string member;
    std::string detail;
  };

  // classic_group_join.cc
  [[nodiscard]] bool accepts(const std::string& member) const;
  void join_as_new(const JoinCall& call, const Moment& now, Effects& out);
  void join_as_known(const JoinCall& call, const Moment& now, Effects& out);
  void replace_static(const JoinCall& call, const std::string& old_id, const std::string& new_id,
                      const Moment& now, Effects& out);
  void add_member(const JoinCall& call, const std::string& id, const Moment& now, Effects& out);
  void update_member(ClassicMember& member, const JoinCall& call, Effects& out);
  [[nodiscard]] protocol::JoinGroupResponse current_generation(const ClassicMember& member,
                                                               bool tell_leader) const;
  [[nodiscard]] bool supports(const protocol::JoinGroupRequest& request) const;
  [[nodiscard]] std::string choose_protocol() const;

  // classic_group_rebalance.cc
  void rebalance_or_complete(Cause cause, const Moment& now, Effects& out);
  void prepare_rebalance(Cause cause, const Moment& now, Effects& out);
  void complete_if_all_joined(const Moment& now, Effects& out);
  void complete_join(const Moment& now, Effects& out);
  void initial_delay_over(const Moment& now, Effects& out);
  void expire_syncs(const Moment& now, Effects& out);
  void expire_sessions(const Moment& now, Effects& out);
  void assign(const protocol::SyncGroupRequest& request, const Moment& now, Effects& out);
  [[nodiscard]] bool elect_leader();
  [[nodiscard]] bool all_joined() const { return joins_waiting_ == members_.size() && pending_.empty(); }
  [[nodiscard]] std::chrono::milliseconds rebalance_timeout() const;

  // classic_group.cc
  [[nodiscard]] ErrorCode check_member(const std::string& member,
                                       const std::optional<std::string>& instance) const;
  void remove_member(const std::string& id, Effects& out);
  void rename_member(const std::string& old_id, const std::string& new_id);
  void set_join(ClassicMember& member, std::optional<Token> token);
  void reply_join(ClassicMember& member, protocol::JoinGroupResponse response, Effects& out);
  void refuse_join(ClassicMember& member, ErrorCode code, Effects& out);
  void refuse_sync(ClassicMember& member, ErrorCode code, Effects& out);
  void begin_session(ClassicMember& member, const Moment& now);
  void due(runtime::Instant when) { next_tick_ = std::min(next_tick_, when); }
  void note_next_tick();

  std::string id_;
  const GroupConfig& config_;
  State state_ = State::kEmpty;
  std::string protocol_type_;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_;
  std::optional<std::string> leader_;
  std::optional<Timestamp> state_since_;
  std::map<std::string, ClassicMember> members_;
  std::map<std::string, std::string> static_ids_;  // By instance id: the member's id.
  /// Ids that were given out and have not joined yet, with the end of their patience.
  std::map<std::string, runtime::Instant> pending_;
  std::size_t joins_waiting_ = 0;

  // While PreparingRebalance: when it ends whoever has come. The first one of an empty group is delayed, and
  // again while members come, up to `initial_left_`.
  runtime::Instant join_end_ = runtime::Instant::max();
  bool initial_ = false;
  bool came_meanwhile_ = false;
  std::chrono::milliseconds initial_delay_{};
  std::chrono::milliseconds initial_left_{};
  // From a new generation until every member has come for its assignment.
  runtime::Instant sync_end_ = runtime::Instant::max();
  runtime::Instant next_tick_ = runtime::Instant::max();
};

}  // namespace brook::coordinator

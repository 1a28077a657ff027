#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/classic_group.h"
#include "coordinator/cluster_facts.h"
#include "coordinator/committed_offsets.h"
#include "coordinator/consumer_group.h"
#include "coordinator/effects.h"
#include "coordinator/group_config.h"
#include "coordinator/moment.h"
#include "coordinator/pending_offsets.h"
#include "coordinator/share_group.h"
#include "coordinator/streams_group.h"
#include "protocol/delete_groups.h"
#include "protocol/list_groups.h"
#include "protocol/offset_commit.h"
#include "protocol/offset_delete.h"
#include "protocol/offset_fetch.h"
#include "protocol/txn_offset_commit.h"

namespace brook::coordinator {

/// An offset that retention dropped: said in the log, since a consumer that comes late asks why.
struct ExpiredOffset {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

/// The groups of one partition of __consumer_offsets: decisions as functions of (state, request, now) into
/// Effects and replies; replay() applies what they write. A group comes into being with its first member or
/// offset and goes with DeleteGroups, or when it has neither for long enough. It is classic until a member of
/// the consumer or streams protocol joins it while it has no others, and the other way round. A share group
/// is one from its first member to DeleteGroups. No I/O, no clock, no waiting.
class GroupMachine {
 public:
  using Record = GroupRecord;

  /// Both outlive it.
  GroupMachine(const GroupConfig& config, const ClusterFacts& facts) : config_(config), facts_(facts) {}

  [[nodiscard]] static Result<std::optional<Record>> decode(const EncodedRecord& record) {
    return decode_group_record(record);
  }

  void join(const JoinCall& call, const Moment& now, Effects& out);
  void sync(const protocol::SyncGroupRequest& request, Token token, const Moment& now, Effects& out);
  [[nodiscard]] ErrorCode heartbeat(const std::string& group, const std::string& member,
                                    const std::optional<std::string>& instance, std::int32_t generation,
                                    const Moment& now);
  /// One code per leaver; UNKNOWN_MEMBER_ID for all where there is no such group.
  [[nodiscard]] std::vector<ErrorCode> leave(const std::string& group,
                                             const std::vector<ClassicGroup::Leaver>& leavers,
                                             const Moment& now, Effects& out);

  /// INVALID_REQUEST, UNSUPPORTED_ASSIGNOR, GROUP_ID_NOT_FOUND, and as ConsumerGroup::heartbeat().
  [[nodiscard]] Result<protocol::ConsumerGroupHeartbeatResponse> consumer_heartbeat(const HeartbeatCall& call,
                                                                                    const Moment& now,
                                                                                    Effects& out);

  /// INVALID_REQUEST, GROUP_ID_NOT_FOUND, and as ShareGroup::heartbeat().
  [[nodiscard]] Result<ShareHeartbeatAnswer> share_heartbeat(const ShareHeartbeatCall& call,
                                                             const Moment& now, Effects& out);
  /// States that a share group asked for are there or not; `dropped`: it was not even tried. Nothing happens
  /// where the group is gone.
  void share_initialisation_ended(const std::string& group, const TopicPartitions& made,
                                  const TopicPartitions& failed, Effects& out);
  void share_initialisation_dropped(const std::string& group);
  /// INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, here and below. What is altered makes its group.
  [[nodiscard]] Result<ShareAlteration> alter_share_offsets(
      const protocol::AlterShareGroupOffsetsRequest& request, Effects& out);
  [[nodiscard]] Result<ShareErasure> delete_share_offsets(
      const protocol::DeleteShareGroupOffsetsRequest& request, Effects& out) const;
  void share_states_erased(const std::string& group, const std::set<TopicId>& topics, Effects& out) const;
  /// What has to be erased before the group can be deleted; nothing where it is of another kind.
  [[nodiscard]] Result<std::vector<TopicIdPartition>> erase_share_group(const std::string& group,
                                                                        Effects& out) const;

  /// INVALID_REQUEST, GROUP_ID_NOT_FOUND, and as StreamsGroup::heartbeat().
  [[nodiscard]] Result<StreamsHeartbeatAnswer> streams_heartbeat(const StreamsHeartbeatCall& call,
                                                                 const Moment& now, Effects& out);

  /// `request` has each topic's name, and its id where that is known. The answer holds where the records are
  /// committed.
  [[nodiscard]] protocol::OffsetCommitResponse commit_offsets(const protocol::OffsetCommitRequest& request,
                                                              std::int16_t version, const Moment& now,
                                                              Effects& out);
  /// The same in a transaction: the records are to be written as part of it.
  [[nodiscard]] protocol::TxnOffsetCommitResponse commit_in_transaction(
      const protocol::TxnOffsetCommitRequest& request, const Moment& now, Effects& out);
  /// `request` as above; without topics it asks for all. With `require_stable` an offset that an open
  /// transaction may yet change is UNSTABLE_OFFSET_COMMIT.
  [[nodiscard]] protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch_offsets(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const;
  [[nodiscard]] protocol::OffsetDeleteResponse delete_offsets(const protocol::OffsetDeleteRequest& request,
                                                              Effects& out) const;
  /// INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.
  [[nodiscard]] ErrorCode delete_group(const std::string& group, Effects& out) const;
  /// A topic is gone, and what was committed for it with it. `id` zero: whatever its id was.
  void forget_topic(const std::string& topic, const TopicId& id, Effects& out) const;

  /// GROUP_ID_NOT_FOUND where there is no such group, or it is of the other kind.
  [[nodiscard]] Result<protocol::DescribeGroupsResponse::DescribedGroup> describe(
      const std::string& group) const;
  [[nodiscard]] Result<protocol::ConsumerGroupDescribeResponse::DescribedGroup> describe_consumer(
      const std::string& group) const;
  [[nodiscard]] Result<protocol::ShareGroupDescribeResponse::DescribedGroup> describe_share(
      const std::string& group) const;
  [[nodiscard]] Result<protocol::StreamsGroupDescribeResponse::DescribedGroup> describe_streams(
      const std::string& group) const;
  /// Groups in one of `states` and of one of `types`, both in any case; an empty list is every one.
  [[nodiscard]] std::vector<protocol::ListGroupsResponse::ListedGroup> list(
      const std::vector<std::string>& states, const std::vector<std::string>& types) const;

  /// Retention: looks at up to `groups_max` groups from where the last call ended, and writes tombstones for
  /// their expired offsets and for groups that have nothing left. True when it has been through all.
  [[nodiscard]] bool expire(const Moment& now, std::size_t groups_max, Effects& out,
                            std::vector<ExpiredOffset>& expired);

  /// The log refused `records`, which a decision wrote.
  void not_stored(const std::vector<GroupRecord>& records, const Moment& now, Effects& out);
  /// Time-outs that have passed, up to a number of groups; asks for the next turn where more are left.
  void tick(const Moment& now, Effects& out);
  /// When tick() is next due; max where nothing is.
  [[nodiscard]] runtime::Instant next_tick() const;

  void replay(const GroupRecord& record);
  /// What an open transaction wrote, and its end.
  void replay_pending(ProducerId producer, const GroupRecord& record);
  void end_transaction(ProducerId producer, bool commit);
  /// Everything has been replayed: sessions begin.
  void loaded(const Moment& now, Effects& out);
  /// Answers everybody who waits.
  void refuse_all(ErrorCode code, Effects& out);

  [[nodiscard]] const ClassicGroup* find(const std::string& group) const;
  /// Null where there is no such group, or it is classic.
  [[nodiscard]] const ConsumerGroup* find_consumer(const std::string& group) const;
  /// The same for share groups.
  [[nodiscard]] const ShareGroup* find_share(const std::string& group) const;
  /// And for streams groups.
  [[nodiscard]] const StreamsGroup* find_streams(const std::string& group) const;
  [[nodiscard]] const CommittedOffsets* offsets(const std::string& group) const;
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  /// Classic ones.
  [[nodiscard]] const std::array<std::int64_t, ClassicGroup::kStates>& count_by_state() const {
    return *classic_counts_;
  }
  [[nodiscard]] const std::array<std::int64_t, ConsumerGroup::kStates>& count_consumer_by_state() const {
    return consumer_counts_;
  }
  [[nodiscard]] const std::array<std::int64_t, ShareGroup::kStates>& count_share_by_state() const {
    return share_counts_;
  }
  [[nodiscard]] const std::array<std::int64_t, StreamsGroup::kStates>& count_streams_by_state() const {
    return streams_counts_;
  }

 private:
  using ClassicCounts = std::array<std::int64_t, ClassicGroup::kStates>;
  struct Group {
    Group(const std::string& id, const GroupConfig& config, ClassicCounts& group_counts)
        : classic(id, config), counts(group_counts) {
      recount();
    }
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    /// After what may have changed the classic group's state, or whether it is one.
    void recount();

    ClassicGroup classic;
    std::optional<ConsumerGroup> consumer;  ///< then `classic` is empty
    std::optional<ShareGroup> share;        ///< then there is nothing else
    std::optional<StreamsGroup> streams;    ///< then `classic` is empty
    CommittedOffsets offsets;
    bool recorded = false;           ///< the log has a record of it, which a tombstone must end
    bool consumer_recorded = false;  ///< the same of `consumer`
    bool share_recorded = false;     ///< and of `share`
    bool streams_recorded = false;   ///< and of `streams`
    bool owes_rebalance = false;     ///< `classic` has come out of a consumer group
    runtime::Instant armed = runtime::Instant::max();
    ClassicCounts& counts;
    std::optional<ClassicGroup::State> counted;  ///< where it stands in them; a group of another kind nowhere
  };

  [[nodiscard]] Group* at(const std::string& group);
  [[nodiscard]] const Group* at(const std::string& group) const;
  [[nodiscard]] Group& make(const std::string& group);
  void arm(Group& group);
  void arm_at(Group& group, runtime::Instant when);
  [[nodiscard]] Result<void> upgrade(Group& group, Effects& out);
  /// After each decision of a consumer group.
  void follow_up(Group& group, const Moment& now);
  // group_machine_replay.cc
  template <class Kind, class Record>
  void replay_as(const Kind& kind, const Record& record);
  template <class Kind, class Record>
  void not_stored_as(const Kind& kind, const Record& record);
  void replay_consumer(const ConsumerGroupRecord& record);
  void replay_share(const ShareGroupRecord& record);
  void replay_streams(const StreamsGroupRecord& record);
  void consumer_not_stored(const ConsumerGroupRecord& record);
  void share_not_stored(const ShareGroupRecord& record);
  void streams_not_stored(const StreamsGroupRecord& record);
  /// GROUP_ID_NOT_FOUND.
  [[nodiscard]] Result<const ShareGroup*> share_group(const std::string& group) const;
  /// Whether members of any kind are there or on their way.
  [[nodiscard]] static bool has_members(const Group& group);
  /// What ends the group in the log, its offsets aside.
  static void bury(const std::string& id, const Group& group, Effects& out);
  /// Neither members nor offsets nor a record.
  [[nodiscard]] static bool nothing_in(const Group& group);
  [[nodiscard]] ErrorCode check_commit(const protocol::OffsetCommitRequest& request, std::int16_t version,
                                       const Moment& now);
  /// TxnOffsetCommit before version 3 names no member.
  [[nodiscard]] ErrorCode check_commit(const protocol::TxnOffsetCommitRequest& request, const Moment& now);
  /// Writes the tombstones of what has expired; true where nothing is left.
  [[nodiscard]] bool expire_offsets(const Group& group, const Moment& now, Effects& out,
                                    std::vector<ExpiredOffset>& expired) const;

  const GroupConfig& config_;
  const ClusterFacts& facts_;
  /// Before the groups, whose ends change it; it stays where it is when the machine moves.
  std::unique_ptr<ClassicCounts> classic_counts_ = std::make_unique<ClassicCounts>();
  std::array<std::int64_t, ConsumerGroup::kStates> consumer_counts_{};
  std::array<std::int64_t, ShareGroup::kStates> share_counts_{};
  std::array<std::int64_t, StreamsGroup::kStates> streams_counts_{};
  std::map<std::string, Group, std::less<>> groups_;
  PendingOffsets pending_;
  /// Groups by when they want tick(); entries that their group has moved away from are passed over.
  std::multimap<runtime::Instant, std::string> timers_;
  std::string expiry_cursor_;  ///< the group that expire() goes on behind
};

}  // namespace brook::coordinator

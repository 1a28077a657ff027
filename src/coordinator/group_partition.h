#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/availability.h"
#include "coordinator/coordinator_runtime.h"
#include "coordinator/group_machine.h"
#include "coordinator/group_metrics.h"
#include "coordinator/share_state_store.h"
#include "coordinator/waiting_replies.h"
#include "runtime/gate.h"

namespace brook::coordinator {

/// One partition of __consumer_offsets, and the groups that it holds: decisions of the machine, carried out.
///
/// While it loads, everything is refused with COORDINATOR_LOAD_IN_PROGRESS at once (a heartbeat is let pass,
/// as in Kafka); after close() with NOT_COORDINATOR. Whoever calls a task holds it by shared_ptr until that
/// has ended. Runs on: its shard.
class GroupPartition : public std::enable_shared_from_this<GroupPartition> {
 public:
  /// All outlive it.
  GroupPartition(runtime::Shard& shard, runtime::Gate& gate, const GroupConfig& config,
                 const ClusterFacts& facts, ShareStateStore& share_states, GroupMetrics& metrics,
                 PartitionIndex index, std::unique_ptr<LogPort> log);
  ~GroupPartition();
  GroupPartition(const GroupPartition&) = delete;
  GroupPartition& operator=(const GroupPartition&) = delete;

  [[nodiscard]] PartitionIndex index() const { return index_; }
  [[nodiscard]] Task<void> load();
  /// Answers everybody who waits and takes nothing any more.
  void close();
  /// Ends waits and refuses new ones, for a broker that stops; the rest goes on.
  void stop_waiting();

  /// It and sync() decide at once; the task waits for the answer. The response outlives the task, the others
  /// the call.
  [[nodiscard]] Task<void> join(const protocol::JoinGroupRequest& request, const Caller& caller,
                                protocol::JoinGroupResponse& response);
  [[nodiscard]] Task<void> sync(const protocol::SyncGroupRequest& request,
                                protocol::SyncGroupResponse& response);
  [[nodiscard]] Task<ErrorCode> heartbeat(std::string group, std::string member,
                                          std::optional<std::string> instance, std::int32_t generation);
  /// An error of the whole, or a code for each.
  [[nodiscard]] Task<Result<std::vector<ErrorCode>>> leave(std::string group,
                                                           std::vector<ClassicGroup::Leaver> leavers);
  [[nodiscard]] Task<protocol::ConsumerGroupHeartbeatResponse> consumer_heartbeat(
      protocol::ConsumerGroupHeartbeatRequest request, Caller caller);
  /// The answer tells of partitions whose states had to be made for it.
  [[nodiscard]] Task<protocol::ShareGroupHeartbeatResponse> share_heartbeat(
      protocol::ShareGroupHeartbeatRequest request, Caller caller);
  /// With the topics that have to be made.
  [[nodiscard]] Task<StreamsHeartbeatAnswer> streams_heartbeat(protocol::StreamsGroupHeartbeatRequest request,
                                                               Caller caller);
  [[nodiscard]] Task<protocol::AlterShareGroupOffsetsResponse> alter_share_offsets(
      protocol::AlterShareGroupOffsetsRequest request);
  [[nodiscard]] Task<protocol::DeleteShareGroupOffsetsResponse> delete_share_offsets(
      protocol::DeleteShareGroupOffsetsRequest request);
  /// Which partitions have a state; none where there is no such share group.
  [[nodiscard]] Task<Result<ShareTopics>> share_topics(std::string group);
  /// Topics have their names and, where known, ids.
  [[nodiscard]] Task<protocol::OffsetCommitResponse> commit_offsets(protocol::OffsetCommitRequest request,
                                                                    std::int16_t version);
  /// Markers that the partition has of a producer, to be asked before its transaction's coordinator is.
  [[nodiscard]] Task<std::uint32_t> markers_of(ProducerId producer);
  /// The same as commit_offsets() in a transaction of the request's producer. INVALID_TXN_STATE where the
  /// partition has more `markers` of it: the transaction has ended since its coordinator was asked.
  [[nodiscard]] Task<protocol::TxnOffsetCommitResponse> commit_in_transaction(
      protocol::TxnOffsetCommitRequest request, std::uint32_t markers);
  /// Writes the marker of a transaction, and lets what it committed count or not. Errors as
  /// LogPort::append_end, and why the partition can't answer.
  [[nodiscard]] Task<Result<void>> end_transaction(TransactionEnd end);
  [[nodiscard]] Task<protocol::OffsetFetchResponse::OffsetFetchResponseGroup> fetch_offsets(
      protocol::OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable = false);
  [[nodiscard]] Task<protocol::OffsetDeleteResponse> delete_offsets(protocol::OffsetDeleteRequest request);
  [[nodiscard]] Task<ErrorCode> delete_group(std::string group);
  /// GROUP_ID_NOT_FOUND, and why the partition can't answer.
  [[nodiscard]] Task<Result<protocol::DescribeGroupsResponse::DescribedGroup>> describe(std::string group);
  [[nodiscard]] Task<Result<protocol::ConsumerGroupDescribeResponse::DescribedGroup>> describe_consumer(
      std::string group);
  [[nodiscard]] Task<Result<protocol::ShareGroupDescribeResponse::DescribedGroup>> describe_share(
      std::string group);
  [[nodiscard]] Task<Result<protocol::StreamsGroupDescribeResponse::DescribedGroup>> describe_streams(
      std::string group);
  [[nodiscard]] Task<Result<std::vector<protocol::ListGroupsResponse::ListedGroup>>> list(
      std::vector<std::string> states, std::vector<std::string> types);

  /// A topic was deleted: drops what was committed for it.
  [[nodiscard]] Task<void> forget_topic(std::string topic, TopicId id);
  /// Retention of offsets and groups, once through all.
  [[nodiscard]] Task<void> expire();

 private:
  /// Carries a decision out, its records as part of `transaction` where there is one; returns when its
  /// replies are out: append(), wait_committed() where that takes time, deliver().
  [[nodiscard]] Task<Result<void>> settle(Effects effects,
                                          std::optional<InTransaction> transaction = std::nullopt);
  /// Where the log does not take the records, the replies become errors. Here and below the effects outlive
  /// the task.
  [[nodiscard]] Result<void> append(Effects& effects,
                                    std::optional<InTransaction> transaction = std::nullopt);
  [[nodiscard]] Task<void> wait_committed(Effects& effects, Result<void>& stored);
  /// Carries out what was decided for the request that waits as `token`, as settle() does; returns when it
  /// has its reply.
  template <class Response>
  [[nodiscard]] Task<void> answer(WaitingReplies<Response>& replies, Token token, Effects effects);
  template <class Response>
  [[nodiscard]] Task<void> answer_later(WaitingReplies<Response>& replies, Token token, Effects effects);
  [[nodiscard]] static Task<void> settle_due(std::shared_ptr<GroupPartition> self);
  void on_due();
  void refuse(Effects& effects, ErrorCode code) const;
  void deliver(Effects& effects);
  void tell(const std::vector<GroupEvent>& events);
  void tell_expired(const std::vector<ExpiredOffset>& expired) const;
  void publish_counts();
  /// Of groups of the newer protocols.
  void publish_changed_counts();

  // group_partition_share.cc
  [[nodiscard]] Result<void> check_serving(std::string_view group) const;
  /// One heartbeat, decided and written. Both outlive the task.
  [[nodiscard]] Task<Result<ShareHeartbeatAnswer>> beat(const protocol::ShareGroupHeartbeatRequest& request,
                                                        const Caller& caller);
  /// Has states made, and writes which there are; a result for each.
  [[nodiscard]] Task<std::vector<Result<void>>> initialise(std::string group, ShareInitialisation what);
  /// Has states erased, and writes which are gone; topics whose are not, and why, go into `failed`.
  [[nodiscard]] Task<Result<void>> erase(std::string group, std::vector<TopicIdPartition> partitions,
                                         std::map<TopicId, Error>& failed);
  /// Before a group is deleted: all its states. Nothing happens where it is no share group.
  [[nodiscard]] Task<Result<void>> erase_share_group(std::string group);

  runtime::Shard& shard_;
  runtime::Gate& gate_;
  const GroupConfig& config_;
  ShareStateStore& share_states_;
  GroupMetrics& metrics_;
  PartitionIndex index_;
  CoordinatorRuntime<GroupMachine> runtime_;
  Availability available_;
  Token last_token_ = 0;
  WaitingReplies<protocol::JoinGroupResponse> joins_;
  WaitingReplies<protocol::SyncGroupResponse> syncs_;
  std::array<std::int64_t, ClassicGroup::kStates> published_{};
  std::array<std::int64_t, ConsumerGroup::kStates> published_consumer_{};
  std::array<std::int64_t, ShareGroup::kStates> published_share_{};
  std::array<std::int64_t, StreamsGroup::kStates> published_streams_{};
};

}  // namespace brook::coordinator

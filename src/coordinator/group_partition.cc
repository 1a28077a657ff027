#include "coordinator/group_partition.h"

#include <fmt/core.h>

#include <utility>

#include "base/log.h"

namespace brook::coordinator {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

/// Groups that retention looks at in one turn.
constexpr std::size_t kGroupsPerSweep = 256;

ErrorCode commit_error(ErrorCode code) {
  const bool too_large = code == ErrorCode::kMessageTooLarge || code == ErrorCode::kRecordListTooLarge;
  return too_large ? ErrorCode::kInvalidCommitOffsetSize : told_of_append_error(code);
}

JoinGroupResponse join_refusal(std::string member_id, ErrorCode code) {
  JoinGroupResponse out;
  out.error_code = wire(code);
  out.member_id = std::move(member_id);
  return out;
}

ConsumerGroupHeartbeatResponse heartbeat_refusal(const Error& why) {
  ConsumerGroupHeartbeatResponse out;
  out.error_code = wire(why.code);
  if (!why.context.empty()) out.error_message = why.context;
  return out;
}

SyncGroupResponse sync_refusal(ErrorCode code) {
  SyncGroupResponse out;
  out.error_code = wire(code);
  return out;
}

Task<void> at_once() { co_return; }

/// Puts `code` where an answer said that all is well.
void refuse_good_ones(OffsetCommitResponse& response, ErrorCode code) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == 0) partition.error_code = wire(code);
    }
  }
}

std::size_t good_ones(const OffsetCommitResponse& response) {
  std::size_t count = 0;
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) count += partition.error_code == 0 ? 1 : 0;
  }
  return count;
}

OffsetCommitResponse refused_commit(const OffsetCommitRequest& request, ErrorCode code) {
  OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions)
      answered.partitions.push_back({partition.partition_index, wire(code)});
  }
  return response;
}

}  // namespace

GroupPartition::GroupPartition(runtime::Shard& shard, runtime::Gate& gate, const GroupConfig& config,
                               const ClusterFacts& facts, ShareStateStore& share_states,
                               GroupMetrics& metrics, PartitionIndex index, std::unique_ptr<LogPort> log)
    : shard_(shard),
      gate_(gate),
      config_(config),
      share_states_(share_states),
      metrics_(metrics),
      index_(index),
      runtime_(shard, std::move(log), GroupMachine(config_, facts), [this] { on_due(); }),
      joins_(shard),
      syncs_(shard) {}

GroupPartition::~GroupPartition() {
  for (std::size_t i = 0; i < published_.size(); ++i) metrics_.groups.at(i)->add(-published_.at(i));
  for (std::size_t i = 0; i < published_consumer_.size(); ++i)
    metrics_.consumer_groups.at(i)->add(-published_consumer_.at(i));
  for (std::size_t i = 0; i < published_share_.size(); ++i)
    metrics_.share_groups.at(i)->add(-published_share_.at(i));
  for (std::size_t i = 0; i < published_streams_.size(); ++i)
    metrics_.streams_groups.at(i)->add(-published_streams_.at(i));
}

Task<void> GroupPartition::load() {
  const runtime::Instant begun = shard_.clock().now();
  const auto loaded = co_await runtime_.load();
  if (!available_.loading()) co_return;
  if (!loaded) {
    available_.failed();
    log::error("groups_not_loaded", {{"partition", index_.value()}, {"why", loaded.error().context}});
    co_return;
  }
  available_.loaded();
  Effects effects;
  runtime_.machine().loaded(runtime_.now(), effects);
  if (loaded->records != 0 || loaded->unreadable != 0) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(shard_.clock().now() - begun);
    log::info("groups_loaded", {{"partition", index_.value()},
                                {"groups", runtime_.machine().size()},
                                {"records", loaded->records},
                                {"unreadable", loaded->unreadable},
                                {"ms", took.count()}});
  }
  publish_counts();
  publish_changed_counts();
  [[maybe_unused]] const Result<void> settled = co_await settle(std::move(effects));
}

void GroupPartition::close() {
  if (available_.closed()) return;
  available_.close();
  runtime_.disarm();
  Effects effects;
  runtime_.machine().refuse_all(ErrorCode::kNotCoordinator, effects);
  deliver(effects);
}

void GroupPartition::stop_waiting() {
  available_.stop();
  Effects effects;
  runtime_.machine().refuse_all(ErrorCode::kNotCoordinator, effects);
  deliver(effects);
}

Result<void> GroupPartition::append(Effects& effects, std::optional<InTransaction> transaction) {
  const std::size_t groups_before = runtime_.machine().size();
  Result<void> stored = runtime_.write(effects.records, effects.divisible, transaction);
  if (!stored) {
    log::warn("group_record_not_written", {{"partition", index_.value()}, {"why", stored.error().context}});
    refuse(effects, told_of_append_error(stored.error().code));
    Effects after;
    runtime_.machine().not_stored(effects.records, runtime_.now(), after);
    // An emptied group's record may be lost: it would come back with members that have long timed out.
    [[maybe_unused]] const Result<void> again = runtime_.write(after.records, true);
    tell(after.events);
    deliver(after);
  } else {
    tell(effects.events);
  }
  if (!effects.events.empty() || groups_before != runtime_.machine().size()) publish_counts();
  publish_changed_counts();
  runtime_.arm();
  return stored;
}

Task<void> GroupPartition::wait_committed(Effects& effects, Result<void>& stored) {
  stored = co_await runtime_.committed();
  if (!stored) refuse(effects, told_of_append_error(stored.error().code));
}

Task<Result<void>> GroupPartition::settle(Effects effects, std::optional<InTransaction> transaction) {
  Result<void> stored = append(effects, transaction);
  if (stored && !runtime_.is_committed()) co_await wait_committed(effects, stored);
  deliver(effects);
  co_return stored;
}

void GroupPartition::on_due() {
  if (available_.active()) gate_.spawn(settle_due(shared_from_this()));
}

Task<void> GroupPartition::settle_due(std::shared_ptr<GroupPartition> self) {
  Effects effects;
  self->runtime_.machine().tick(self->runtime_.now(), effects);
  [[maybe_unused]] const Result<void> settled = co_await self->settle(std::move(effects));
}

void GroupPartition::refuse(Effects& effects, ErrorCode code) const {
  for (JoinReply& reply : effects.joins) {
    if (reply.response.error_code == 0) reply.response = join_refusal(reply.response.member_id, code);
  }
  for (SyncReply& reply : effects.syncs) {
    if (reply.response.error_code == 0) reply.response = sync_refusal(code);
  }
}

void GroupPartition::deliver(Effects& effects) {
  for (JoinReply& reply : effects.joins) joins_.give(reply.to, std::move(reply.response));
  for (SyncReply& reply : effects.syncs) syncs_.give(reply.to, std::move(reply.response));
}

void GroupPartition::tell(const std::vector<GroupEvent>& events) {
  for (const GroupEvent& event : events) {
    switch (event.kind) {
      case GroupEvent::Kind::kRebalanceBegun:
        metrics_.rebalances.at(static_cast<std::size_t>(event.cause))->add();
        log::info("group_rebalances", {{"group", event.group},
                                       {"cause", rebalance_cause_name(event.cause)},
                                       {"member", event.member},
                                       {"why", event.detail},
                                       {"generation", event.generation},
                                       {"members", event.members}});
        break;
      case GroupEvent::Kind::kStabilised:
        metrics_.generations.add();
        log::info("group_stable", {{"group", event.group},
                                   {"generation", event.generation},
                                   {"leader", event.member},
                                   {"members", event.members}});
        break;
      case GroupEvent::Kind::kTargeted:
        metrics_.generations.add();
        log::info("group_assigned", {{"group", event.group},
                                     {"epoch", event.generation},
                                     {"assignor", event.detail},
                                     {"members", event.members}});
        break;
      case GroupEvent::Kind::kEmptied:
        log::info("group_empty", {{"group", event.group}, {"generation", event.generation}});
        break;
      case GroupEvent::Kind::kMemberRemoved:
        log::info("group_member_removed", {{"group", event.group},
                                           {"member", event.member},
                                           {"why", event.detail},
                                           {"generation", event.generation}});
        break;
    }
  }
}

void GroupPartition::tell_expired(const std::vector<ExpiredOffset>& expired) const {
  metrics_.expired_offsets.add(expired.size());
  // They come by group and topic: a line for each.
  for (std::size_t i = 0; i < expired.size();) {
    const ExpiredOffset& first = expired[i];
    std::string offsets;
    for (; i < expired.size() && expired[i].group == first.group && expired[i].topic == first.topic; ++i)
      offsets += fmt::format("{}{}:{}", offsets.empty() ? "" : ",", expired[i].partition, expired[i].offset);
    log::info("offsets_expired", {{"group", first.group}, {"topic", first.topic}, {"offsets", offsets}});
  }
}

void GroupPartition::publish_counts() {
  const auto& counts = runtime_.machine().count_by_state();
  for (std::size_t i = 0; i < counts.size(); ++i) metrics_.groups.at(i)->add(counts.at(i) - published_.at(i));
  published_ = counts;
}

void GroupPartition::publish_changed_counts() {
  const auto publish = [](const auto& counts, auto& published, const auto& gauges) {
    if (counts == published) return;
    for (std::size_t i = 0; i < counts.size(); ++i) gauges.at(i)->add(counts.at(i) - published.at(i));
    published = counts;
  };
  const GroupMachine& machine = runtime_.machine();
  publish(machine.count_consumer_by_state(), published_consumer_, metrics_.consumer_groups);
  publish(machine.count_share_by_state(), published_share_, metrics_.share_groups);
  publish(machine.count_streams_by_state(), published_streams_, metrics_.streams_groups);
}

template <class Response>
Task<void> GroupPartition::answer(WaitingReplies<Response>& replies, Token token, Effects effects) {
  const Result<void> stored = append(effects);
  if (stored && !runtime_.is_committed()) return answer_later(replies, token, std::move(effects));
  deliver(effects);
  return replies.take(token);
}

template <class Response>
Task<void> GroupPartition::answer_later(WaitingReplies<Response>& replies, Token token, Effects effects) {
  Result<void> stored;
  co_await wait_committed(effects, stored);
  deliver(effects);
  co_await replies.take(token);
}

Task<void> GroupPartition::join(const JoinGroupRequest& request, const Caller& caller,
                                JoinGroupResponse& response) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) {
    response = join_refusal(request.member_id, code);
    return at_once();
  }
  const Token token = ++last_token_;
  joins_.open(token, response);
  // Who has an id keeps it.
  const std::string fresh = request.member_id.empty()
                                ? Uuid::from_random(shard_.random().uuid_bytes()).hyphenated()
                                : std::string();
  Effects effects;
  runtime_.machine().join({request, caller, token, fresh}, runtime_.now(), effects);
  return answer(joins_, token, std::move(effects));
}

Task<void> GroupPartition::sync(const SyncGroupRequest& request, SyncGroupResponse& response) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) {
    response = sync_refusal(code);
    return at_once();
  }
  const Token token = ++last_token_;
  syncs_.open(token, response);
  Effects effects;
  runtime_.machine().sync(request, token, runtime_.now(), effects);
  return answer(syncs_, token, std::move(effects));
}

Task<ErrorCode> GroupPartition::heartbeat(std::string group, std::string member,
                                          std::optional<std::string> instance, std::int32_t generation) {
  const ErrorCode code = available_.refusal();
  // It can't be checked yet, and an error would only make all members join again.
  if (code == ErrorCode::kCoordinatorLoadInProgress) co_return ErrorCode::kNone;
  if (code != ErrorCode::kNone) co_return code;
  const ErrorCode answer = runtime_.machine().heartbeat(group, member, instance, generation, runtime_.now());
  runtime_.arm();
  co_return answer;
}

Task<Result<std::vector<ErrorCode>>> GroupPartition::leave(std::string group,
                                                           std::vector<ClassicGroup::Leaver> leavers) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, fmt::format("the coordinator of group {} does not serve", group));
  if (group.empty()) co_return fail(ErrorCode::kInvalidGroupId, "the group has no name");
  Effects effects;
  std::vector<ErrorCode> codes = runtime_.machine().leave(group, leavers, runtime_.now(), effects);
  // Where the log does not take it, they have left nonetheless.
  [[maybe_unused]] const Result<void> settled = co_await settle(std::move(effects));
  co_return codes;
}

Task<ConsumerGroupHeartbeatResponse> GroupPartition::consumer_heartbeat(ConsumerGroupHeartbeatRequest request,
                                                                        Caller caller) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return heartbeat_refusal({code, {}});
  const std::string fresh = Uuid::from_random(shard_.random().uuid_bytes()).text();
  Effects effects;
  auto response = runtime_.machine().consumer_heartbeat({request, caller, fresh}, runtime_.now(), effects);
  if (!response) co_return heartbeat_refusal(response.error());
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return heartbeat_refusal({told_of_append_error(settled.error().code), {}});
  co_return *std::move(response);
}

Task<OffsetCommitResponse> GroupPartition::commit_offsets(OffsetCommitRequest request, std::int16_t version) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return refused_commit(request, code);
  Effects effects;
  OffsetCommitResponse response =
      runtime_.machine().commit_offsets(request, version, runtime_.now(), effects);
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) refuse_good_ones(response, commit_error(settled.error().code));
  metrics_.commits.add(good_ones(response));
  co_return response;
}

Task<std::uint32_t> GroupPartition::markers_of(ProducerId producer) {
  co_return runtime_.markers_of(producer);
}

Task<TxnOffsetCommitResponse> GroupPartition::commit_in_transaction(TxnOffsetCommitRequest request,
                                                                    std::uint32_t markers) {
  TxnOffsetCommitResponse response;
  const auto refuse = [&](ErrorCode code) {
    response.topics.clear();
    for (const auto& topic : request.topics) {
      auto& answered = response.topics.emplace_back();
      answered.name = topic.name;
      for (const auto& partition : topic.partitions)
        answered.partitions.push_back({partition.partition_index, wire(code)});
    }
  };
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) {
    refuse(code);
    co_return response;
  }
  if (markers != runtime_.markers_of(ProducerId(request.producer_id))) {
    refuse(ErrorCode::kInvalidTxnState);
    co_return response;
  }
  Effects effects;
  response = runtime_.machine().commit_in_transaction(request, runtime_.now(), effects);
  const InTransaction transaction{ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
  const Result<void> settled = co_await settle(std::move(effects), transaction);
  if (!settled) refuse(commit_error(settled.error().code));
  co_return response;
}

Task<Result<void>> GroupPartition::end_transaction(TransactionEnd end) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, fmt::format("partition {} of the groups does not serve", index_.value()));
  const std::size_t groups_before = runtime_.machine().size();
  BROOK_CO_CHECK(runtime_.end_transaction(end));
  if (groups_before != runtime_.machine().size()) publish_counts();
  Result<void> committed = co_await runtime_.committed();
  co_return committed;
}

Task<OffsetFetchResponse::OffsetFetchResponseGroup> GroupPartition::fetch_offsets(
    OffsetFetchRequest::OffsetFetchRequestGroup request, bool require_stable) {
  const auto refused = [&](ErrorCode code) {
    OffsetFetchResponse::OffsetFetchResponseGroup out;
    out.group_id = request.group_id;
    out.error_code = wire(code);
    return out;
  };
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return refused(code);
  OffsetFetchResponse::OffsetFetchResponseGroup response =
      runtime_.machine().fetch_offsets(request, require_stable);
  const Result<void> committed = co_await runtime_.committed();
  if (!committed) co_return refused(told_of_append_error(committed.error().code));
  co_return response;
}

Task<OffsetDeleteResponse> GroupPartition::delete_offsets(OffsetDeleteRequest request) {
  const auto refused = [](ErrorCode code) {
    OffsetDeleteResponse out;
    out.error_code = wire(code);
    return out;
  };
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return refused(code);
  Effects effects;
  OffsetDeleteResponse response = runtime_.machine().delete_offsets(request, effects);
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return refused(told_of_append_error(settled.error().code));
  co_return response;
}

Task<ErrorCode> GroupPartition::delete_group(std::string group) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return code;
  const Result<void> erased = co_await erase_share_group(group);
  if (!erased) co_return erased.error().code;
  Effects effects;
  const ErrorCode code = runtime_.machine().delete_group(group, effects);
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return told_of_append_error(settled.error().code);
  if (code == ErrorCode::kNone) log::info("group_deleted", {{"group", group}});
  co_return code;
}

Task<Result<protocol::DescribeGroupsResponse::DescribedGroup>> GroupPartition::describe(std::string group) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, fmt::format("the coordinator of group {} does not serve", group));
  auto described = runtime_.machine().describe(group);
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return described;
}

Task<Result<protocol::ConsumerGroupDescribeResponse::DescribedGroup>> GroupPartition::describe_consumer(
    std::string group) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, fmt::format("the coordinator of group {} does not serve", group));
  auto described = runtime_.machine().describe_consumer(group);
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return described;
}

Task<Result<std::vector<protocol::ListGroupsResponse::ListedGroup>>> GroupPartition::list(
    std::vector<std::string> states, std::vector<std::string> types) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, "the coordinator does not serve");
  auto listed = runtime_.machine().list(states, types);
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return listed;
}

Task<void> GroupPartition::forget_topic(std::string topic, TopicId id) {
  if (!available_.active()) co_return;
  Effects effects;
  runtime_.machine().forget_topic(topic, id, effects);
  const std::size_t count = effects.records.size();
  const Result<void> settled = co_await settle(std::move(effects));
  if (settled && count != 0) {
    log::info("offsets_of_deleted_topic",
              {{"topic", topic}, {"partition", index_.value()}, {"offsets", count}});
  }
}

Task<void> GroupPartition::expire() {
  bool done = false;
  while (!done && available_.refusal() == ErrorCode::kNone) {
    Effects effects;
    std::vector<ExpiredOffset> expired;
    done = runtime_.machine().expire(runtime_.now(), kGroupsPerSweep, effects, expired);
    const Result<void> settled = co_await settle(std::move(effects));
    if (!settled) co_return;
    tell_expired(expired);
    if (!done) co_await shard_.clock().sleep_until(shard_.clock().now());
  }
}

}  // namespace brook::coordinator

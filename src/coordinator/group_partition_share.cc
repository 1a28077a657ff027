// Share groups' requests, which reach beyond their partition: a group's states are another coordinator's.
#include <fmt/core.h>

#include <utility>

#include "base/log.h"
#include "coordinator/group_partition.h"

namespace brook::coordinator {

using protocol::AlterShareGroupOffsetsRequest;
using protocol::AlterShareGroupOffsetsResponse;
using protocol::DeleteShareGroupOffsetsRequest;
using protocol::DeleteShareGroupOffsetsResponse;
using protocol::ShareGroupDescribeResponse;
using protocol::ShareGroupHeartbeatRequest;
using protocol::ShareGroupHeartbeatResponse;

namespace {

template <class Response>
Response refusal(const Error& why) {
  Response out;
  out.error_code = wire(why.code);
  if (!why.context.empty()) out.error_message = why.context;
  return out;
}

void sort_out(const ShareInitialisation& asked, const std::vector<Result<void>>& done, TopicPartitions& made,
              TopicPartitions& failed) {
  for (std::size_t i = 0; i < asked.starts.size(); ++i) {
    const TopicIdPartition& partition = asked.starts[i].partition;
    (done[i] ? made : failed)[partition.topic_id].insert(partition.partition.value());
  }
}

}  // namespace

Result<void> GroupPartition::check_serving(std::string_view group) const {
  const ErrorCode code = available_.refusal();
  if (code == ErrorCode::kNone) return {};
  return fail(code, fmt::format("the coordinator of group {} does not serve", group));
}

Task<Result<ShareHeartbeatAnswer>> GroupPartition::beat(const ShareGroupHeartbeatRequest& request,
                                                        const Caller& caller) {
  Effects effects;
  BROOK_CO_TRY(ShareHeartbeatAnswer answer,
               runtime_.machine().share_heartbeat({request, caller}, runtime_.now(), effects));
  const Result<void> settled = co_await settle(std::move(effects));
  if (settled) co_return answer;
  if (answer.initialise) runtime_.machine().share_initialisation_dropped(request.group_id);
  co_return fail(told_of_append_error(settled.error().code), settled.error().context);
}

Task<ShareGroupHeartbeatResponse> GroupPartition::share_heartbeat(ShareGroupHeartbeatRequest request,
                                                                  Caller caller) {
  using Response = ShareGroupHeartbeatResponse;
  if (const Result<void> serving = check_serving(request.group_id); !serving)
    co_return refusal<Response>(serving.error());
  Result<ShareHeartbeatAnswer> first = co_await beat(request, caller);
  if (!first) co_return refusal<Response>(first.error());
  if (!first->initialise) co_return std::move(first->response);
  // Nobody is given a partition before it has a state. Whoever asked first hears of what he is given in the
  // same answer, not a heartbeat later.
  const std::vector<Result<void>> made = co_await initialise(request.group_id, *std::move(first->initialise));
  const bool any_made = std::ranges::any_of(made, [](const auto& one) { return one.has_value(); });
  if (!any_made || !check_serving(request.group_id)) co_return std::move(first->response);
  request.member_epoch = first->response.member_epoch;
  request.subscribed_topic_names.reset();
  Result<ShareHeartbeatAnswer> second = co_await beat(request, caller);
  if (!second) co_return std::move(first->response);
  if (second->initialise) runtime_.machine().share_initialisation_dropped(request.group_id);
  if (!second->response.assignment) second->response.assignment = std::move(first->response.assignment);
  co_return std::move(second->response);
}

Task<std::vector<Result<void>>> GroupPartition::initialise(std::string group, ShareInitialisation what) {
  std::vector<Result<void>> done = co_await share_states_.initialise(group, what);
  TopicPartitions made;
  TopicPartitions failed;
  sort_out(what, done, made, failed);
  for (const Result<void>& one : done) {
    if (one) continue;
    log::warn("share_states_not_made", {{"group", group}, {"why", one.error().context}});
    break;
  }
  Effects effects;
  runtime_.machine().share_initialisation_ended(group, made, failed, effects);
  if (available_.closed()) co_return done;
  const Result<void> settled = co_await settle(std::move(effects));
  if (settled) co_return done;
  // They are there, and nobody knows: they will be made again.
  const auto unknown = fail(told_of_append_error(settled.error().code), settled.error().context);
  for (Result<void>& one : done) one = unknown;
  co_return done;
}

Task<AlterShareGroupOffsetsResponse> GroupPartition::alter_share_offsets(
    AlterShareGroupOffsetsRequest request) {
  using Response = AlterShareGroupOffsetsResponse;
  if (const Result<void> serving = check_serving(request.group_id); !serving)
    co_return refusal<Response>(serving.error());
  Effects effects;
  Result<ShareAlteration> altered = runtime_.machine().alter_share_offsets(request, effects);
  if (!altered) co_return refusal<Response>(altered.error());
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled)
    co_return refusal<Response>({told_of_append_error(settled.error().code), settled.error().context});
  if (altered->initialise.starts.empty()) co_return std::move(altered->response);
  const std::vector<ShareStart> starts = altered->initialise.starts;
  const std::vector<Result<void>> made =
      co_await initialise(request.group_id, std::move(altered->initialise));
  std::map<TopicIdPartition, const Error*> failed;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!made[i]) failed.emplace(starts[i].partition, &made[i].error());
  }
  for (auto& topic : altered->response.responses) {
    for (auto& partition : topic.partitions) {
      const auto at = failed.find({topic.topic_id, PartitionIndex(partition.partition_index)});
      if (at == failed.end() || partition.error_code != 0) continue;
      partition.error_code = wire(at->second->code);
      partition.error_message = at->second->context;
    }
  }
  log::info("share_offsets_altered",
            {{"group", request.group_id}, {"partitions", starts.size() - failed.size()}});
  co_return std::move(altered->response);
}

Task<DeleteShareGroupOffsetsResponse> GroupPartition::delete_share_offsets(
    DeleteShareGroupOffsetsRequest request) {
  using Response = DeleteShareGroupOffsetsResponse;
  if (const Result<void> serving = check_serving(request.group_id); !serving)
    co_return refusal<Response>(serving.error());
  Effects effects;
  Result<ShareErasure> erasure = runtime_.machine().delete_share_offsets(request, effects);
  if (!erasure) co_return refusal<Response>(erasure.error());
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled)
    co_return refusal<Response>({told_of_append_error(settled.error().code), settled.error().context});
  std::map<TopicId, Error> failed;
  const Result<void> erased = co_await erase(request.group_id, std::move(erasure->erase), failed);
  for (auto& topic : erasure->response.responses) {
    if (topic.error_code != 0) continue;
    const auto at = failed.find(topic.topic_id);
    const Error* why = at != failed.end() ? &at->second : erased ? nullptr : &erased.error();
    if (why == nullptr) continue;
    topic.error_code = wire(why->code);
    topic.error_message = why->context;
  }
  co_return std::move(erasure->response);
}

Task<Result<void>> GroupPartition::erase(std::string group, std::vector<TopicIdPartition> partitions,
                                         std::map<TopicId, Error>& failed) {
  const std::vector<Result<void>> done = co_await share_states_.erase(group, partitions);
  std::set<TopicId> erased;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    erased.insert(partitions[i].topic_id);
    if (!done[i]) failed.emplace(partitions[i].topic_id, done[i].error());
  }
  for (const auto& [topic, why] : failed) erased.erase(topic);
  BROOK_CO_CHECK(check_serving(group));
  Effects effects;
  runtime_.machine().share_states_erased(group, erased, effects);
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return fail(told_of_append_error(settled.error().code), settled.error().context);
  co_return Result<void>{};
}

Task<Result<void>> GroupPartition::erase_share_group(std::string group) {
  Effects effects;
  BROOK_CO_TRY(std::vector<TopicIdPartition> partitions,
               runtime_.machine().erase_share_group(group, effects));
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return fail(told_of_append_error(settled.error().code), settled.error().context);
  if (partitions.empty()) co_return Result<void>{};
  std::map<TopicId, Error> failed;
  BROOK_CO_CHECK(co_await erase(group, std::move(partitions), failed));
  if (failed.empty()) co_return Result<void>{};
  co_return std::unexpected(failed.begin()->second);
}

Task<Result<ShareGroupDescribeResponse::DescribedGroup>> GroupPartition::describe_share(std::string group) {
  BROOK_CO_CHECK(check_serving(group));
  auto described = runtime_.machine().describe_share(group);
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return described;
}

Task<Result<ShareTopics>> GroupPartition::share_topics(std::string group) {
  BROOK_CO_CHECK(check_serving(group));
  const ShareGroup* found = runtime_.machine().find_share(group);
  ShareTopics topics = found == nullptr ? ShareTopics{} : found->topics();
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return topics;
}

}  // namespace brook::coordinator

// What a heartbeat of a streams group's member does: it joins, brings the topology, moves towards its target,
// leaves.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "coordinator/java_string.h"
#include "coordinator/streams_assignor.h"
#include "coordinator/streams_group.h"

namespace brook::coordinator {

using protocol::StreamsGroupHeartbeatRequest;
using protocol::StreamsGroupHeartbeatResponse;

namespace {

/// What a heartbeat says in place of an epoch.
constexpr std::int32_t kJoining = 0;
constexpr std::int32_t kStaticLeaving = -2;

/// What targets depend on, by the name that Kafka's records have for it.
constexpr std::string_view kStandbys = "num.standby.replicas";

std::unexpected<Error> invalid(std::string why) { return fail(ErrorCode::kInvalidRequest, std::move(why)); }

std::optional<TaskSets> owned_in(const StreamsGroupHeartbeatRequest& request) {
  if (!request.active_tasks || !request.standby_tasks || !request.warmup_tasks) return std::nullopt;
  return TaskSets{tasks_of(*request.active_tasks), tasks_of(*request.standby_tasks),
                  tasks_of(*request.warmup_tasks)};
}

bool all_in(const Tasks& tasks, const Tasks& among) {
  return std::ranges::all_of(tasks, [&](const auto& entry) {
    return std::ranges::all_of(entry.second,
                               [&](std::int32_t one) { return has_task(among, entry.first, one); });
  });
}

Result<void> check_epoch(const StreamsMember& member, const StreamsGroupHeartbeatRequest& request) {
  const std::int32_t told = request.member_epoch;
  const StreamsProgress& progress = member.progress;
  if (told == kJoining || told == progress.epoch) return {};
  // Where the answer with the new epoch was lost, the member comes with the one before.
  const auto owned = owned_in(request);
  if (told < progress.epoch && told == progress.previous_epoch && owned &&
      all_in(owned->active, plain(progress.assigned.active)) &&
      all_in(owned->standby, progress.assigned.standby) && all_in(owned->warmup, progress.assigned.warmup))
    return {};
  return fail(ErrorCode::kFencedMemberEpoch,
              fmt::format("The streams group member has a {} member epoch ({}) than the one known by the "
                          "group coordinator ({}). The member must abandon all its partitions and rejoin.",
                          told > progress.epoch ? "greater" : "smaller", told, progress.epoch));
}

Result<void> check_tasks(const Tasks& tasks, const ConfiguredTopology& configured) {
  for (const auto& [id, partitions] : tasks) {
    const auto subtopology = configured.subtopologies.find(id);
    if (subtopology == configured.subtopologies.end())
      return invalid(fmt::format("Subtopology {} does not exist in the topology.", id));
    for (const std::int32_t partition : partitions) {
      if (partition < 0 || partition >= subtopology->second.tasks)
        return invalid(
            fmt::format("Task {} for subtopology {} is invalid. Number of tasks for this "
                        "subtopology: {}",
                        partition, id, subtopology->second.tasks));
    }
  }
  return {};
}

StreamsGroupHeartbeatResponse::Status status(StreamsStatus code, std::string detail) {
  return {static_cast<std::int8_t>(code), std::move(detail)};
}

Result<void> check_supported(const StreamsGroupHeartbeatRequest& request) {
  if (request.instance_id) return invalid("Static membership is not yet supported.");
  if (request.task_offsets) return invalid("TaskOffsets are not supported yet.");
  if (request.task_end_offsets) return invalid("TaskEndOffsets are not supported yet.");
  if (request.warmup_tasks && !request.warmup_tasks->empty())
    return invalid("WarmupTasks are not supported yet.");
  if (!request.topology) return {};
  const bool regexes = std::ranges::any_of(request.topology->subtopologies,
                                           [](const auto& one) { return !one.source_topic_regex.empty(); });
  if (regexes) return invalid("Regular expressions for source topics are not supported yet.");
  return {};
}

}  // namespace

Result<void> check_streams_heartbeat(const StreamsGroupHeartbeatRequest& request) {
  BROOK_CHECK(check_supported(request));
  if (java_blank(request.member_id)) return invalid("MemberId can't be empty.");
  if (java_blank(request.group_id)) return invalid("GroupId can't be empty.");
  if (request.rack_id && java_blank(*request.rack_id)) return invalid("RackId can't be empty.");
  const auto any = [](const auto& tasks) { return tasks && !tasks->empty(); };
  if (request.member_epoch == kJoining) {
    if (request.rebalance_timeout_ms == -1)
      return invalid("RebalanceTimeoutMs must be provided in first request.");
    if (any(request.active_tasks)) return invalid("ActiveTasks must be empty when (re-)joining.");
    if (any(request.standby_tasks)) return invalid("StandbyTasks must be empty when (re-)joining.");
    if (any(request.warmup_tasks)) return invalid("WarmupTasks must be empty when (re-)joining.");
    if (!request.topology) return invalid("Topology must be non-null when (re-)joining.");
    BROOK_CHECK(check_topology(*request.topology));
  } else if (request.member_epoch == kStaticLeaving) {
    return invalid("InstanceId can't be null.");
  } else if (request.member_epoch < kStaticLeaving) {
    return invalid(
        fmt::format("MemberEpoch is {}, but must be greater than or equal to -2.", request.member_epoch));
  }
  const std::array<bool, 3> told{request.active_tasks.has_value(), request.standby_tasks.has_value(),
                                 request.warmup_tasks.has_value()};
  if (std::ranges::any_of(told, std::identity{}) && !std::ranges::all_of(told, std::identity{}))
    return invalid("If one task-type is non-null, all must be non-null.");
  if (request.member_epoch != kJoining && request.topology)
    return invalid("Topology can only be provided when (re-)joining.");
  return {};
}

Result<StreamsHeartbeatAnswer> StreamsGroup::heartbeat(const StreamsHeartbeatCall& call, const Moment& now,
                                                       Effects& out) {
  const Request& request = call.request;
  if (request.member_epoch < 0) return leave(request, out);
  BROOK_TRY(Change change, member_of(call));
  update(change, call);
  BROOK_TRY(const std::optional<StreamsTopology> new_topology, brought(request));
  if (!new_topology && !topology_) return invalid("The group has no topology.");
  const StreamsTopology& topology = new_topology ? *new_topology : *topology_;
  if (new_topology || !configured_ || configured_->version != facts_.version()) {
    BROOK_TRY(ConfiguredTopology configured, configure(topology, facts_));
    configured_ = Seen{facts_.version(), std::move(configured)};
  }
  const ConfiguredTopology& configured = configured_->topology;
  const std::optional<TaskSets> owned = owned_in(request);
  if (owned && configured.ready()) {
    BROOK_CHECK(check_tasks(owned->active, configured));
    BROOK_CHECK(check_tasks(owned->standby, configured));
  }
  // From here on nothing is refused.
  const View view{&change, topology, configured};
  const std::string& id = change.member.id;
  if (change.profile_changed)
    out.records.emplace_back(StreamsGroupRecord(StreamsProfileRecord{{id_, id}, change.member.profile}));
  if (new_topology) out.records.emplace_back(StreamsGroupRecord(StreamsTopologyRecord{{id_}, *new_topology}));
  const std::int32_t epoch = follow(view, out);
  StreamsHeartbeatAnswer answer;
  Response& response = answer.response;
  response.status = statuses(view);

  const std::chrono::milliseconds delay = facts_.streams_settings_of(id_).initial_rebalance_delay;
  if (members_.empty() && epoch > epoch_ && delay.count() > 0 && !first_targets_) {
    first_targets_ = now.instant + delay;
    due(*first_targets_);
  }
  const bool waits = first_targets_ && *first_targets_ > now.instant;
  TaskSets target;
  std::int32_t target_epoch = assignment_epoch_;
  if (waits) {
    response.status->push_back(status(StreamsStatus::kAssignmentDelayed,
                                      "Assignment delayed due to the configured initial rebalance delay."));
  } else if (epoch > assignment_epoch_ && may_assign(now)) {
    target = retarget(view, epoch, now, out);
    target_epoch = epoch;
  } else {
    if (epoch > assignment_epoch_)
      response.status->push_back(status(StreamsStatus::kAssignmentDelayed,
                                        "Assignment delayed due to the configured assignment interval."));
    if (const auto known = targets_.find(id); known != targets_.end()) target = known->second;
  }
  const StreamsProgress next = step(change, owned, target_epoch, target);
  if (next != change.member.progress || change.is_new)
    out.records.emplace_back(StreamsGroupRecord(StreamsProgressRecord{{id_, id}, next.value()}));
  set_deadlines(change, next, now);
  if (request.shutdown_application) shutdown_by_ = id;

  response.member_id = id;
  response.member_epoch = next.epoch;
  response.heartbeat_interval_ms =
      static_cast<std::int32_t>(facts_.streams_settings_of(id_).heartbeat_interval.count());
  const bool changed = next.assigned != change.member.progress.assigned;
  // The answer that told it may have been lost; what it has tells.
  const TaskSets given{plain(next.assigned.active), next.assigned.standby, next.assigned.warmup};
  if (request.member_epoch == kJoining || changed || (owned && *owned != given)) {
    using Listed = std::vector<Response::TaskIds>;
    response.active_tasks = listed_tasks<Listed>(plain(next.assigned.active));
    response.standby_tasks = listed_tasks<Listed>(next.assigned.standby);
    response.warmup_tasks = listed_tasks<Listed>(next.assigned.warmup);
    const bool tells_others = request.member_epoch == kJoining || changed;
    if (tells_others && change.member.profile.user_endpoint) ++endpoint_epoch_;
  }
  change.member.progress = next;
  answer_endpoints(request, view, response);
  if (configured.problem)
    response.status->push_back(status(configured.problem->status, configured.problem->detail));
  if (shutdown_by_) {
    response.status->push_back(
        status(StreamsStatus::kShutdownApplication,
               fmt::format("Streams group member {} encountered a fatal error and requested a shutdown for "
                           "the entire application.",
                           *shutdown_by_)));
  }
  answer.topics = configured.missing;
  return answer;
}

Result<StreamsHeartbeatAnswer> StreamsGroup::leave(const Request& request, Effects& out) {
  if (!members_.contains(request.member_id)) {
    return fail(ErrorCode::kUnknownMemberId,
                fmt::format("Member {} is not a member of group {}.", request.member_id, id_));
  }
  if (request.shutdown_application) shutdown_by_ = request.member_id;
  remove({request.member_id}, RebalanceCause::kMemberLeft, "it leaves", out);
  StreamsHeartbeatAnswer answer;
  answer.response.member_id = request.member_id;
  answer.response.member_epoch = request.member_epoch;
  return answer;
}

Result<StreamsGroup::Change> StreamsGroup::member_of(const StreamsHeartbeatCall& call) const {
  const Request& request = call.request;
  const auto at = members_.find(request.member_id);
  if (at != members_.end()) {
    BROOK_CHECK(check_epoch(at->second, request));
    return Change{.member = at->second};
  }
  if (request.member_epoch != kJoining) {
    return fail(ErrorCode::kUnknownMemberId,
                fmt::format("Member {} is not a member of group {}.", request.member_id, id_));
  }
  if (members_.size() >= config_.streams_members_max) {
    return fail(ErrorCode::kGroupMaxSizeReached,
                fmt::format("The streams group has reached its maximum capacity of {} members.",
                            config_.streams_members_max));
  }
  Change change{.is_new = true};
  change.member.id = request.member_id;
  change.member.profile.instance_id.reset();
  change.member.profile.rack_id.reset();
  return change;
}

void StreamsGroup::update(Change& change, const StreamsHeartbeatCall& call) const {
  const Request& request = call.request;
  const StreamsProfile before = change.member.profile;
  StreamsProfile& profile = change.member.profile;
  if (request.rack_id) profile.rack_id = request.rack_id;
  if (request.rebalance_timeout_ms != -1) profile.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.topology) profile.topology_epoch = request.topology->epoch;
  if (request.process_id) profile.process_id = *request.process_id;
  if (request.user_endpoint)
    profile.user_endpoint =
        StreamsProfile::Endpoint{request.user_endpoint->host, request.user_endpoint->port};
  if (request.client_tags) {
    profile.client_tags.clear();
    for (const auto& tag : *request.client_tags) profile.client_tags.push_back({tag.key, tag.value});
    std::ranges::sort(profile.client_tags, {}, &StreamsProfile::KeyValue::key);
  }
  profile.client_id = call.caller.client_id;
  profile.client_host = call.caller.host;
  change.profile_changed = change.is_new || profile != before;
}

Result<std::optional<StreamsTopology>> StreamsGroup::brought(const Request& request) const {
  if (!request.topology) return std::optional<StreamsTopology>();
  StreamsTopology topology = topology_from(*request.topology);
  if (!topology_) return std::optional<StreamsTopology>(std::move(topology));
  // An older one is let in, and told.
  if (topology.epoch >= topology_->epoch && topology != *topology_)
    return invalid("Topology updates are not supported yet.");
  return std::optional<StreamsTopology>();
}

std::int32_t StreamsGroup::follow(const View& view, Effects& out) {
  protocol::StreamsGroupMetadataValue value = metadata();
  const bool other_member = view.change != nullptr && view.change->profile_changed;
  if (other_member || topics_seen_ != facts_.version())
    value.metadata_hash = topics_hash(required_topics(view.topology), facts_);
  topics_seen_ = facts_.version();
  value.validated_topology_epoch = view.configured.ready() ? view.topology.epoch : -1;
  value.last_assignment_configs->assign(
      {{std::string(kStandbys), std::to_string(facts_.streams_settings_of(id_).standbys)}});
  if (!other_member && value == metadata()) return epoch_;
  const bool other_topics =
      value.metadata_hash != topics_hash_ || value.validated_topology_epoch != validated_epoch_;
  ++value.epoch;
  write_epoch(value, out);
  const bool joins = other_member && view.change->is_new;
  out.events.push_back({.kind = GroupEvent::Kind::kRebalanceBegun,
                        .group = id_,
                        .member = view.change == nullptr ? std::string() : view.change->member.id,
                        .cause = joins          ? RebalanceCause::kMemberJoined
                                 : other_member ? RebalanceCause::kMemberChanged
                                                : RebalanceCause::kTopicsChanged,
                        .detail = joins          ? "a new member joins"
                                  : other_member ? "a member says something else of itself"
                                  : other_topics ? "the topics of its topology came, went or grew"
                                                 : "the number of standby tasks is another",
                        .generation = value.epoch,
                        .members = members_with(view.change).size()});
  return value.epoch;
}

bool StreamsGroup::may_assign(const Moment& now) const {
  const auto interval = facts_.streams_settings_of(id_).assignment_interval;
  // A clock that has been set back does not hold the group up for longer than the interval.
  return !assigned_at_ || now.wall - *assigned_at_ >= interval.count() || now.wall < *assigned_at_;
}

TaskSets StreamsGroup::retarget(const View& view, std::int32_t epoch, const Moment& now, Effects& out) const {
  const Members members = members_with(view.change);
  std::vector<StreamsAssignorMember> asked;
  asked.reserve(members.size());
  for (const StreamsMember* member : members) {
    const auto current = targets_.find(member->id);
    asked.push_back(
        {member->id, member->profile.process_id, current == targets_.end() ? nullptr : &current->second});
  }
  std::vector<TaskSets> shares(members.size());
  if (view.configured.ready())
    shares = assign_tasks(asked, view.configured, facts_.streams_settings_of(id_).standbys);
  TaskSets own;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (asked[i].current == nullptr || *asked[i].current != shares[i])
      out.records.emplace_back(
          StreamsGroupRecord(StreamsTargetRecord{{id_, members[i]->id}, target_value(shares[i])}));
    if (view.change != nullptr && members[i] == &view.change->member) own = std::move(shares[i]);
  }
  protocol::StreamsGroupTargetAssignmentMetadataValue value;
  value.assignment_epoch = epoch;
  value.assignment_timestamp = now.wall.value();
  out.records.emplace_back(StreamsGroupRecord(StreamsTargetEpochRecord{{id_}, value}));
  out.events.push_back({.kind = GroupEvent::Kind::kTargeted,
                        .group = id_,
                        .detail = std::string(kStreamsAssignor),
                        .generation = epoch,
                        .members = members.size()});
  return own;
}

StreamsProgress StreamsGroup::step(const Change& change, const std::optional<TaskSets>& owned,
                                   std::int32_t target_epoch, const TaskSets& target) const {
  const StreamsMember& member = change.member;
  if (member.progress.reconciled(target_epoch)) return member.progress;
  TaskOwners others;
  for (const auto& [id, other] : members_) {
    if (id != member.id) others.add(other.profile.process_id, other.progress);
  }
  return reconcile(member.progress, {.target_epoch = target_epoch,
                                     .target = target,
                                     .owned = owned ? &*owned : nullptr,
                                     .process = member.profile.process_id,
                                     .others = others});
}

void StreamsGroup::set_deadlines(const Change& change, const StreamsProgress& next, const Moment& now) {
  begin_session(change.member.id, now);
  if (next == change.member.progress) return;
  Deadlines& ends = deadlines_[change.member.id];
  ends.revocation_end = runtime::Instant::max();
  if (next.state != StreamsProgress::State::kUnrevoked) return;
  ends.revocation_end = now.instant + std::chrono::milliseconds(change.member.profile.rebalance_timeout_ms);
  ends.revocation_epoch = next.epoch;
  due(ends.revocation_end);
}

void StreamsGroup::answer_endpoints(const Request& request, const View& view, Response& out) const {
  out.endpoint_information_epoch = endpoint_epoch_;
  if (request.endpoint_information_epoch == endpoint_epoch_) return;
  auto& endpoints = out.partitions_by_user_endpoint.emplace();
  const auto partitions_of_tasks = [&](const Tasks& tasks) {
    std::map<std::string, std::set<std::int32_t>> by_topic;
    for (const auto& [id, partitions] : tasks) {
      const auto subtopology = view.configured.subtopologies.find(id);
      if (subtopology == view.configured.subtopologies.end()) continue;
      for (const auto& [topic, count] : subtopology->second.sources) {
        for (const std::int32_t partition : partitions) {
          if (partition < count) by_topic[topic].insert(partition);
        }
      }
    }
    std::vector<Response::TopicPartition> listed;
    for (const auto& [topic, partitions] : by_topic)
      listed.push_back({topic, {partitions.begin(), partitions.end()}});
    return listed;
  };
  for (const StreamsMember* member : members_with(view.change)) {
    if (!member->profile.user_endpoint || member->progress.assigned.empty()) continue;
    auto& endpoint = endpoints.emplace_back();
    endpoint.user_endpoint = {member->profile.user_endpoint->host, member->profile.user_endpoint->port};
    endpoint.active_partitions = partitions_of_tasks(plain(member->progress.assigned.active));
    endpoint.standby_partitions = partitions_of_tasks(member->progress.assigned.standby);
  }
}

std::vector<StreamsGroupHeartbeatResponse::Status> StreamsGroup::statuses(const View& view) const {
  std::vector<Response::Status> out;
  const std::int32_t told = view.change->member.profile.topology_epoch;
  if (told < view.topology.epoch) {
    out.push_back(
        status(StreamsStatus::kStaleTopology,
               fmt::format("The member's topology epoch {} is behind the group's topology epoch {}.", told,
                           view.topology.epoch)));
  }
  return out;
}

}  // namespace brook::coordinator

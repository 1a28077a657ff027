#include "coordinator/testing/streams_thread.h"

#include <utility>

namespace brook::coordinator::testing {

using protocol::StreamsGroupHeartbeatRequest;
using protocol::StreamsGroupHeartbeatResponse;

StreamsGroupHeartbeatRequest::Topology counting_topology(const std::string& source) {
  StreamsGroupHeartbeatRequest::Topology out;
  out.epoch = 1;
  auto& splits = out.subtopologies.emplace_back();
  splits.subtopology_id = "0";
  splits.source_topics = {source};
  splits.repartition_sink_topics = {"words"};
  auto& counts = out.subtopologies.emplace_back();
  counts.subtopology_id = "1";
  counts.repartition_source_topics.push_back({"words", 0, 0, {{"cleanup.policy", "delete"}}});
  counts.state_changelog_topics.push_back({"counts", 0, 0, {{"cleanup.policy", "compact"}}});
  return out;
}

StreamsGroupHeartbeatRequest StreamsThread::request(std::int32_t epoch) const {
  StreamsGroupHeartbeatRequest out;
  out.group_id = group_;
  out.member_id = id_;
  out.member_epoch = epoch;
  out.endpoint_information_epoch = -1;
  out.user_endpoint = endpoint;
  out.shutdown_application = asks_for_shutdown;
  return out;
}

Result<StreamsGroupHeartbeatResponse> StreamsThread::join() {
  told_ = has_ = {};
  StreamsGroupHeartbeatRequest asked = request(0);
  asked.topology = topology;
  asked.process_id = process_;
  asked.rebalance_timeout_ms = 5000;
  asked.active_tasks.emplace();
  asked.standby_tasks.emplace();
  asked.warmup_tasks.emplace();
  return send(asked);
}

Result<StreamsGroupHeartbeatResponse> StreamsThread::beat() {
  using Listed = std::vector<StreamsGroupHeartbeatRequest::TaskIds>;
  // A member that has been given no epoch yet joins still.
  if (epoch_ == 0) return join();
  StreamsGroupHeartbeatRequest asked = request(epoch_);
  asked.active_tasks = listed_tasks<Listed>(has_.active);
  asked.standby_tasks = listed_tasks<Listed>(has_.standby);
  asked.warmup_tasks.emplace();
  return send(asked);
}

Result<StreamsGroupHeartbeatResponse> StreamsThread::leave() { return send(request(-1)); }

Result<StreamsGroupHeartbeatResponse> StreamsThread::send(const StreamsGroupHeartbeatRequest& asked) {
  Effects effects;
  const Caller caller{"client", "/127.0.0.1", 0};
  auto answer = driver_.machine().streams_heartbeat({asked, caller}, driver_.now(), effects);
  const bool stored = !driver_.log_refuses || effects.records.empty();
  driver_.carry_out(std::move(effects));
  if (answer && !stored) return fail(ErrorCode::kCoordinatorNotAvailable, "the log refuses");
  if (!answer) {
    // It begins anew.
    epoch_ = 0;
    in_group_ = false;
    told_ = has_ = {};
    return std::unexpected(answer.error());
  }
  if (!topics_refuse) {
    for (const StreamsInternalTopic& topic : answer->topics) driver_.facts.set(topic.name, topic.partitions);
  }
  const StreamsGroupHeartbeatResponse& response = answer->response;
  in_group_ = response.member_epoch >= 0;
  epoch_ = in_group_ ? response.member_epoch : 0;
  if (!in_group_) told_ = has_ = {};
  if (response.active_tasks) {
    told_ = {tasks_of(*response.active_tasks), tasks_of(*response.standby_tasks),
             tasks_of(*response.warmup_tasks)};
  }
  return answer->response;
}

}  // namespace brook::coordinator::testing

// StreamsGroupHeartbeat (KIP-1071): version 0. It is all that a member of a streams group sends to its
// coordinator: it joins with epoch 0 and its topology, leaves with -1, and hears of its tasks in the answer.
// Topics that the topology needs between its parts are made here, as they come to be missing: the member
// hears of it, and gets tasks with a later heartbeat.
#include "protocol/streams_group_heartbeat.h"

#include <utility>

#include "broker/handlers/group_call.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using coordinator::StreamsHeartbeatAnswer;
using coordinator::StreamsStatus;
using protocol::StreamsGroupHeartbeatRequest;
using protocol::StreamsGroupHeartbeatResponse;

class StreamsGroupHeartbeatHandler final
    : public TypedHandler<StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse> {
 public:
  StreamsGroupHeartbeatHandler(ClusterView& view, Administration& administration, GroupRouter& groups)
      : view_(view), administration_(administration), groups_(groups) {}

 private:
  Task<StreamsGroupHeartbeatResponse> serve(const RequestContext& context,
                                            StreamsGroupHeartbeatRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    StreamsHeartbeatAnswer refused;
    refused.response.error_code = wire(ErrorCode::kNotCoordinator);
    const auto beat = [&](coordinator::GroupPartition& groups) {
      return groups.streams_heartbeat(std::move(request), caller_of(context));
    };
    StreamsHeartbeatAnswer answer = co_await groups_.at(place, std::move(refused), beat);
    if (!answer.topics.empty()) co_await make_topics(answer);
    co_return std::move(answer.response);
  }

  /// What keeps a topic from being made is told with the status that says that it is missing. `answer`
  /// outlives the task.
  Task<void> make_topics(StreamsHeartbeatAnswer& answer) {
    std::vector<cluster::NewTopic> topics;
    for (coordinator::StreamsInternalTopic& topic : answer.topics) {
      cluster::NewTopic& one = topics.emplace_back();
      one.name = std::move(topic.name);
      one.partitions = topic.partitions;
      one.replication_factor = topic.replication_factor;
      for (auto& [key, value] : topic.configs) one.configs[key] = std::move(value);
    }
    const auto created = co_await administration_.create_topics(topics, false);
    std::string failures;
    for (std::size_t i = 0; i < created.size(); ++i) {
      if (created[i] || created[i].error().code == ErrorCode::kTopicAlreadyExists) continue;
      failures += (failures.empty() ? "" : ", ") + topics[i].name + " (" + created[i].error().context + ")";
    }
    if (failures.empty() || !answer.response.status) co_return;
    for (auto& status : *answer.response.status) {
      if (status.status_code == static_cast<std::int8_t>(StreamsStatus::kMissingInternalTopics))
        status.status_detail += "; Creation failed: " + failures + ".";
    }
  }

  ClusterView& view_;
  Administration& administration_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_streams_group_heartbeat_handler(ClusterView& view,
                                                              Administration& administration,
                                                              GroupRouter& groups) {
  return std::make_unique<StreamsGroupHeartbeatHandler>(view, administration, groups);
}

}  // namespace brook::broker

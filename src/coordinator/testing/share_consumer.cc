#include "coordinator/testing/share_consumer.h"

#include <utility>

namespace brook::coordinator::testing {

using protocol::ShareGroupHeartbeatRequest;
using protocol::ShareGroupHeartbeatResponse;

ShareGroupHeartbeatRequest ShareConsumer::request(std::int32_t epoch) const {
  ShareGroupHeartbeatRequest out;
  out.group_id = group_;
  out.member_id = id_;
  out.member_epoch = epoch;
  return out;
}

Result<ShareGroupHeartbeatResponse> ShareConsumer::join() {
  epoch_ = 0;
  has_.clear();
  ShareGroupHeartbeatRequest asked = request(0);
  asked.subscribed_topic_names = topics_;
  return send(std::move(asked));
}

Result<ShareGroupHeartbeatResponse> ShareConsumer::beat() { return beat(epoch_); }

Result<ShareGroupHeartbeatResponse> ShareConsumer::beat(std::int32_t epoch) {
  ShareGroupHeartbeatRequest asked = request(epoch);
  if (tells_subscription_) asked.subscribed_topic_names = topics_;
  return send(std::move(asked));
}

Result<ShareGroupHeartbeatResponse> ShareConsumer::leave() {
  auto response = send(request(-1));
  if (response) {
    epoch_ = 0;
    has_.clear();
  }
  return response;
}

void ShareConsumer::subscribe(std::vector<std::string> topics) {
  topics_ = std::move(topics);
  tells_subscription_ = true;
}

std::size_t ShareConsumer::load() const {
  std::size_t load = 0;
  for (const auto& [topic, partitions] : has_) load += partitions.size();
  return load;
}

Result<ShareHeartbeatAnswer> ShareConsumer::decide(const ShareGroupHeartbeatRequest& request) {
  Effects effects;
  const Caller caller{"client", "/127.0.0.1", 1};
  auto answer = driver_.machine().share_heartbeat({request, caller}, driver_.now(), effects);
  const bool stored = !driver_.log_refuses || effects.records.empty();
  driver_.carry_out(std::move(effects));
  if (!answer || stored) return answer;
  if (answer->initialise) driver_.machine().share_initialisation_dropped(request.group_id);
  return fail(ErrorCode::kNotCoordinator, "the log refuses");
}

void ShareConsumer::make_states(const ShareInitialisation& asked) {
  TopicPartitions made;
  TopicPartitions failed;
  for (const ShareStart& start : asked.starts)
    (states_refuse ? failed : made)[start.partition.topic_id].insert(start.partition.partition.value());
  Effects effects;
  driver_.machine().share_initialisation_ended(group_, made, failed, effects);
  driver_.carry_out(std::move(effects));
}

Result<ShareGroupHeartbeatResponse> ShareConsumer::send(ShareGroupHeartbeatRequest asked) {
  const bool told = asked.subscribed_topic_names.has_value();
  BROOK_TRY(ShareHeartbeatAnswer answer, decide(asked));
  if (told) tells_subscription_ = false;
  const auto take = [&](const ShareGroupHeartbeatResponse& response) {
    epoch_ = response.member_epoch;
    if (response.assignment) has_ = partitions_of(response.assignment->topic_partitions);
  };
  take(answer.response);
  if (!answer.initialise) return answer.response;
  make_states(*answer.initialise);
  if (states_refuse) return answer.response;
  asked.member_epoch = answer.response.member_epoch;
  asked.subscribed_topic_names.reset();
  auto second = decide(asked);
  if (!second) return answer.response;
  if (second->initialise) driver_.machine().share_initialisation_dropped(group_);
  take(second->response);
  return second->response;
}

}  // namespace brook::coordinator::testing

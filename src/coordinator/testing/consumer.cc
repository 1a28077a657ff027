#include "coordinator/testing/consumer.h"

#include <utility>

namespace brook::coordinator::testing {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

Consumer::Consumer(GroupDriver& driver, std::string group, std::string id, Wants wants)
    : driver_(driver), group_(std::move(group)), id_(std::move(id)), wants_(std::move(wants)) {}

ConsumerGroupHeartbeatRequest Consumer::request(std::int32_t epoch) const {
  ConsumerGroupHeartbeatRequest out;
  out.group_id = group_;
  out.member_id = id_;
  out.member_epoch = epoch;
  out.instance_id = wants_.instance;
  return out;
}

Result<ConsumerGroupHeartbeatResponse> Consumer::join() {
  ConsumerGroupHeartbeatRequest asked = request(kJoinEpoch);
  asked.rebalance_timeout_ms = 30000;
  asked.subscribed_topic_names = wants_.topics;
  asked.subscribed_topic_regex = wants_.regex;
  asked.server_assignor = wants_.assignor;
  asked.topic_partitions.emplace();
  owned_.clear();
  told_.clear();
  epoch_ = 0;
  return send(asked);
}

Result<ConsumerGroupHeartbeatResponse> Consumer::beat() {
  ConsumerGroupHeartbeatRequest asked = request(epoch_);
  if (tells_subscription_) asked.subscribed_topic_names = wants_.topics;
  if (tells_owned_) {
    asked.topic_partitions.emplace();
    for (const auto& [topic, partitions] : owned_)
      asked.topic_partitions->push_back({topic, {partitions.begin(), partitions.end()}});
  }
  return send(asked);
}

void Consumer::subscribe(std::vector<std::string> topics) {
  wants_.topics = std::move(topics);
  tells_subscription_ = true;
}

Result<ConsumerGroupHeartbeatResponse> Consumer::leave(std::int32_t epoch) {
  auto response = driver_.beat(request(epoch));
  if (response) {
    epoch_ = 0;
    owned_.clear();
    told_.clear();
  }
  return response;
}

Result<ConsumerGroupHeartbeatResponse> Consumer::send(const ConsumerGroupHeartbeatRequest& asked) {
  auto response = driver_.beat(asked);
  if (response) {
    tells_subscription_ = false;
    // Each assignment is answered with what the member has, whether that is new or not.
    tells_owned_ = response->assignment.has_value();
    epoch_ = response->member_epoch;
    if (response->assignment) {
      told_.clear();
      for (const auto& topic : response->assignment->topic_partitions)
        told_[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
    }
    return response;
  }
  const ErrorCode code = response.error().code;
  if (code == ErrorCode::kFencedMemberEpoch || code == ErrorCode::kUnknownMemberId) {
    epoch_ = 0;
    owned_.clear();
    told_.clear();
  }
  return response;
}

void Consumer::obey() {
  if (owned_ == told_) return;
  owned_ = told_;
  tells_owned_ = true;
}

std::size_t Consumer::load() const {
  std::size_t load = 0;
  for (const auto& [topic, partitions] : owned_) load += partitions.size();
  return load;
}

}  // namespace brook::coordinator::testing

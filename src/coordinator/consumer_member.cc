#include "coordinator/consumer_member.h"

#include <utility>

namespace brook::coordinator {
namespace {

using protocol::ConsumerGroupCurrentMemberAssignmentValue;
using protocol::ConsumerGroupMemberMetadataValue;
using StoredPartitions = ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions;

/// Before Apache Kafka 4.3 there were no epochs of partitions: then it is the member's.
HeldPartitions held_of(const std::vector<StoredPartitions>& stored, std::int32_t member_epoch) {
  HeldPartitions out;
  for (const StoredPartitions& topic : stored) {
    if (topic.partitions.empty()) continue;
    auto& held = out[topic.topic_id];
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const bool told = topic.assignment_epochs && i < topic.assignment_epochs->size();
      held[topic.partitions[i]] = told ? (*topic.assignment_epochs)[i] : member_epoch;
    }
  }
  return out;
}

std::vector<StoredPartitions> stored_from(const HeldPartitions& held) {
  std::vector<StoredPartitions> out;
  for (const auto& [topic, partitions] : held) {
    StoredPartitions& stored = out.emplace_back();
    stored.topic_id = topic;
    stored.assignment_epochs.emplace();
    for (const auto& [partition, epoch] : partitions) {
      stored.partitions.push_back(partition);
      stored.assignment_epochs->push_back(epoch);
    }
  }
  return out;
}

}  // namespace

ConsumerProfile ConsumerProfile::of(const ConsumerGroupMemberMetadataValue& value) {
  ConsumerProfile out;
  out.instance_id = value.instance_id;
  out.rack_id = value.rack_id;
  out.client_id = value.client_id;
  out.client_host = value.client_host;
  out.topics.insert(value.subscribed_topic_names.begin(), value.subscribed_topic_names.end());
  out.regex = value.subscribed_topic_regex.value_or(std::string());
  out.rebalance_timeout = std::chrono::milliseconds(value.rebalance_timeout_ms);
  out.assignor = value.server_assignor;
  out.classic = value.classic_member_metadata;
  return out;
}

ConsumerGroupMemberMetadataValue ConsumerProfile::value() const {
  ConsumerGroupMemberMetadataValue out;
  out.instance_id = instance_id;
  out.rack_id = rack_id;
  out.client_id = client_id;
  out.client_host = client_host;
  out.subscribed_topic_names.assign(topics.begin(), topics.end());
  out.subscribed_topic_regex = regex;
  out.rebalance_timeout_ms = static_cast<std::int32_t>(rebalance_timeout.count());
  out.server_assignor = assignor;
  out.classic_member_metadata = classic;
  return out;
}

ConsumerProgress ConsumerProgress::of(const ConsumerGroupCurrentMemberAssignmentValue& value) {
  ConsumerProgress out;
  out.epoch = value.member_epoch;
  out.previous_epoch = value.previous_member_epoch;
  // A state that we do not know is taken for one that goes on by itself.
  const bool known = value.state >= 0 && value.state <= static_cast<std::int8_t>(State::kUnreleased);
  out.state = known ? static_cast<State>(value.state) : State::kUnreleased;
  out.assigned = held_of(value.assigned_partitions, value.member_epoch);
  out.revoking = held_of(value.partitions_pending_revocation, value.member_epoch);
  return out;
}

ConsumerGroupCurrentMemberAssignmentValue ConsumerProgress::value() const {
  ConsumerGroupCurrentMemberAssignmentValue out;
  out.member_epoch = epoch;
  out.previous_member_epoch = previous_epoch;
  out.state = static_cast<std::int8_t>(state);
  out.assigned_partitions = stored_from(assigned);
  out.partitions_pending_revocation = stored_from(revoking);
  return out;
}

protocol::ConsumerGroupTargetAssignmentMemberValue target_value(const TopicPartitions& target) {
  using Value = protocol::ConsumerGroupTargetAssignmentMemberValue;
  return {listed<decltype(Value::topic_partitions)>(target)};
}

}  // namespace brook::coordinator

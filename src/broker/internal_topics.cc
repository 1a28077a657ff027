#include "broker/internal_topics.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "coordinator/group_coordinator.h"
#include "coordinator/share_state_coordinator.h"
#include "coordinator/transaction_coordinator.h"

namespace brook::broker {
namespace {

cluster::NewTopic new_topic(const ClusterView& view, std::string_view name, std::int64_t partitions,
                            std::int64_t replicas) {
  const auto brokers = static_cast<std::int64_t>(view.image()->brokers.size());
  cluster::NewTopic topic;
  topic.name = name;
  topic.partitions = static_cast<std::int32_t>(partitions);
  topic.replication_factor =
      static_cast<std::int16_t>(std::min(replicas, std::max<std::int64_t>(brokers, 1)));
  topic.configs["cleanup.policy"] = "compact";
  return topic;
}

cluster::NewTopic share_states_topic(const ClusterView& view) {
  const cluster::BrokerConfig& config = view.config();
  cluster::NewTopic topic = new_topic(view, coordinator::ShareStateCoordinator::kTopic,
                                      config.number("share.coordinator.state.topic.num.partitions"),
                                      config.number("share.coordinator.state.topic.replication.factor"));
  // Updates count together, so none may be compacted away: the coordinator cuts off what is not needed.
  topic.configs["cleanup.policy"] = "delete";
  topic.configs["retention.ms"] = "-1";
  topic.configs["compression.type"] = "producer";
  topic.configs["segment.bytes"] =
      std::to_string(config.number("share.coordinator.state.topic.segment.bytes"));
  topic.configs["min.insync.replicas"] =
      std::to_string(config.number("share.coordinator.state.topic.min.isr"));
  return topic;
}

cluster::NewTopic offsets_topic(const ClusterView& view) {
  const cluster::BrokerConfig& config = view.config();
  cluster::NewTopic topic =
      new_topic(view, coordinator::GroupCoordinator::kTopic, config.number("offsets.topic.num.partitions"),
                config.number("offsets.topic.replication.factor"));
  topic.configs["compression.type"] = "producer";
  topic.configs["segment.bytes"] = std::to_string(config.number("offsets.topic.segment.bytes"));
  return topic;
}

cluster::NewTopic transactions_topic(const ClusterView& view) {
  const cluster::BrokerConfig& config = view.config();
  cluster::NewTopic topic = new_topic(view, coordinator::TransactionCoordinator::kTopic,
                                      config.number("transaction.state.log.num.partitions"),
                                      config.number("transaction.state.log.replication.factor"));
  topic.configs["compression.type"] = "uncompressed";
  topic.configs["segment.bytes"] = std::to_string(config.number("transaction.state.log.segment.bytes"));
  topic.configs["min.insync.replicas"] = std::to_string(config.number("transaction.state.log.min.isr"));
  return topic;
}

}  // namespace

Task<void> ensure_internal_topic(const ClusterView& view, Administration& administration,
                                 std::string_view topic) {
  if (view.image()->topics.find(topic)) co_return;
  std::vector<cluster::NewTopic> topics;
  if (topic == coordinator::GroupCoordinator::kTopic) {
    topics.push_back(offsets_topic(view));
  } else if (topic == coordinator::ShareStateCoordinator::kTopic) {
    topics.push_back(share_states_topic(view));
  } else {
    topics.push_back(transactions_topic(view));
  }
  const auto created = co_await administration.create_topics(std::move(topics), false);
  const auto& one = created.front();
  if (!one && one.error().code != ErrorCode::kTopicAlreadyExists)
    log::warn("internal_topic_not_created", {{"topic", topic}, {"why", one.error().context}});
}

}  // namespace brook::broker

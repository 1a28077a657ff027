#include "coordinator/share_topics.h"

namespace brook::coordinator {
namespace {

using Value = protocol::ShareGroupStatePartitionMetadataValue;

ShareTopics::Topics topics_of(const std::vector<Value::TopicPartitionsInfo>& stored) {
  ShareTopics::Topics out;
  for (const auto& topic : stored)
    out[topic.topic_id] = {topic.topic_name, {topic.partitions.begin(), topic.partitions.end()}};
  return out;
}

std::vector<Value::TopicPartitionsInfo> stored(const ShareTopics::Topics& topics) {
  std::vector<Value::TopicPartitionsInfo> out;
  for (const auto& [id, topic] : topics)
    out.push_back({id, topic.name, {topic.partitions.begin(), topic.partitions.end()}});
  return out;
}

void add(const ShareTopics::Topics& from, ShareTopics::Topics& to) {
  for (const auto& [id, topic] : from) {
    ShareTopics::Topic& known = to[id];
    known.name = topic.name;
    known.partitions.insert(topic.partitions.begin(), topic.partitions.end());
  }
}

}  // namespace

ShareTopics ShareTopics::of(const Value& value) {
  ShareTopics out{topics_of(value.initializing_topics), topics_of(value.initialized_topics), {}};
  for (const auto& topic : value.deleting_topics) out.deleting[topic.topic_id] = topic.topic_name;
  return out;
}

Value ShareTopics::value() const {
  Value out;
  out.initializing_topics = stored(initialising);
  out.initialized_topics = stored(initialised);
  for (const auto& [id, name] : deleting) out.deleting_topics.push_back({id, name});
  return out;
}

void ShareTopics::begin(const Topics& topics) {
  add(topics, initialising);
  for (const auto& [id, topic] : topics) deleting.erase(id);
}

void ShareTopics::end(const TopicPartitions& made, const TopicPartitions& failed) {
  const auto take = [&](const TopicPartitions& ended, bool is_there) {
    for (const auto& [id, partitions] : ended) {
      const auto topic = initialising.find(id);
      // It was forgotten meanwhile.
      if (topic == initialising.end()) continue;
      for (const std::int32_t partition : partitions) {
        if (topic->second.partitions.erase(partition) == 0 || !is_there) continue;
        initialised[id].name = topic->second.name;
        initialised[id].partitions.insert(partition);
      }
      if (topic->second.partitions.empty()) initialising.erase(topic);
    }
  };
  take(made, true);
  take(failed, false);
}

void ShareTopics::begin_deleting(const TopicId& topic) {
  for (Topics* present : {&initialising, &initialised}) {
    const auto found = present->find(topic);
    if (found == present->end()) continue;
    deleting[topic] = found->second.name;
    present->erase(found);
  }
}

void ShareTopics::forget(const TopicId& topic) {
  initialising.erase(topic);
  initialised.erase(topic);
  deleting.erase(topic);
}

bool ShareTopics::has(const TopicId& topic) const {
  return initialising.contains(topic) || initialised.contains(topic) || deleting.contains(topic);
}

std::set<std::int32_t> ShareTopics::states_of(const TopicId& topic, std::int32_t partitions) const {
  std::set<std::int32_t> out;
  for (const Topics* present : {&initialising, &initialised}) {
    const auto found = present->find(topic);
    if (found != present->end()) out.insert(found->second.partitions.begin(), found->second.partitions.end());
  }
  // It does not say which.
  if (deleting.contains(topic)) {
    for (std::int32_t partition = 0; partition < partitions; ++partition) out.insert(partition);
  }
  return out;
}

}  // namespace brook::coordinator

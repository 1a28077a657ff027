#include "cluster/metadata_image.h"

#include <algorithm>
#include <utility>

namespace brook::cluster {
namespace {

using Topics = std::vector<TopicPtr>;

/// A copy of `bucket`, which may be null, with `topic` in the place of its name.
std::shared_ptr<const Topics> with(const std::shared_ptr<const Topics>& bucket, TopicPtr topic) {
  auto fresh = bucket ? std::make_shared<Topics>(*bucket) : std::make_shared<Topics>();
  const auto at = std::ranges::lower_bound(
      *fresh, topic->name, {}, [](const TopicPtr& other) -> const std::string& { return other->name; });
  if (at != fresh->end() && (*at)->name == topic->name) {
    *at = std::move(topic);
  } else {
    fresh->insert(at, std::move(topic));
  }
  return fresh;
}

std::shared_ptr<const Topics> without(const std::shared_ptr<const Topics>& bucket, std::string_view name) {
  auto fresh = std::make_shared<Topics>(*bucket);
  std::erase_if(*fresh, [&](const TopicPtr& topic) { return topic->name == name; });
  return fresh;
}

}  // namespace

const Endpoint* BrokerInfo::endpoint(std::string_view listener) const {
  const auto it = std::ranges::find(endpoints, listener, &Endpoint::listener);
  return it == endpoints.end() ? nullptr : &*it;
}

const PartitionInfo* TopicInfo::partition(PartitionIndex index) const {
  if (index.value() < 0 || static_cast<std::size_t>(index.value()) >= partitions.size()) return nullptr;
  return &partitions[static_cast<std::size_t>(index.value())];
}

bool TopicInfo::is_internal() const { return is_internal_topic(name); }

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

TopicPtr TopicTable::find(std::string_view name) const {
  const auto& bucket = by_name_[std::hash<std::string_view>{}(name) % kBuckets];
  if (!bucket) return nullptr;
  const auto at = std::ranges::lower_bound(
      *bucket, name, {}, [](const TopicPtr& topic) -> std::string_view { return topic->name; });
  return at != bucket->end() && (*at)->name == name ? *at : nullptr;
}

TopicPtr TopicTable::find(const TopicId& id) const {
  const auto& bucket = by_id_[std::hash<TopicId>{}(id) % kBuckets];
  if (!bucket || id.is_zero()) return nullptr;
  const auto at = std::ranges::find(*bucket, id, [](const TopicPtr& topic) { return topic->id; });
  return at != bucket->end() ? *at : nullptr;
}

void TopicTable::for_each(const std::function<void(const TopicPtr&)>& visit) const {
  for (const auto& bucket : by_name_) {
    if (!bucket) continue;
    for (const TopicPtr& topic : *bucket) visit(topic);
  }
}

std::vector<TopicPtr> TopicTable::sorted() const {
  std::vector<TopicPtr> topics;
  topics.reserve(size_);
  for_each([&](const TopicPtr& topic) { topics.push_back(topic); });
  std::ranges::sort(topics, {}, [](const TopicPtr& topic) -> const std::string& { return topic->name; });
  return topics;
}

void TopicTable::put(TopicPtr topic) {
  erase(topic->name);
  auto& named = by_name_[std::hash<std::string_view>{}(topic->name) % kBuckets];
  auto& numbered = by_id_[std::hash<TopicId>{}(topic->id) % kBuckets];
  named = with(named, topic);
  numbered = with(numbered, std::move(topic));
  size_ += 1;
}

void TopicTable::erase(std::string_view name) {
  const TopicPtr old = find(name);
  if (!old) return;
  auto& named = by_name_[std::hash<std::string_view>{}(old->name) % kBuckets];
  auto& numbered = by_id_[std::hash<TopicId>{}(old->id) % kBuckets];
  named = without(named, old->name);
  numbered = without(numbered, old->name);
  size_ -= 1;
}

std::string_view config_entity_folder(ConfigEntity entity) {
  switch (entity) {
    case ConfigEntity::kTopic:
      return "topics";
    case ConfigEntity::kBroker:
      return "brokers";
    case ConfigEntity::kClientMetrics:
      return "client-metrics";
    case ConfigEntity::kGroup:
      return "groups";
    case ConfigEntity::kUser:
      return "users";
    case ConfigEntity::kClient:
      return "clients";
    case ConfigEntity::kIp:
      return "ips";
  }
  return "";
}

const ConfigMap& MetadataImage::config_of(const ConfigResource& resource) const {
  static const ConfigMap kNone;
  if (resource.entity == ConfigEntity::kTopic) {
    const TopicPtr topic = topics.find(resource.name);
    return topic ? topic->configs : kNone;
  }
  if (!configs) return kNone;
  const auto it = configs->find(resource);
  return it == configs->end() ? kNone : it->second;
}

const BrokerInfo* MetadataImage::broker(BrokerId id) const {
  const auto it = brokers.find(id);
  return it == brokers.end() ? nullptr : &it->second;
}

const PartitionInfo* MetadataImage::partition(std::string_view topic, PartitionIndex index) const {
  const TopicPtr found = topics.find(topic);
  return found ? found->partition(index) : nullptr;
}

}  // namespace brook::cluster

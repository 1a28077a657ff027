#pragma once

#include <map>
#include <string>

#include "coordinator/cluster_facts.h"

namespace brook::coordinator::testing {

/// Topics as a test says.
class FakeFacts final : public ClusterFacts {
 public:
  /// Creates the topic, or lets it grow; its id.
  TopicId set(const std::string& name, std::int32_t partitions) {
    Topic& topic = topics_[name];
    if (topic.id.is_zero()) topic.id.bytes.back() = static_cast<std::byte>(++last_id_);
    topic.partitions = partitions;
    ++version_;
    return topic.id;
  }
  void erase(const std::string& name) {
    topics_.erase(name);
    ++version_;
  }
  [[nodiscard]] TopicId id(const std::string& name) const { return topics_.at(name).id; }
  [[nodiscard]] std::int32_t partitions(const std::string& name) const { return topics_.at(name).partitions; }

  GroupSettings settings{.assignment_interval = std::chrono::milliseconds(0)};
  /// Of streams groups.
  std::chrono::milliseconds initial_rebalance_delay{0};
  std::int32_t standbys = 0;

  [[nodiscard]] std::int64_t version() const override { return version_; }
  [[nodiscard]] std::optional<TopicFacts> topic(std::string_view name) const override {
    const auto at = topics_.find(name);
    if (at == topics_.end()) return std::nullopt;
    return TopicFacts{at->first, at->second.id, at->second.partitions};
  }
  [[nodiscard]] std::optional<TopicFacts> topic(const TopicId& id) const override {
    for (const auto& [name, topic] : topics_) {
      if (topic.id == id) return TopicFacts{name, topic.id, topic.partitions};
    }
    return std::nullopt;
  }
  void for_each_topic(const std::function<void(const TopicFacts&)>& visit) const override {
    for (const auto& [name, topic] : topics_) visit({name, topic.id, topic.partitions});
  }
  [[nodiscard]] GroupSettings settings_of(std::string_view /*group*/) const override { return settings; }
  [[nodiscard]] GroupSettings share_settings_of(std::string_view /*group*/) const override {
    return settings;
  }
  [[nodiscard]] StreamsSettings streams_settings_of(std::string_view /*group*/) const override {
    return {settings, initial_rebalance_delay, standbys};
  }

 private:
  struct Topic {
    TopicId id;
    std::int32_t partitions = 0;
  };
  std::map<std::string, Topic, std::less<>> topics_;
  std::int64_t version_ = 1;
  int last_id_ = 0;
};

}  // namespace brook::coordinator::testing

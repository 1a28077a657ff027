#pragma once

#include <chrono>
#include <string_view>

#include "broker/cluster_view.h"
#include "coordinator/cluster_facts.h"

namespace brook::broker {

/// What groups see of one shard's metadata image. Runs on: its shard.
class ImageFacts final : public coordinator::ClusterFacts {
 public:
  /// `view` outlives it.
  explicit ImageFacts(const ClusterView& view) : view_(view) {}

  /// The view has come to the image that `delta` leads to.
  void note(const cluster::MetadataDelta& delta);

  [[nodiscard]] std::int64_t version() const override { return version_; }
  [[nodiscard]] std::optional<coordinator::TopicFacts> topic(std::string_view name) const override;
  [[nodiscard]] std::optional<coordinator::TopicFacts> topic(const TopicId& id) const override;
  void for_each_topic(const std::function<void(const coordinator::TopicFacts&)>& visit) const override;
  [[nodiscard]] coordinator::GroupSettings settings_of(std::string_view group) const override;
  [[nodiscard]] coordinator::GroupSettings share_settings_of(std::string_view group) const override;
  [[nodiscard]] coordinator::StreamsSettings streams_settings_of(std::string_view group) const override;

 private:
  struct Bounded {
    std::string_view key, min, max;
  };
  /// A group's own value, within what the broker allows, or the broker's.
  [[nodiscard]] std::chrono::milliseconds millis(std::string_view group, const Bounded& setting) const;
  /// The same without bounds.
  [[nodiscard]] std::int64_t number(std::string_view group, std::string_view key) const;

  const ClusterView& view_;
  std::int64_t version_ = 0;
};

}  // namespace brook::broker

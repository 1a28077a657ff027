#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/request_context.h"
#include "cluster/config.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// Partitions that this broker should serve and can't, such as those of a directory whose disk fails.
using OfflinePartitions = std::unordered_set<TopicIdPartition>;

/// One shard's newest metadata image, and what this broker is in it. Runs on: its shard.
class ClusterView {
 public:
  ClusterView(BrokerId self, const cluster::BrokerConfig& config) : self_(self), config_(config) {}

  void swap(cluster::ImagePtr image) { image_ = std::move(image); }
  /// Hold the pointer across an await: the image is replaced meanwhile.
  [[nodiscard]] const cluster::ImagePtr& image() const { return image_; }
  [[nodiscard]] BrokerId self() const { return self_; }
  [[nodiscard]] const cluster::BrokerConfig& config() const { return config_; }
  [[nodiscard]] cluster::ConfigLayers layers() const {
    return cluster::config_layers(config_, *image_, self_);
  }

  void set_offline(std::shared_ptr<const OfflinePartitions> offline) { offline_ = std::move(offline); }
  [[nodiscard]] bool is_offline(const TopicIdPartition& partition) const {
    return offline_ && offline_->contains(partition);
  }

  /// Where this client finds `broker`: the endpoint of the listener that it came by; where nothing is
  /// advertised, this broker is at the address that the client connected to. Nothing where the broker has no
  /// such listener.
  [[nodiscard]] std::optional<runtime::Address> address_for(const RequestContext& context,
                                                            const cluster::BrokerInfo& broker) const;

 private:
  BrokerId self_;
  const cluster::BrokerConfig& config_;
  cluster::ImagePtr image_;
  std::shared_ptr<const OfflinePartitions> offline_;  ///< null: none
};

/// Broker ids as responses list them.
[[nodiscard]] std::vector<std::int32_t> to_wire(const std::vector<BrokerId>& ids);

}  // namespace brook::broker

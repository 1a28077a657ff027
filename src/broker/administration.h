#pragma once

#include <vector>

#include "cluster/controller.h"
#include "runtime/shard.h"

namespace brook::broker {

/// The controller's operations as handlers see them: from any shard, ending when every shard has the new
/// image and serves the partitions in it. Its port is implemented where the controller lives.
class Administration {
 public:
  virtual ~Administration() = default;
  [[nodiscard]] virtual Task<std::vector<Result<cluster::CreatedTopic>>> create_topics(
      std::vector<cluster::NewTopic> topics, bool validate_only) = 0;
  [[nodiscard]] virtual Task<std::vector<Result<void>>> delete_topics(
      std::vector<cluster::TopicRef> topics) = 0;
  [[nodiscard]] virtual Task<std::vector<Result<void>>> create_partitions(
      std::vector<cluster::NewPartitions> topics, bool validate_only) = 0;
  [[nodiscard]] virtual Task<std::vector<Result<void>>> alter_configs(
      std::vector<cluster::ConfigChange> changes, bool validate_only) = 0;
  [[nodiscard]] virtual Task<std::vector<Result<void>>> replace_configs(
      std::vector<cluster::ConfigReplacement> changes, bool validate_only) = 0;
};

}  // namespace brook::broker

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "broker/administration.h"
#include "broker/cluster_view.h"
#include "broker/image_facts.h"
#include "cluster/mirror.h"
#include "coordinator/group_coordinator.h"
#include "coordinator/share_state_coordinator.h"
#include "coordinator/transaction_coordinator.h"
#include "replica/replica_set.h"
#include "runtime/signal.h"

namespace brook::broker {

/// Brings every new image to every shard, one after another, and the controller's operations to the
/// controller's shard. An operation ends when the image that has its change is everywhere. Runs on: shard 0,
/// where the mirror is; the Administration on any.
class MetadataPublisher final : public Administration {
 public:
  struct Target {
    runtime::Shard* shard;
    ClusterView* view;
    replica::ReplicaSet* replicas;
    coordinator::GroupCoordinator* groups;
    ImageFacts* facts;
    coordinator::TransactionCoordinator* transactions;
    coordinator::ShareStateCoordinator* share_states;
  };

  /// All outlive it.
  MetadataPublisher(runtime::Shard& shard, cluster::Mirror& mirror, cluster::Controller& controller,
                    std::vector<Target> targets);

  /// Subscribes, brings the present image to every shard, and lets each open its partitions in the
  /// background: first those of internal topics, so that coordinators are there before what they coordinate.
  [[nodiscard]] Task<void> start();
  /// Whether all partitions of the start's image were opened or found damaged by `deadline`. What changes
  /// until then is brought to the shards after it.
  [[nodiscard]] Task<bool> opened_by(runtime::Instant deadline);
  /// Waits for what is under way; ReplicaSet::stop() cuts a start's opening short.
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] Task<std::vector<Result<cluster::CreatedTopic>>> create_topics(
      std::vector<cluster::NewTopic> topics, bool validate_only) override;
  [[nodiscard]] Task<std::vector<Result<void>>> delete_topics(std::vector<cluster::TopicRef> topics) override;
  [[nodiscard]] Task<std::vector<Result<void>>> create_partitions(std::vector<cluster::NewPartitions> topics,
                                                                  bool validate_only) override;
  [[nodiscard]] Task<std::vector<Result<void>>> alter_configs(std::vector<cluster::ConfigChange> changes,
                                                              bool validate_only) override;
  [[nodiscard]] Task<std::vector<Result<void>>> replace_configs(
      std::vector<cluster::ConfigReplacement> changes, bool validate_only) override;

 private:
  struct Publication {
    cluster::ImagePtr image;
    std::shared_ptr<const cluster::MetadataDelta> delta;
  };
  /// What is done with a publication on a target's shard; both outlive it.
  using Work = Task<void> (*)(Target& target, const Publication& what);
  /// On all shards at once.
  [[nodiscard]] Task<void> on_all(Work work, const Publication& what);
  [[nodiscard]] Task<void> open_known(cluster::ImagePtr image);
  [[nodiscard]] static Task<void> show(Target& target, const Publication& what);
  [[nodiscard]] static Task<void> begin(Target& target, const Publication& what);
  [[nodiscard]] static Task<void> open_part(Target& target, const Publication& what);
  [[nodiscard]] static Task<void> apply(Target& target, const Publication& what);
  void enqueue(const cluster::ImagePtr& image, const cluster::MetadataDelta& delta);
  [[nodiscard]] Task<void> publish_queued();
  [[nodiscard]] Task<void> publish(Publication publication);
  [[nodiscard]] Task<void> settled();
  /// Awaits what `start` makes on the controller's shard, then that every shard has seen it.
  template <class Results>
  [[nodiscard]] Task<Results> on_controller(std::move_only_function<Task<Results>()> start);

  runtime::Shard& shard_;
  cluster::Mirror& mirror_;
  cluster::Controller& controller_;
  std::vector<Target> targets_;
  std::deque<Publication> queue_;
  std::uint64_t enqueued_ = 0;
  std::uint64_t published_ = 0;
  bool opened_ = false;      ///< the start's partitions
  bool publishing_ = false;  ///< or opening
  bool stopped_ = false;
  runtime::Signal progress_;
  runtime::Gate gate_;
};

}  // namespace brook::broker

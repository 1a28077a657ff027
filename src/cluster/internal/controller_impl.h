#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/controller.h"
#include "cluster/internal/turnstile.h"
#include "runtime/gate.h"
#include "runtime/random.h"

namespace brook::cluster {

/// What a Controller does, in one file for each subject: controller_office.cc (brokers, election, producer
/// ids), controller_topics.cc, controller_configs.cc; controller.cc has the writing that they share.
class Controller::Impl {
 public:
  Impl(runtime::Shard& shard, keeper::Client& client, Mirror& mirror, const BrokerConfig& config)
      : shard_(shard),
        client_(client),
        mirror_(mirror),
        config_(config),
        self_(config.node_id()),
        turns_(shard.clock()) {}

  Task<Result<BrokerEpoch>> register_broker(BrokerRegistration registration);
  Task<Result<bool>> elect();
  [[nodiscard]] bool is_controller() const { return office_.has_value(); }
  Task<std::vector<Result<CreatedTopic>>> create_topics(std::vector<NewTopic> topics, bool validate_only);
  Task<std::vector<Result<void>>> delete_topics(std::vector<TopicRef> topics);
  Task<std::vector<Result<void>>> create_partitions(std::vector<NewPartitions> topics, bool validate_only);
  Task<std::vector<Result<void>>> alter_configs(std::vector<ConfigChange> changes, bool validate_only);
  Task<std::vector<Result<void>>> replace_configs(std::vector<ConfigReplacement> changes, bool validate_only);
  Task<Result<ProducerIdBlock>> allocate_producer_ids();

 private:
  /// Being the controller: the epoch, and the version of its znode that fences every write.
  struct Office {
    ControllerEpoch epoch;
    keeper::Version fence = 0;
  };

  [[nodiscard]] const MetadataImage& image() const { return *mirror_.image(); }
  [[nodiscard]] ConfigLayers layers() const { return config_layers(config_, image(), self_); }
  [[nodiscard]] Result<void> check_office() const;
  [[nodiscard]] Task<Result<void>> settled();

  [[nodiscard]] Task<keeper::KeeperResult<void>> write(std::vector<keeper::Operation> operations);
  [[nodiscard]] Task<keeper::KeeperResult<void>> write_chunks(std::vector<keeper::Operation> operations);
  [[nodiscard]] Error write_error(const keeper::Failure& failure) const;

  [[nodiscard]] Task<Result<bool>> claim_office();
  [[nodiscard]] Task<Result<void>> finish_predecessors_work();
  [[nodiscard]] Task<Result<void>> complete_topic(TopicPtr topic);
  [[nodiscard]] std::vector<keeper::Operation> elect_leaders() const;

  [[nodiscard]] Task<void> write_topic(const TopicInfo& topic, ControllerEpoch epoch,
                                       Result<CreatedTopic>& answer);
  [[nodiscard]] Task<void> write_removal(TopicPtr topic, Result<void>& answer);
  [[nodiscard]] Task<keeper::KeeperResult<void>> finish_removal(std::string name);
  [[nodiscard]] Task<void> write_partitions(TopicInfo grown, std::size_t first, std::int32_t version,
                                            Result<void>& answer);
  [[nodiscard]] Result<TopicPtr> resolve(const TopicRef& ref) const;

  [[nodiscard]] Task<std::vector<Result<void>>> change_configs(std::vector<ConfigResource> resources,
                                                               std::vector<Result<ConfigMap>> planned,
                                                               bool validate_only);
  [[nodiscard]] Result<void> check_resource(const ConfigResource& resource) const;
  [[nodiscard]] Task<void> write_config(ConfigResource resource, ConfigMap whole, Result<void>& answer);

  runtime::Shard& shard_;
  keeper::Client& client_;
  Mirror& mirror_;
  const BrokerConfig& config_;
  BrokerId self_;
  internal::Turnstile turns_;
  std::optional<Office> office_;
};

namespace internal {

/// How often a write is tried again that another broker was faster with.
inline constexpr int kWriteAttempts = 5;

[[nodiscard]] Error to_error(const keeper::Failure& failure);
[[nodiscard]] std::unexpected<Error> refused(const keeper::Failure& failure);
/// Random, and never with a leading '-', which command lines would take for an option.
[[nodiscard]] Uuid new_uuid(runtime::Random& random);
/// Entries of a request that name what an earlier or later entry names, too.
[[nodiscard]] std::set<std::string> repeated(const std::vector<std::string>& names);

/// What was written and did not reach the mirror is not done.
template <class T>
void fail_unseen(const Result<void>& seen, std::vector<Result<T>>& answers) {
  for (auto& answer : answers) {
    if (!seen && answer) answer = std::unexpected(seen.error());
  }
}

}  // namespace internal

}  // namespace brook::cluster

#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cluster/config.h"
#include "cluster/metadata_image.h"
#include "replica/log_directories.h"
#include "replica/partition.h"
#include "replica/refused_producers.h"
#include "runtime/shard.h"

namespace brook::replica {

/// The shard that a partition lives on.
[[nodiscard]] std::size_t shard_of(const TopicIdPartition& partition, std::size_t shard_count);

struct ReplicaSetOptions {
  BrokerId self;
  std::size_t shard_count = 1;
  std::chrono::milliseconds producer_id_expiration{86400000};
  std::chrono::milliseconds retention_check_interval{300000};
  ReplicaMetrics* metrics = nullptr;            ///< outlives the set; null counts nothing
  runtime::MemoryBudget* key_memory = nullptr;  ///< for keys that wait for compaction; null keeps none
};

/// The partitions of one shard, as the metadata image wants them. Runs on: its shard.
class ReplicaSet {
 public:
  /// All outlive it.
  ReplicaSet(runtime::Shard& shard, LogDirectories& directories, const cluster::BrokerConfig& config,
             ReplicaSetOptions options);

  /// The image of the start: find() tells of its partitions that they are not open yet.
  void begin(cluster::ImagePtr image);
  /// Opens what `part` of the start's image names; each serves as soon as it is open.
  [[nodiscard]] Task<void> open_known(std::shared_ptr<const cluster::MetadataDelta> part);
  /// Opens, reconfigures and deletes what changed; returns when the partitions of new topics serve. One call
  /// at a time, in the order of the images, after all of open_known(). What cannot be opened is logged and
  /// stays away; the others serve.
  [[nodiscard]] Task<void> apply(cluster::ImagePtr image,
                                 std::shared_ptr<const cluster::MetadataDelta> delta);

  /// The partition, or why it is not here: UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR,
  /// NOT_LEADER_OR_FOLLOWER.
  [[nodiscard]] Result<std::shared_ptr<Partition>> find(const TopicIdPartition& id) const;
  [[nodiscard]] const std::unordered_map<TopicIdPartition, std::shared_ptr<Partition>>& all() const {
    return partitions_;
  }
  /// KAFKA_STORAGE_ERROR where the partition's disk fails, or has no room: for clients' records, or with
  /// Room::kState for what coordinators write.
  [[nodiscard]] Result<void> check_room(const Partition& partition, Room needs = Room::kEnough) const;
  /// The disk of `directory` fails: its partitions are closed, and find() says why.
  [[nodiscard]] Task<void> take_offline(std::string directory, std::string why);
  /// Those that should be here and can't be served.
  [[nodiscard]] std::vector<TopicIdPartition> offline_partitions() const;
  /// Their names.
  [[nodiscard]] std::vector<TopicPartition> offline_names() const;
  /// What the broker's settings in force are looked up in, after begin() and until the next apply().
  [[nodiscard]] cluster::ConfigLayers config_layers() const;

  /// Under which the keys that wait for compaction are hashed.
  [[nodiscard]] const SipKey& key_seed() const { return key_seed_; }

  /// What producers wait for at partitions of this shard.
  [[nodiscard]] RefusedProducers& refused() { return refused_; }

  /// Retention, expired producers, files whose deletion is due, files that nobody reads. Until the shard's
  /// gate closes.
  [[nodiscard]] Task<void> keep_house();
  /// Ends keep_house(), and opens no more.
  void stop() {
    stopping_ = true;
    stopped_.notify_all();
  }
  /// Writes everything and closes the logs; the caller syncs their file systems then. False where a log could
  /// not be written.
  [[nodiscard]] Task<bool> close();

 private:
  struct Wanted {
    cluster::TopicPtr topic;
    PartitionIndex index;
    bool is_new = false;  ///< its topic came, or grew, while this broker ran
  };
  void add_mine(const cluster::TopicPtr& topic, std::size_t known_partitions, bool at_start,
                std::vector<Wanted>& to) const;
  [[nodiscard]] Task<void> open_all(std::vector<Wanted> wanted);
  [[nodiscard]] Task<void> open(Wanted wanted);
  [[nodiscard]] Task<Result<void>> try_open(Wanted wanted);
  [[nodiscard]] Task<void> remove(std::shared_ptr<Partition> partition);
  [[nodiscard]] Task<void> remove_later(std::string path, std::chrono::milliseconds delay);
  [[nodiscard]] cluster::TopicConfig config_of(const cluster::TopicInfo& topic) const;
  /// Closes files when too many are open: first those that were not used for a while.
  void relieve_open_files() const;
  [[nodiscard]] bool is_mine(const cluster::TopicInfo& topic, std::size_t index) const;

  runtime::Shard& shard_;
  LogDirectories& directories_;
  const cluster::BrokerConfig& config_;
  ReplicaSetOptions options_;
  SipKey key_seed_;
  cluster::ImagePtr image_;
  std::unordered_map<TopicIdPartition, std::shared_ptr<Partition>> partitions_;
  std::unordered_map<TopicIdPartition, Error> failed_;
  RefusedProducers refused_;
  runtime::Signal stopped_;
  bool stopping_ = false;
};

}  // namespace brook::replica

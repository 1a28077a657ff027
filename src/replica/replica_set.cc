#include "replica/replica_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "storage/partition_metadata.h"

namespace brook::replica {
namespace {

/// How many logs of one shard are opened (and recovered) at a time.
constexpr std::size_t kParallelOpens = 8;
constexpr std::chrono::seconds kProgressEvery{2};  // in the log, while they are

bool hosts(const cluster::PartitionInfo& partition, BrokerId broker) {
  return std::ranges::find(partition.replicas, broker) != partition.replicas.end();
}

}  // namespace

std::size_t shard_of(const TopicIdPartition& partition, std::size_t shard_count) {
  // Partitions of one topic go round the shards, so that a topic with as many partitions as shards uses all
  // of them.
  const std::size_t start = std::hash<Uuid>{}(partition.topic_id);
  return (start + static_cast<std::size_t>(partition.partition.value())) % shard_count;
}

ReplicaSet::ReplicaSet(runtime::Shard& shard, LogDirectories& directories,
                       const cluster::BrokerConfig& config, ReplicaSetOptions options)
    : shard_(shard),
      directories_(directories),
      config_(config),
      options_(options),
      key_seed_{shard.random().next(), shard.random().next()},
      stopped_(shard.clock()) {}

bool ReplicaSet::is_mine(const cluster::TopicInfo& topic, std::size_t index) const {
  const TopicIdPartition id{topic.id, PartitionIndex(static_cast<std::int32_t>(index))};
  return shard_of(id, options_.shard_count) == shard_.index() &&
         hosts(topic.partitions[index], options_.self);
}

cluster::ConfigLayers ReplicaSet::config_layers() const {
  return cluster::config_layers(config_, *image_, options_.self);
}

cluster::TopicConfig ReplicaSet::config_of(const cluster::TopicInfo& topic) const {
  return cluster::topic_config(config_layers(), topic.configs);
}

void ReplicaSet::begin(cluster::ImagePtr image) { image_ = std::move(image); }

Task<void> ReplicaSet::open_known(std::shared_ptr<const cluster::MetadataDelta> part) {
  std::vector<Wanted> wanted;
  for (const cluster::TopicChange& change : part->topics) add_mine(change.after, 0, true, wanted);
  co_await open_all(std::move(wanted));
}

void ReplicaSet::add_mine(const cluster::TopicPtr& topic, std::size_t known_partitions, bool at_start,
                          std::vector<Wanted>& to) const {
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
    if (is_mine(*topic, i))
      to.push_back({topic, PartitionIndex(static_cast<std::int32_t>(i)), !at_start && i >= known_partitions});
  }
}

Task<void> ReplicaSet::apply(cluster::ImagePtr image, std::shared_ptr<const cluster::MetadataDelta> delta) {
  image_ = std::move(image);
  std::vector<Wanted> wanted;
  for (const cluster::TopicChange& change : delta->topics) {
    if (change.before && (!change.after || change.after->id != change.before->id)) {
      for (std::size_t i = 0; i < change.before->partitions.size(); ++i) {
        const TopicIdPartition id{change.before->id, PartitionIndex(static_cast<std::int32_t>(i))};
        failed_.erase(id);
        const auto at = partitions_.find(id);
        if (at == partitions_.end()) continue;
        const std::shared_ptr<Partition> gone = at->second;
        partitions_.erase(at);
        co_await remove(gone);
      }
    }
    if (!change.after) continue;
    const bool known = change.before && change.before->id == change.after->id;
    add_mine(change.after, known ? change.before->partitions.size() : 0, false, wanted);
  }
  co_await open_all(std::move(wanted));

  const bool defaults_changed =
      std::ranges::any_of(delta->configs, [](const cluster::ConfigResource& resource) {
        return resource.entity == cluster::ConfigEntity::kBroker;
      });
  for (const auto& [id, partition] : partitions_) {
    const cluster::TopicPtr topic = image_->topics.find(id.topic_id);
    if (!topic) continue;
    const bool changed =
        defaults_changed || std::ranges::any_of(delta->configs, [&](const cluster::ConfigResource& resource) {
          return resource.entity == cluster::ConfigEntity::kTopic && resource.name == topic->name;
        });
    if (changed) partition->set_config(config_of(*topic), options_.producer_id_expiration);
  }
}

Task<void> ReplicaSet::open_all(std::vector<Wanted> wanted) {
  Gauge* const opening = options_.metrics != nullptr ? &options_.metrics->opening : nullptr;
  if (opening != nullptr) opening->add(static_cast<std::int64_t>(wanted.size()));
  std::size_t next = 0;
  runtime::Gate openers;
  const runtime::Instant began = shard_.clock().now();
  runtime::Instant told = began;
  const auto work = [&](ReplicaSet& set, std::vector<Wanted>& list, std::size_t& at) -> Task<void> {
    while (at < list.size() && !set.stopping_) {
      const Wanted one = list[at++];
      co_await set.open(one);
      if (opening != nullptr) opening->add(-1);
      if (shard_.clock().now() - told < kProgressEvery) continue;
      told = shard_.clock().now();
      log::info("partitions_opening", {{"shard", shard_.index()}, {"begun", at}, {"of", list.size()}});
    }
  };
  for (std::size_t i = 0; i < std::min(kParallelOpens, wanted.size()); ++i)
    openers.spawn(work(*this, wanted, next));
  co_await openers.close();
  if (opening != nullptr) opening->add(-static_cast<std::int64_t>(wanted.size() - next));
  if (told == began) co_return;  // It was quick.
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(shard_.clock().now() - began);
  log::info("partitions_opened", {{"shard", shard_.index()}, {"partitions", next}, {"ms", ms.count()}});
}

Task<void> ReplicaSet::open(Wanted wanted) {
  const TopicIdPartition id{wanted.topic->id, wanted.index};
  if (partitions_.contains(id)) co_return;
  Result<void> opened = co_await try_open(wanted);
  if (opened) {
    failed_.erase(id);
    co_return;
  }
  log::error(
      "partition_not_opened",
      {{"topic", wanted.topic->name}, {"partition", wanted.index.value()}, {"why", opened.error().context}});
  failed_.insert_or_assign(id, std::move(opened).error());
}

Task<Result<void>> ReplicaSet::try_open(Wanted wanted) {
  const TopicPartition name{wanted.topic->name, wanted.index};
  const TopicIdPartition id{wanted.topic->id, wanted.index};
  BROOK_CO_TRY(OpenLogDirectory* const place, directories_.place(name, wanted.is_new));
  OpenLogDirectory& home = *place;
  const std::string path = home.directory->path_of(name);
  storage::OpenHints hints;
  bool known_id = false;
  if (shard_.files().exists(path)) {
    BROOK_CO_TRY(const std::optional<Uuid> found, storage::read_partition_metadata(shard_.files(), path));
    if (found && *found != id.topic_id) {
      // What an older topic of this name left behind; it must never be served as the new one's.
      BROOK_CO_TRY(const auto moved,
                   home.directory->rename_for(name, storage::PartitionDirectoryKind::kDelete, *found));
      log::warn("partition_of_deleted_topic",
                {{"topic", name.topic}, {"partition", name.partition.value()}, {"moved_to", moved.name}});
      shard_.gate().spawn(
          remove_later(home.directory->path_of(moved), config_of(*wanted.topic).file_delete_delay_ms));
    } else {
      known_id = found.has_value();
      hints.clean_shutdown = home.clean_shutdown;
      hints.cache_survived = home.cache_survived;
      if (const auto at = home.recovery_points.find(name); at != home.recovery_points.end())
        hints.recovery_point = at->second;
      if (const auto at = home.log_start_offsets.find(name); at != home.log_start_offsets.end())
        hints.log_start_offset = at->second;
      if (const auto at = home.first_dirty_offsets.find(name); at != home.first_dirty_offsets.end())
        hints.first_dirty_offset = at->second;
    }
  }
  const cluster::TopicConfig config = config_of(*wanted.topic);
  const storage::LogConfig log_settings = log_config(config, options_.producer_id_expiration);
  BROOK_CO_TRY(auto log,
               co_await storage::Log::open(shard_.files(), shard_.clock(), path, name, log_settings, hints));
  if (!known_id) BROOK_CO_CHECK(storage::write_partition_metadata(shard_.files(), path, id.topic_id));
  if (home.health->offline()) {  // Its disk failed meanwhile.
    static_cast<void>(co_await log->close(storage::CloseMode::kDiscard));
    co_return fail(ErrorCode::kKafkaStorageError, fmt::format("log directory {} is offline: {}",
                                                              home.directory->path(), home.health->why()));
  }
  const LeaderEpoch epoch =
      wanted.topic->partitions.at(static_cast<std::size_t>(wanted.index.value())).leader_epoch;
  auto partition = std::make_shared<Partition>(id, home.directory->path(), std::move(log), epoch);
  if (options_.metrics != nullptr) partition->set_metrics(*options_.metrics);
  if (options_.key_memory != nullptr) partition->keep_keys(*options_.key_memory, key_seed_);
  partition->set_config(config, options_.producer_id_expiration);
  home.partition_count.fetch_add(1);
  partitions_.insert_or_assign(id, std::move(partition));
  co_return Result<void>{};
}

Task<void> ReplicaSet::remove(std::shared_ptr<Partition> partition) {
  const TopicPartition name = partition->name();
  const auto delay = partition->log().config().file_delete_delay_ms;
  [[maybe_unused]] const Result<void> closed = co_await partition->close(storage::CloseMode::kDiscard);
  for (const auto& entry : directories_.all()) {
    if (entry->directory->path() != partition->log_directory()) continue;
    entry->partition_count.fetch_sub(1);
    auto moved = entry->directory->rename_for(name, storage::PartitionDirectoryKind::kDelete,
                                              Uuid::from_random(shard_.random().uuid_bytes()));
    if (!moved) {
      log::error(
          "partition_not_deleted",
          {{"topic", name.topic}, {"partition", name.partition.value()}, {"why", moved.error().context}});
      co_return;
    }
    log::info("partition_deleted",
              {{"topic", name.topic}, {"partition", name.partition.value()}, {"moved_to", moved->name}});
    shard_.gate().spawn(remove_later(entry->directory->path_of(*moved), delay));
  }
}

Task<void> ReplicaSet::remove_later(std::string path, std::chrono::milliseconds delay) {
  const runtime::Instant due = shard_.clock().now() + delay;
  while (!stopping_ && shard_.clock().now() < due) co_await stopped_.wait_until(due);
  if (stopping_) co_return;  // The next start finds the directory by its name.
  Result<void> removed = co_await shard_.files().remove_tree(path);
  if (!removed) log::warn("directory_not_removed", {{"path", path}, {"why", removed.error().context}});
}

Result<std::shared_ptr<Partition>> ReplicaSet::find(const TopicIdPartition& id) const {
  if (const auto at = partitions_.find(id); at != partitions_.end()) {
    relieve_open_files();
    return at->second;
  }
  if (const auto at = failed_.find(id); at != failed_.end())
    return fail(ErrorCode::kKafkaStorageError, at->second.context);
  const cluster::TopicPtr topic = image_ ? image_->topics.find(id.topic_id) : nullptr;
  if (!topic || topic->partition(id.partition) == nullptr) {
    return fail(ErrorCode::kUnknownTopicOrPartition, "This server does not host this topic-partition.");
  }
  return fail(ErrorCode::kNotLeaderOrFollower,
              fmt::format("{}-{} is not open on this broker yet", topic->name, id.partition.value()));
}

void ReplicaSet::relieve_open_files() const {
  const runtime::FileSystem& files = shard_.files();
  if (files.open_files() <= files.open_files_max()) return;
  for (const auto& [id, partition] : partitions_) partition->log().release_idle_files();
  // Another shard's files may be the most: these are closed again and again then, which is slow and works.
  if (files.open_files() <= files.open_files_max()) return;
  for (const auto& [id, partition] : partitions_) partition->log().release_files();
}

Result<void> ReplicaSet::check_room(const Partition& partition, Room needs) const {
  for (const auto& entry : directories_.all()) {
    if (entry->directory->path() != partition.log_directory()) continue;
    if (entry->health->offline())
      return fail(
          ErrorCode::kKafkaStorageError,
          fmt::format("log directory {} is offline: {}", partition.log_directory(), entry->health->why()));
    if (entry->room.load(std::memory_order_relaxed) > needs)
      return fail(ErrorCode::kKafkaStorageError,
                  fmt::format("the disk of {} is full: less than {}brook.log.min.free.bytes are left",
                              partition.log_directory(), needs == Room::kState ? "a quarter of " : ""));
  }
  return {};
}

Task<void> ReplicaSet::take_offline(std::string directory, std::string why) {
  std::vector<std::shared_ptr<Partition>> gone;
  for (const auto& [id, partition] : partitions_) {
    if (partition->log_directory() == directory) gone.push_back(partition);
  }
  const Error error{ErrorCode::kKafkaStorageError,
                    fmt::format("log directory {} is offline: {}", directory, why)};
  for (const auto& partition : gone) {
    partitions_.erase(partition->id());
    failed_.insert_or_assign(partition->id(), error);
    [[maybe_unused]] const Result<void> closed = co_await partition->close(storage::CloseMode::kDiscard);
  }
}

std::vector<TopicIdPartition> ReplicaSet::offline_partitions() const {
  std::vector<TopicIdPartition> found;
  for (const auto& [id, error] : failed_) found.push_back(id);
  return found;
}

std::vector<TopicPartition> ReplicaSet::offline_names() const {
  std::vector<TopicPartition> found;
  for (const auto& [id, error] : failed_) {
    if (const cluster::TopicPtr topic = image_->topics.find(id.topic_id))
      found.push_back({topic->name, id.partition});
  }
  return found;
}

Task<void> ReplicaSet::keep_house() {
  constexpr std::chrono::seconds kTick{10};
  runtime::Instant next_retention = shard_.clock().now() + options_.retention_check_interval;
  while (!stopping_) {
    co_await stopped_.wait_until(shard_.clock().now() + kTick);
    if (stopping_) break;
    const bool retention_due = shard_.clock().now() >= next_retention;
    if (retention_due) next_retention = shard_.clock().now() + options_.retention_check_interval;
    std::vector<std::shared_ptr<Partition>> present;
    present.reserve(partitions_.size());
    for (const auto& [id, partition] : partitions_) present.push_back(partition);
    for (const auto& partition : present) {
      if (partition->closed()) continue;
      storage::Log& log = partition->log();
      // A log that is being compacted is looked at by the cleaner when that is done.
      if (retention_due && !log.compacting()) {
        const Timestamp now = shard_.clock().wall_now();
        auto deleted = co_await log.apply_retention(now, partition->high_watermark());
        if (!deleted)
          log::error("retention_failed",
                     {{"topic", partition->name().topic}, {"why", deleted.error().context}});
        if (partition->closed()) continue;
        log.remove_expired_producers(now);
      }
      if (log.flush_due() || log.sealed_unflushed()) {
        auto flushed = co_await (log.flush_due() ? log.flush() : log.flush_sealed());
        if (!flushed)
          log::error("flush_failed", {{"topic", partition->name().topic}, {"why", flushed.error().context}});
        if (partition->closed()) continue;
      }
      static_cast<void>(co_await log.remove_deleted_files());
      if (partition->closed()) continue;
      log.release_idle_files();
    }
  }
}

Task<bool> ReplicaSet::close() {
  bool written = true;
  for (const auto& [id, partition] : partitions_) {
    Result<void> closed = co_await partition->close(storage::CloseMode::kWritten);
    if (closed) continue;
    written = false;
    log::error("log_close_failed", {{"topic", partition->name().topic}, {"why", closed.error().context}});
  }
  co_return written;
}

}  // namespace brook::replica

#include "app/checkpointer.h"

#include <optional>

#include "base/log.h"
#include "storage/checkpoints.h"

namespace brook::app {
namespace {

constexpr std::chrono::seconds kDiskCheck{1};

struct Checkpoint {
  std::string directory;
  TopicPartition partition;
  Offset recovery_point;
  Offset log_start;
  Offset high_watermark;
  std::optional<Offset> first_dirty;  ///< of a log that was compacted
};

struct Gather {
  Task<std::vector<Checkpoint>> operator()(replica::ReplicaSet& replicas) const {
    std::vector<Checkpoint> found;
    for (const auto& [id, partition] : replicas.all()) {
      storage::Log& log = partition->log();
      if (!partition->closed()) {
        Result<void> saved = log.checkpoint_producers();
        if (!saved)
          log::warn("producers_not_saved",
                    {{"topic", partition->name().topic}, {"why", saved.error().context}});
      }
      found.push_back({partition->log_directory(), partition->name(), log.recovery_point(),
                       log.log_start_offset(), partition->high_watermark(),
                       log.config().cleanup_compact ? log.first_dirty_offset() : std::nullopt});
    }
    co_return found;
  }
};

}  // namespace

Checkpointer::Checkpointer(runtime::Shard& shard, broker::PartitionRouter& router,
                           replica::LogDirectories& directories, CheckpointerOptions options)
    : shard_(shard), router_(router), directories_(directories), options_(options), stopped_(shard.clock()) {}

Task<void> Checkpointer::run() {
  running_ = true;
  runtime::Instant due = shard_.clock().now() + options_.interval;
  while (!stopping_) {
    co_await stopped_.wait_until(shard_.clock().now() + kDiskCheck);
    if (stopping_) break;
    co_await watch_disks();
    if (shard_.clock().now() < due) continue;
    due = shard_.clock().now() + options_.interval;
    co_await write();
  }
  running_ = false;
  stopped_.notify_all();
}

Task<void> Checkpointer::stop() {
  stopping_ = true;
  stopped_.notify_all();
  while (running_) co_await stopped_.wait_until(shard_.clock().now() + kDiskCheck);
}

Task<void> Checkpointer::write() {
  const Gather gather;
  const auto by_shard = co_await router_.collect<std::vector<Checkpoint>>(gather);
  for (const auto& entry : directories_.all()) {
    storage::OffsetCheckpoint recovery;
    storage::OffsetCheckpoint start;
    storage::OffsetCheckpoint high;
    storage::OffsetCheckpoint dirty;
    for (const auto& shard : by_shard) {
      for (const Checkpoint& one : shard) {
        if (one.directory != entry->directory->path()) continue;
        recovery[one.partition] = one.recovery_point;
        if (one.log_start > Offset(0)) start[one.partition] = one.log_start;
        high[one.partition] = one.high_watermark;
        if (one.first_dirty) dirty[one.partition] = *one.first_dirty;
      }
    }
    for (const auto& [file, offsets] :
         {std::pair{storage::kRecoveryPointFile, &recovery}, std::pair{storage::kLogStartOffsetFile, &start},
          std::pair{storage::kHighWatermarkFile, &high}, std::pair{storage::kCleanerOffsetFile, &dirty}}) {
      Result<void> written =
          co_await storage::write_checkpoint(shard_.files(), entry->directory->file(file), *offsets);
      if (!written)
        log::error("checkpoint_not_written",
                   {{"file", entry->directory->file(file)}, {"why", written.error().context}});
    }
  }
}

Task<void> Checkpointer::watch_disks() {
  for (const auto& entry : directories_.all()) {
    const Result<std::uint64_t> free = shard_.files().free_bytes(entry->directory->path());
    if (!free) continue;
    const bool was_full = entry->full.load();
    const std::uint64_t mark =
        was_full ? options_.min_free_bytes + options_.min_free_bytes / 10 : options_.min_free_bytes;
    const bool is_full = *free < mark;
    if (is_full == was_full) continue;
    entry->full.store(is_full);
    if (is_full) {
      log::error("disk_full", {{"directory", entry->directory->path()},
                               {"free_bytes", *free},
                               {"brook.log.min.free.bytes", options_.min_free_bytes},
                               {"what", "writes are refused until there is room; reads go on"}});
    } else {
      log::info("disk_has_room", {{"directory", entry->directory->path()}, {"free_bytes", *free}});
    }
  }
  co_return;
}

}  // namespace brook::app

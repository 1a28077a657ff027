#include "app/checkpointer.h"

#include <optional>

#include "base/log.h"
#include "storage/checkpoints.h"

namespace brook::app {
namespace {

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
                           replica::LogDirectories& directories, std::chrono::milliseconds interval)
    : shard_(shard),
      router_(router),
      directories_(directories),
      interval_(interval),
      stopped_(shard.clock()) {}

Task<void> Checkpointer::run() {
  running_ = true;
  while (!stopping_) {
    co_await stopped_.wait_until(shard_.clock().now() + interval_);
    if (!stopping_) co_await write();
  }
  running_ = false;
  stopped_.notify_all();
}

Task<void> Checkpointer::stop() {
  constexpr std::chrono::seconds kLookAgain{1};
  stopping_ = true;
  stopped_.notify_all();
  while (running_) co_await stopped_.wait_until(shard_.clock().now() + kLookAgain);
}

Task<void> Checkpointer::write() {
  const Gather gather;
  const auto by_shard = co_await router_.collect<std::vector<Checkpoint>>(gather);
  for (const auto& entry : directories_.all()) {
    if (entry->health->offline()) continue;
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

}  // namespace brook::app

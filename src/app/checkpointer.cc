#include "app/checkpointer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

struct Mark {
  TopicIdPartition partition;
  std::string directory;
  storage::Log::SyncMark at;
};

/// What is not on the disk yet.
Task<std::vector<Mark>> mark_unsynced(replica::ReplicaSet& replicas) {
  std::vector<Mark> found;
  for (const auto& [id, partition] : replicas.all()) {
    storage::Log& log = partition->log();
    if (partition->closed()) continue;
    if (auto written = log.write_down(); !written)
      log::warn("log_not_written_down",
                {{"topic", partition->name().topic}, {"why", written.error().context}});
    if (const auto mark = log.sync_mark()) found.push_back({id, partition->log_directory(), *mark});
  }
  co_return found;
}

Task<std::vector<Checkpoint>> gather(replica::ReplicaSet& replicas) {
  std::vector<Checkpoint> found;
  for (const auto& [id, partition] : replicas.all()) {
    const storage::Log& log = partition->log();
    found.push_back({partition->log_directory(), partition->name(), log.recovery_point(),
                     log.log_start_offset(), partition->high_watermark(),
                     log.config().cleanup_compact ? log.first_dirty_offset() : std::nullopt});
  }
  co_return found;
}

Task<std::vector<TopicPartition>> list_offline(replica::ReplicaSet& replicas) {
  co_return replicas.offline_names();
}

void keep(const storage::OffsetCheckpoint& found, const std::vector<TopicPartition>& partitions,
          storage::OffsetCheckpoint& in) {
  for (const TopicPartition& partition : partitions) {
    if (const auto at = found.find(partition); at != found.end()) in.insert(*at);
  }
}

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

Task<void> Checkpointer::sync() {
  const auto by_shard = co_await router_.collect<std::vector<Mark>>(mark_unsynced);
  std::map<std::string, Result<void>> outcomes;
  for (const auto& marks : by_shard) {
    for (const Mark& mark : marks) {
      if (outcomes.contains(mark.directory)) continue;
      Result<void> synced = co_await shard_.files().sync_file_system(mark.directory);
      outcomes.emplace(mark.directory, std::move(synced));
    }
  }
  if (outcomes.empty()) co_return;
  const auto note = [&](replica::ReplicaSet& replicas) -> Task<std::size_t> {
    std::size_t noted = 0;
    for (const auto& marks : by_shard) {
      for (const Mark& mark : marks) {
        const auto at = replicas.all().find(mark.partition);
        if (at == replicas.all().end()) continue;
        at->second->log().file_system_synced(mark.at, outcomes.at(mark.directory));
        ++noted;
      }
    }
    co_return noted;
  };
  static_cast<void>(co_await router_.collect<std::size_t>(note));
}

Task<std::vector<TopicPartition>> Checkpointer::unopened() {
  std::vector<TopicPartition> all;
  auto by_shard = co_await router_.collect<std::vector<TopicPartition>>(list_offline);
  for (auto& found : by_shard) std::ranges::move(found, std::back_inserter(all));
  co_return all;
}

Task<void> Checkpointer::write() {
  co_await sync();
  const auto by_shard = co_await router_.collect<std::vector<Checkpoint>>(gather);
  const std::vector<TopicPartition> others = co_await unopened();
  for (const auto& entry : directories_.all()) {
    if (entry->health->offline()) continue;
    storage::OffsetCheckpoint recovery;
    storage::OffsetCheckpoint start;
    storage::OffsetCheckpoint high;
    storage::OffsetCheckpoint dirty;
    keep(entry->recovery_points, others, recovery);
    keep(entry->log_start_offsets, others, start);
    keep(entry->first_dirty_offsets, others, dirty);
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

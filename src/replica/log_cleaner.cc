#include "replica/log_cleaner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace brook::replica {
namespace {

constexpr std::chrono::milliseconds kBackOffLeast{10};  // log.cleaner.backoff.ms may be anything
constexpr std::chrono::milliseconds kBackOffMost{86400000};
constexpr std::chrono::milliseconds kSlotPoll{10};  // while another shard compacts a log
constexpr std::chrono::milliseconds kSlotGap{20};   // after a log, so that another shard gets its turn
constexpr std::chrono::seconds kRetryFirst{15};     // after the first failure; each further one doubles it
constexpr std::chrono::seconds kRetryMost{3600};
constexpr std::size_t kPartitionsAtOnce = 64;  // looked at between two looks at other work
constexpr std::size_t kMapBytesLeast = 64 * 1024;
constexpr std::size_t kIoBytesLeast = 16 * 1024;
constexpr std::size_t kIoBytesMost = 1024 * 1024;
constexpr std::uint64_t kBudgetShare = 8;  // of the memory budget, what all maps together may take

}  // namespace

LogCleanerConfig log_cleaner_config(const cluster::ConfigLayers& layers) {
  const auto value = [&](std::string_view key) { return cluster::effective_broker_value(layers, key); };
  const auto bytes = [&](std::string_view key) {
    return static_cast<std::size_t>(std::max<std::int64_t>(value(key).number, 0));
  };
  LogCleanerConfig config;
  config.threads = bytes("log.cleaner.threads");
  config.enabled = value("log.cleaner.enable").boolean && config.threads > 0;
  const std::size_t share = std::max<std::size_t>(config.threads, 1);
  config.dedupe_buffer_bytes = bytes("log.cleaner.dedupe.buffer.size") / share;
  config.load_factor = value("log.cleaner.io.buffer.load.factor").real;
  config.io_buffer_bytes = bytes("log.cleaner.io.buffer.size") / share;
  config.bytes_per_second_max =
      value("log.cleaner.io.max.bytes.per.second").real / static_cast<double>(share);
  config.back_off = std::clamp(std::chrono::milliseconds(value("log.cleaner.backoff.ms").number),
                               kBackOffLeast, kBackOffMost);
  return config;
}

bool CompactionSlots::try_take(std::size_t slots) {
  if (taken_.fetch_add(1) < slots) return true;
  taken_.fetch_sub(1);
  return false;
}

LogCleaner::LogCleaner(runtime::Shard& shard, ReplicaSet& replicas, CompactionSlots& slots,
                       runtime::MemoryBudget& budget, LogCleanerMetrics& metrics)
    : shard_(shard),
      replicas_(replicas),
      slots_(slots),
      budget_(budget),
      metrics_(metrics),
      stop_(shard.clock()) {}

Task<void> LogCleaner::run() {
  while (!stop_.stopping()) {
    const bool compacted = co_await compact_dirtiest();
    if (stop_.stopping()) break;
    const std::chrono::milliseconds wait =
        compacted ? kSlotGap : log_cleaner_config(replicas_.config_layers()).back_off;
    co_await stop_.wait_until(shard_.clock().now() + wait);
  }
}

Task<bool> LogCleaner::compact_dirtiest() {
  const LogCleanerConfig config = log_cleaner_config(replicas_.config_layers());
  if (!config.enabled) co_return false;
  std::shared_ptr<Partition> partition = co_await dirtiest();
  if (!partition || stop_.stopping()) co_return false;
  while (!slots_.try_take(config.threads)) {
    co_await stop_.wait_until(shard_.clock().now() + kSlotPoll);
    if (stop_.stopping()) co_return false;
  }
  const bool compacted = co_await compact(std::move(partition), config);
  slots_.give_back();
  co_return compacted;
}

bool LogCleaner::may_be_compacted(const Partition& partition) const {
  if (partition.closed() || !replicas_.check_room(partition)) return false;
  const auto failure = failures_.find(partition.id());
  return failure == failures_.end() || failure->second.again <= shard_.clock().now();
}

Task<std::shared_ptr<Partition>> LogCleaner::dirtiest() {
  forget_failures_of_deleted();
  std::vector<std::shared_ptr<Partition>> compacted;
  for (const auto& [id, partition] : replicas_.all()) {
    if (partition->log().config().cleanup_compact) compacted.push_back(partition);
  }
  std::shared_ptr<Partition> chosen;
  double ratio = 0;
  std::int64_t cleanable = 0;
  std::size_t looked_at = 0;
  for (const std::shared_ptr<Partition>& partition : compacted) {
    if (++looked_at % kPartitionsAtOnce == 0) co_await shard_.clock().sleep_until(shard_.clock().now());
    if (stop_.stopping()) break;
    if (!may_be_compacted(*partition)) continue;
    const auto range = co_await range_of(partition);
    if (!range) continue;
    cleanable += static_cast<std::int64_t>(range->cleanable_bytes);
    if (!range->wanted(partition->log().config().min_cleanable_dirty_ratio)) continue;
    if (!chosen || range->dirty_ratio() > ratio) {
      chosen = partition;
      ratio = range->dirty_ratio();
    }
  }
  metrics_.cleanable_bytes.add(cleanable - std::exchange(cleanable_bytes_, cleanable));
  co_return chosen;
}

Task<std::optional<storage::CompactionRange>> LogCleaner::range_of(std::shared_ptr<Partition> partition) {
  std::optional<storage::CompactionRange> found;
  const Timestamp now = shard_.clock().wall_now();
  if (Result<void> rolled = partition->log().roll_for_compaction(now); !rolled) {
    note_failure(*partition, rolled.error());
    co_return found;
  }
  const auto range = co_await partition->log().compaction_range(now, partition->high_watermark());
  if (!range) {
    note_failure(*partition, range.error());
  } else if (!partition->closed()) {
    found = *range;
  }
  co_return found;
}

std::size_t LogCleaner::take_memory(runtime::MemoryCharge& charge, std::uint64_t records,
                                    const LogCleanerConfig& config) const {
  const std::uint64_t share = budget_.limit() / kBudgetShare / config.threads;
  const std::size_t most =
      static_cast<std::size_t>(std::min<std::uint64_t>(config.dedupe_buffer_bytes, share));
  std::size_t bytes =
      std::max(kMapBytesLeast, std::min(most, storage::OffsetMap::bytes_for(records, config.load_factor)));
  // Where clients hold the rest a smaller map does: the log is then compacted in several passes.
  for (; bytes >= kMapBytesLeast; bytes /= 2) {
    if (charge.try_grow_to(bytes)) return bytes;
  }
  return 0;
}

Task<bool> LogCleaner::compact(std::shared_ptr<Partition> partition, LogCleanerConfig config) {
  if (partition->closed()) co_return false;
  const runtime::Instant began = shard_.clock().now();
  // Once more: we may have waited for long.
  const auto range = co_await range_of(partition);
  if (!range || range->cleanable_bytes == 0) co_return false;
  runtime::MemoryCharge charge(budget_);
  const auto records = static_cast<std::uint64_t>(range->first_uncleanable - range->first_dirty);
  const std::size_t map_bytes = take_memory(charge, records, config);
  if (map_bytes == 0) co_return false;
  storage::OffsetMap newest(map_bytes, config.load_factor, replicas_.key_seed());
  PartitionPace pace(shard_.clock(), stop_, *partition, config.bytes_per_second_max);
  const storage::CompactionJob job{
      .newest = newest,
      .pace = pace,
      .now = shard_.clock().wall_now(),
      .buffer_bytes = std::clamp(config.io_buffer_bytes / 2, kIoBytesLeast, kIoBytesMost)};
  const auto outcome = co_await partition->log().compact(*range, job);
  if (!outcome) {
    note_failure(*partition, outcome.error());
    co_return true;
  }
  if (!outcome->finished) co_return false;
  note_success(*partition, *range, *outcome, began);
  // Retention leaves a log alone while it is compacted.
  const auto deleted =
      co_await partition->log().apply_retention(shard_.clock().wall_now(), partition->high_watermark());
  if (!deleted)
    log::error("retention_failed", {{"topic", partition->name().topic}, {"why", deleted.error().context}});
  co_return true;
}

void LogCleaner::note_success(const Partition& partition, const storage::CompactionRange& range,
                              const storage::CompactionOutcome& outcome, runtime::Instant began) {
  if (failures_.erase(partition.id()) > 0) metrics_.failing_partitions.add(-1);
  const storage::CompactionTotals& totals = outcome.totals;
  metrics_.compactions.add();
  metrics_.read_bytes.add(totals.bytes_read);
  metrics_.written_bytes.add(totals.bytes_written);
  metrics_.removed_records.add(totals.records_read - totals.records_kept);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(shard_.clock().now() - began).count();
  log::info("log_compacted", {{"topic", partition.name().topic},
                              {"partition", partition.name().partition.value()},
                              {"from", range.first_dirty.value()},
                              {"to", outcome.first_dirty.value()},
                              {"bytes_before", totals.bytes_read},
                              {"bytes_after", totals.bytes_written},
                              {"records_before", totals.records_read},
                              {"records_after", totals.records_kept},
                              {"keys_kept", totals.keys_kept},
                              {"keyless_dropped", totals.keyless_dropped},
                              {"segments_replaced", totals.segments_read},
                              {"segments_made", totals.segments_written},
                              {"ms", ms}});
}

void LogCleaner::note_failure(const Partition& partition, const Error& error) {
  if (partition.closed()) return;
  const auto [at, first] = failures_.try_emplace(partition.id());
  Failure& failure = at->second;
  metrics_.failures.add();
  if (first) metrics_.failing_partitions.add(1);
  const std::chrono::seconds delay = kRetryFirst * (1 << std::min(failure.times, 10U));
  failure.again = shard_.clock().now() + std::min<std::chrono::seconds>(delay, kRetryMost);
  ++failure.times;
  if (failure.why == error.context) return;  // It was said already.
  failure.why = error.context;
  log::error("log_not_compacted", {{"topic", partition.name().topic},
                                   {"partition", partition.name().partition.value()},
                                   {"why", error.context},
                                   {"what", "it is tried again, later each time"}});
}

void LogCleaner::forget_failures_of_deleted() {
  const std::size_t gone = std::erase_if(
      failures_, [this](const auto& failure) { return !replicas_.all().contains(failure.first); });
  metrics_.failing_partitions.add(-static_cast<std::int64_t>(gone));
}

}  // namespace brook::replica

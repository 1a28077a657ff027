// One partition's log, as a broker's parts use it: appends by clients and coordinators, flushes, compaction
// or retention, checkpoints, clean stops. A life of the process ends cleanly, by a kill or by a power cut, at
// any change of the disk; the next opens what is left, with what the checkpoints say.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "log_model.h"
#include "record/batch.h"
#include "record/builder.h"
#include "record/control.h"
#include "runtime/gate.h"
#include "runtime/memory_budget.h"
#include "runtime/simulated/simulated_host.h"
#include "storage/checkpoints.h"
#include "storage/log.h"
#include "storage/log_directory.h"
#include "storage/testing/keyed_batches.h"
#include "verdict.h"
#include "worlds.h"

namespace brook::sim {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using runtime::simulated::Disk;
using runtime::simulated::DiskFaults;
using runtime::simulated::Network;
using runtime::simulated::SimulatedHost;
using runtime::simulated::World;
using storage::Log;
using storage::testing::KeyedRecord;

constexpr std::string_view kData = "/data";
constexpr std::int64_t kRetention = 1500;  // delete.retention.ms
constexpr std::uint64_t kDiskBytes = 16UL << 20U;
constexpr std::uint64_t kKeyBytes = 50'000;  // a dozen blocks of keys: sometimes there is no room
constexpr SipKey kKeySeed{1, 2};
constexpr runtime::Duration kLifeMost = 24h;

class LogWorld {
 public:
  explicit LogWorld(std::uint64_t seed)
      : world_(seed), disk_(world_, kDiskBytes), network_(world_), model_(kRetention) {
    config_.segment_bytes = 500 + world_.draw(4000);
    config_.index_interval_bytes = static_cast<std::uint32_t>(50 + world_.draw(500));
    config_.cleanup_compact = world_.draw(2) == 0;
    config_.cleanup_delete = !config_.cleanup_compact;
    config_.retention_ms.reset();
    if (config_.cleanup_delete && world_.draw(3) == 0) config_.retention_bytes = 4000 + world_.draw(20000);
    config_.delete_retention_ms = std::chrono::milliseconds(kRetention);
    config_.file_delete_delay_ms = std::chrono::milliseconds(world_.draw(2) == 0 ? 0 : 200);
    faulty_ = world_.draw(3) == 0;
  }

  Outcome run() {
    const std::uint64_t lives = 3 + world_.draw(6);
    for (std::uint64_t life = 0; life < lives; ++life) live_once(life + 1 == lives);
    outcome_.trace = world_.trace();
    outcome_.steps = world_.steps();
    return outcome_;
  }

 private:
  std::int64_t draw(std::int64_t below) {
    return static_cast<std::int64_t>(world_.draw(static_cast<std::uint64_t>(below)));
  }
  [[nodiscard]] std::int64_t now() const { return world_.wall_now().value(); }

  void live_once(bool last) {
    auto host = std::make_unique<SimulatedHost>(world_, disk_, network_, "machine", 1);
    host_ = host.get();
    background_ = std::make_unique<runtime::Gate>();
    disk_.faults = {};
    disk_.set_capacity(kDiskBytes);
    disk_.no_fatal_change();
    failed_syncs_ = disk_.failed_syncs();
    if (!last && draw(5) != 0) {
      disk_.at_change(static_cast<std::uint64_t>(draw(draw(3) == 0 ? 30 : 400)), [this] { die(); });
    }
    steps_left_ = last ? 30 : 20 + draw(150);
    host->start([this](runtime::Host& own) { return live(own.shard(0)); });
    if (!world_.run_until([this] { return host_->ended() || !host_->alive(); }, kLifeMost))
      violated("nothing goes on");
    if (host_->ended()) {
      ++outcome_.clean_stops;
      return;
    }
    static_cast<void>(log_.release());
    closing_ = false;
    static_cast<void>(directory_.release());
    static_cast<void>(background_.release());
    SimulatedHost::abandon(std::move(host));
  }

  void die() {
    // After a failed sync the cache holds what the disk will never have: only the machine's end is the end of
    // that.
    const bool power = draw(2) == 0 || disk_.failed_syncs() > failed_syncs_;
    // Compaction flushes before it lets anything go, and tells nobody.
    if (log_ && config_.cleanup_compact && !closing_)
      model_.set_flushed(std::min(log_->recovery_point().value(), model_.end()));
    if (power) disk_.cut_power();
    host_->crash();
    ++(power ? outcome_.power_cuts : outcome_.kills);
    // Where a start after a power cut is killed, what the cut did is seen by the next.
    power_cut_ = power_cut_ || power;
  }

  Task<int> live(runtime::Shard& shard) {
    shard_ = &shard;
    co_await open();
    if (faulty_) disk_.faults = {.read_error = 0.01, .write_error = 0.01, .sync_error = 0.02, .slow = 0.02};
    while (steps_left_-- > 0) {
      co_await step();
      co_await host_->go_on();
      ++outcome_.operations;
      if (draw(10) == 0) co_await check();
    }
    disk_.faults = {};
    disk_.set_capacity(kDiskBytes);
    if (disk_.failed_syncs() > failed_syncs_) die();
    co_await host_->go_on();
    co_await background_->close();
    co_await check();
    co_await close();
    co_return 0;
  }

  /// An error that no fault explains.
  void must_succeed(const Error& error) const {
    if (host_->alive() && !faulty_) violated("an operation fails: " + error.context);
  }

  Task<void> open() {
    auto directory = storage::LogDirectory::open(shard_->files(), std::string(kData));
    co_await host_->go_on();
    if (!directory) violated("the directory does not open: " + directory.error().context);
    directory_ = *std::move(directory);
    storage::OpenHints hints;
    hints.cache_survived = directory_->cache_survived();
    hints.clean_shutdown = directory_->clean_shutdown().has_value();
    const Result<void> unmarked = directory_->remove_clean_shutdown();
    co_await host_->go_on();
    if (!unmarked) violated("the mark of a clean stop is not removed: " + unmarked.error().context);
    hints.recovery_point = checkpoint(storage::kRecoveryPointFile).value_or(Offset(0));
    hints.log_start_offset = checkpoint(storage::kLogStartOffsetFile).value_or(Offset(0));
    hints.first_dirty_offset = checkpoint(storage::kCleanerOffsetFile);
    auto opened = co_await Log::open(shard_->files(), shard_->clock(), directory_->path_of(partition_),
                                     partition_, config_, hints);
    co_await host_->go_on();
    if (!opened) violated("the log does not open: " + opened.error().context);
    log_ = *std::move(opened);
    if (model_.end() % 4 != 0) log_->keep_keys(key_memory_, kKeySeed);
    const auto noted = directory_->note_cache_life();
    co_await host_->go_on();
    if (!noted) violated("the life of the page cache is not noted: " + noted.error().context);
    const SeenLog seen = co_await read();
    model_.reopen(seen, std::exchange(power_cut_, false), now());
    ++outcome_.checks;
    check_producers();
    co_await host_->go_on();
  }

  [[nodiscard]] std::optional<Offset> checkpoint(std::string_view file) const {
    const auto offsets = storage::read_checkpoint(shard_->files(), directory_->file(file));
    if (!offsets) violated("a checkpoint is unreadable: " + offsets.error().context);
    const auto at = offsets->find(partition_);
    return at == offsets->end() ? std::nullopt : std::optional(at->second);
  }

  Task<SeenLog> read() {
    const DiskFaults faults = std::exchange(disk_.faults, {});
    Result<SeenLog> seen = co_await read_log(*log_);
    co_await host_->go_on();
    disk_.faults = faults;
    if (!seen) violated("the log cannot be read: " + seen.error().context);
    co_return *std::move(seen);
  }

  Task<void> check() {
    const std::uint64_t changes = model_changes_;
    const SeenLog seen = co_await read();
    if (changes != model_changes_) co_return;  // Appended to meanwhile.
    model_.check(seen, now());
    ++outcome_.checks;
  }

  /// A batch that is sent again is known, if it is still there.
  void check_producers() {
    for (std::int64_t id = 1; id <= kProducers; ++id) {
      const LogBatch* const last = model_.last_of(id);
      if (last == nullptr) continue;
      const auto repeated =
          log_->append_as_leader(bytes_of(*last, model_.end()), storage::AppendOrigin::kClient);
      if (!host_->alive()) return;
      if (!repeated) violated(fmt::format("producer {} cannot send again: {}", id, repeated.error().context));
      if (!repeated->duplicate || repeated->first_offset.value() != last->base)
        violated(fmt::format("a batch of producer {} at {} is taken twice", id, last->base));
    }
  }

  [[nodiscard]] std::vector<std::byte> bytes_of(const LogBatch& batch, std::int64_t base) {
    record::BatchOptions options;
    options.base_offset = Offset(base);
    options.leader_epoch = LeaderEpoch(0);
    options.compression.codec = draw(3) == 0 ? record::Codec::kLz4 : record::Codec::kNone;
    options.transactional = batch.transactional;
    if (batch.producer >= 0) {
      options.producer_id = ProducerId(batch.producer);
      options.producer_epoch = ProducerEpoch(0);
      options.base_sequence = batch.sequence;
    }
    record::BatchBuilder builder(options);
    for (const LogBatch::Record& one : batch.records) {
      builder.append(Timestamp(one.timestamp), as_bytes(one.record.key),
                     one.record.value ? std::optional(as_bytes(*one.record.value)) : std::nullopt);
    }
    return builder.finish();
  }

  Task<void> step() {
    const std::int64_t kind = draw(100);
    if (kind < 55) {
      append();
    } else if (kind < 67) {
      end_transaction();
    } else if (kind < 72) {
      co_await flush();
    } else if (kind < 76) {
      background_->spawn(flush());
    } else if (kind < 79) {
      const std::int64_t end = log_->segments().back().base_offset.value();
      Result<void> flushed = co_await log_->flush_sealed();
      co_await host_->go_on();
      if (flushed) model_.set_flushed(end);
    } else if (kind < 86) {
      co_await (config_.cleanup_compact ? compact() : retain());
    } else if (kind < 88) {
      advance_start();
    } else if (kind < 93) {
      co_await write_checkpoints();
    } else if (kind < 96) {
      static_cast<void>(co_await log_->remove_deleted_files());
      log_->release_idle_files();
    } else if (kind < 98 && faulty_) {
      const bool full = disk_.capacity() < kDiskBytes;
      disk_.set_capacity(full ? kDiskBytes : disk_.used() + static_cast<std::uint64_t>(draw(4000)));
    } else {
      co_await shard_->clock().sleep_until(shard_->clock().now() + world_.draw(1ms, 700ms));
    }
  }

  void append() {
    ++model_changes_;
    LogBatch batch;
    batch.base = model_.end();
    const std::int64_t count = 1 + draw(4);
    batch.last = batch.base + count - 1;
    for (std::int64_t i = 0; i < count; ++i) {
      KeyedRecord record{fmt::format("k{}", draw(12)), std::nullopt};
      if (draw(5) != 0)
        record.value = std::string(static_cast<std::size_t>(draw(draw(10) == 0 ? 3000 : 60)), 'v') +
                       fmt::format("#{}", ++written_);
      batch.records.push_back({batch.base + i, std::move(record), now()});
    }
    if (draw(2) == 0) {
      batch.producer = 1 + draw(kProducers);
      // Of a transaction whose beginning retention has taken a restart may know or not.
      batch.transactional = batch.producer > kProducers / 2 && !config_.retention_bytes;
      batch.sequence = model_.next_sequence(batch.producer);
    }
    const std::vector<std::byte> bytes = bytes_of(batch, batch.base);
    if (bytes.size() > config_.segment_bytes) return;
    std::vector<Hash128> keys;
    if (config_.cleanup_compact && batch.base % 32 != 0) {
      for (const LogBatch::Record& record : batch.records)
        keys.push_back(siphash128(as_bytes(record.record.key), kKeySeed));
    }
    model_.attempt(std::move(batch));
    const auto appended = log_->append_as_leader(bytes, storage::AppendOrigin::kClient, 0, keys);
    if (!appended) return must_succeed(appended.error());
    if (appended->duplicate) violated("a new batch is taken for an old one");
    model_.confirm();
  }

  void end_transaction() {
    ++model_changes_;
    for (std::int64_t id = kProducers / 2 + 1; id <= kProducers; ++id) {
      const auto first = model_.open_transaction(id);
      if (!first || draw(4) == 0) continue;
      LogBatch marker;
      marker.base = marker.last = model_.end();
      marker.producer = id;
      marker.transactional = marker.control = true;
      // As a coordinator, which writes down what it decided before it lets anyone know.
      marker.commits = decisions_.try_emplace({id, *first}, draw(2) == 0).first->second;
      auto bytes =
          record::end_txn_batch({*marker.commits, 0}, Timestamp(now()), ProducerId(id), ProducerEpoch(0));
      record::set_base_offset(bytes, Offset(marker.base));
      record::set_partition_leader_epoch(bytes, LeaderEpoch(0));
      model_.attempt(std::move(marker));
      const auto appended = log_->append_as_leader(bytes, storage::AppendOrigin::kCoordinator);
      if (!appended) return must_succeed(appended.error());
      return model_.confirm();
    }
  }

  Task<void> flush() {
    const std::int64_t end = model_.end();
    Result<void> flushed = co_await log_->flush();
    co_await host_->go_on();
    if (flushed) {
      model_.set_flushed(end);
    } else {
      must_succeed(flushed.error());
    }
  }

  Task<void> compact() {
    const auto range = co_await log_->compaction_range(Timestamp(now()), Offset(model_.end()));
    co_await host_->go_on();
    if (!range) {
      must_succeed(range.error());
      co_return;
    }
    if (range->cleanable_bytes == 0) co_return;
    model_.begin_compaction(range->first_uncleanable.value(), now());
    ++model_changes_;
    const std::size_t bytes = draw(2) == 0 ? 3 * storage::OffsetMap::kSlotBytes : 4096;
    storage::OffsetMap newest(bytes, 0.9, model_.end() % 8 != 0 ? kKeySeed : SipKey{3, 4});
    storage::testing::CallingPace pace([this] { return disturb(); });
    const auto outcome = co_await log_->compact(*range, {newest, pace, Timestamp(now()), 4096, 200});
    co_await host_->go_on();
    if (!outcome) must_succeed(outcome.error());
  }

  /// While it is compacted the log is appended to.
  Task<bool> disturb() {
    co_await host_->go_on();
    if (draw(8) == 0) append();
    if (draw(8) == 0) end_transaction();
    co_await host_->go_on();
    co_return true;
  }

  Task<void> retain() {
    model_.begin_start_advance(model_.end());
    ++model_changes_;
    auto deleted = co_await log_->apply_retention(Timestamp(now()), Offset(model_.end()));
    co_await host_->go_on();
    if (!deleted) must_succeed(deleted.error());
    model_.end_start_advance(log_->log_start_offset().value());
  }

  /// As DeleteRecords; not beyond a producer's last batch, for of a producer of which nothing is left nothing
  /// need be known.
  void advance_start() {
    std::int64_t limit = model_.last_stable();
    for (std::int64_t id = 1; id <= kProducers; ++id) {
      if (const LogBatch* const last = model_.last_of(id)) limit = std::min(limit, last->base);
    }
    if (limit <= model_.start()) return;
    const std::int64_t to = model_.start() + draw(limit - model_.start() + 1) / 4;
    ++model_changes_;
    model_.begin_start_advance(to);
    const auto advanced = log_->advance_log_start_offset(Offset(to));
    if (!advanced) return must_succeed(advanced.error());
    model_.end_start_advance(to);
  }

  Task<void> write_checkpoints() {
    if (const auto saved = log_->write_down(); !saved) must_succeed(saved.error());
    co_await host_->go_on();
    if (draw(2) == 0) co_await sync_file_system();
    storage::OffsetCheckpoint recovery{{partition_, log_->recovery_point()}};
    storage::OffsetCheckpoint start{{partition_, log_->log_start_offset()}};
    storage::OffsetCheckpoint dirty;
    if (const auto first = log_->first_dirty_offset()) dirty[partition_] = *first;
    for (const auto& [file, offsets] :
         {std::pair{storage::kRecoveryPointFile, &recovery}, std::pair{storage::kLogStartOffsetFile, &start},
          std::pair{storage::kCleanerOffsetFile, &dirty}}) {
      Result<void> written =
          co_await storage::write_checkpoint(shard_->files(), directory_->file(file), *offsets);
      co_await host_->go_on();
      if (!written) must_succeed(written.error());
    }
  }

  Task<void> sync_file_system() {
    const auto mark = log_->sync_mark();
    if (!mark) co_return;
    Result<void> synced = co_await shard_->files().sync_file_system(std::string(kData));
    co_await host_->go_on();
    log_->file_system_synced(*mark, synced);
    if (!synced) must_succeed(synced.error());
    // Not where another sync has failed meanwhile.
    if (log_->recovery_point() >= mark->end) model_.set_flushed(mark->end.value());
  }

  Task<void> close() {
    closing_ = true;  // To the log all is on the disk that it has written.
    const bool together = draw(2) == 0;
    Result<void> closed =
        co_await log_->close(together ? storage::CloseMode::kWritten : storage::CloseMode::kDurable);
    if (closed && together) closed = co_await shard_->files().sync_file_system(std::string(kData));
    co_await host_->go_on();
    if (closed) {
      model_.set_flushed(model_.end());
      co_await write_checkpoints();
      const Result<void> marked = directory_->write_clean_shutdown(1);
      co_await host_->go_on();
      if (!marked) must_succeed(marked.error());
    } else {
      must_succeed(closed.error());
    }
    log_.reset();
    directory_.reset();
    closing_ = false;
  }

  static constexpr std::int64_t kProducers = 6;  // The second half of them writes in transactions.

  World world_;
  Disk disk_;
  Network network_;
  storage::LogConfig config_;
  TopicPartition partition_{"orders", PartitionIndex(3)};
  LogModel model_;
  Outcome outcome_;
  bool faulty_ = false;
  bool closing_ = false;
  bool power_cut_ = false;
  std::uint64_t failed_syncs_ = 0;  ///< before the present life
  std::int64_t steps_left_ = 0;
  std::int64_t written_ = 0;
  std::uint64_t model_changes_ = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, bool> decisions_;  ///< by producer and first offset
  // Of the present life.
  SimulatedHost* host_ = nullptr;
  runtime::Shard* shard_ = nullptr;
  std::unique_ptr<storage::LogDirectory> directory_;
  runtime::MemoryBudget key_memory_{kKeyBytes};
  std::unique_ptr<Log> log_;
  std::unique_ptr<runtime::Gate> background_;
};

}  // namespace

Outcome run_log(std::uint64_t seed) { return LogWorld(seed).run(); }

}  // namespace brook::sim

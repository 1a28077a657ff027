#include "broker/share/live_share_partition.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/share/log_batches.h"

namespace brook::broker {
namespace {

/// What one read of the log takes, if the batch is not larger: most requests want few records.
constexpr std::size_t kReadBytes = 128 * 1024;

/// Takes out of `state` what it knows of offsets from `end` on, where the log has lost its end: other records
/// will be there. What has to be written for that.
std::vector<coordinator::ShareStateBatch> forget_from(Offset end, coordinator::ShareState& state) {
  std::vector<coordinator::ShareStateBatch> forgotten;
  for (coordinator::ShareStateBatch& batch : state.batches) {
    if (batch.last < end) continue;
    forgotten.push_back({.first = std::max(batch.first, end), .last = batch.last});
    batch.last = end - 1;
  }
  std::erase_if(state.batches, [](const auto& batch) { return batch.last < batch.first; });
  return forgotten;
}

}  // namespace

bool passes(ErrorCode code) {
  return code == ErrorCode::kCoordinatorLoadInProgress || code == ErrorCode::kCoordinatorNotAvailable ||
         code == ErrorCode::kNotCoordinator || code == ErrorCode::kRequestTimedOut;
}

LiveSharePartition::LiveSharePartition(runtime::Shard& shard, coordinator::ShareStatePort& port,
                                       DeadLetterPort& dead_letters, ShareMetrics& metrics,
                                       coordinator::ShareKey key,
                                       std::shared_ptr<replica::Partition> partition)
    : shard_(shard),
      port_(port),
      dead_letters_(dead_letters),
      metrics_(metrics),
      key_(std::move(key)),
      partition_(std::move(partition)),
      read_ended_(shard.clock()),
      write_ended_(shard.clock()),
      changed_(shard.clock()) {
  metrics_.partitions.add(1);
}

LiveSharePartition::~LiveSharePartition() {
  metrics_.partitions.add(-1);
  metrics_.held.add(-held_);
}

Task<Result<void>> LiveSharePartition::load(ShareGroupSettings settings) {
  leader_epoch_ = partition_->leader_epoch().value();
  BROOK_CO_TRY(coordinator::ShareState durable, co_await port_.read(key_, leader_epoch_));
  state_epoch_ = durable.state_epoch;
  coordinator::ShareStateUpdate update{.state_epoch = state_epoch_, .leader_epoch = leader_epoch_};
  Offset start;
  if (durable.start_offset) {
    start =
        std::clamp(*durable.start_offset, partition_->log().log_start_offset(), partition_->high_watermark());
    if (start != *durable.start_offset) {
      log::warn("share_start_outside_of_log", {{"group", key_.group},
                                               {"topic", partition_->name().topic},
                                               {"partition", key_.partition.value()},
                                               {"start", durable.start_offset->value()},
                                               {"begins_at", start.value()}});
    }
    update.batches = forget_from(partition_->high_watermark(), durable);
  } else {
    BROOK_CO_TRY(start, co_await first_offset(settings.reset));
    update.delivery_complete_count = 0;
  }
  if (!durable.start_offset || start < *durable.start_offset || !update.batches.empty()) {
    update.start_offset = start;
    BROOK_CO_CHECK(co_await port_.write(key_, std::move(update)));
  }
  state_.emplace(durable, start, settings.limits, shard_.clock().now());
  log::info("share_partition_loaded", {{"group", key_.group},
                                       {"topic", partition_->name().topic},
                                       {"partition", key_.partition.value()},
                                       {"start", state_->start_offset().value()},
                                       {"end", state_->end_offset().value()},
                                       {"state_epoch", state_epoch_}});
  co_return Result<void>{};
}

Task<Result<Offset>> LiveSharePartition::first_offset(ShareOffsetReset reset) {
  using From = ShareOffsetReset::From;
  const Offset end = partition_->high_watermark();
  if (reset.from == From::kLatest) co_return end;
  if (reset.from == From::kEarliest) co_return partition_->log().log_start_offset();
  const Timestamp oldest = shard_.clock().wall_now() - reset.age.count();
  BROOK_CO_TRY(const std::optional<storage::TimestampOffset> found,
               co_await partition_->log().offset_for_timestamp(oldest));
  co_return found ? std::min(found->offset, end) : end;
}

Task<Result<ShareFetched>> LiveSharePartition::fetch(ShareTaker taker, std::size_t bytes_max,
                                                     ShareGroupSettings settings,
                                                     runtime::MemoryBudget& budget) {
  while (reading_) {
    [[maybe_unused]] const bool ended = co_await read_ended_.wait_until(runtime::Instant::max());
  }
  reading_ = true;
  state_->set_limits(settings.limits);
  Result<ShareFetched> fetched = co_await read_and_acquire(std::move(taker), bytes_max, settings, budget);
  reading_ = false;
  read_ended_.notify_all();
  note_held();
  // What it passed over is done with, though nobody waits for that to be written.
  if (state_->has_unwritten()) begin_writing();
  co_return fetched;
}

Task<Result<ShareFetched>> LiveSharePartition::read_and_acquire(ShareTaker taker, std::size_t bytes_max,
                                                                ShareGroupSettings settings,
                                                                runtime::MemoryBudget& budget) {
  ShareFetched out;
  out.charge = runtime::MemoryCharge(budget);
  std::size_t left = std::max<std::size_t>(bytes_max, 1);
  while (taker.records_max > 0 && left > 0) {
    const std::size_t before = out.records.size();
    Result<bool> more = co_await acquire_more(taker, left, settings, out);
    if (!more) {
      // What was acquired before is the member's: it goes out, and the next fetch comes to the error.
      if (out.acquired.empty()) co_return std::unexpected(std::move(more).error());
      out.records.resize(before);
      break;
    }
    if (!*more) break;
  }
  co_return out;
}

Task<Result<bool>> LiveSharePartition::acquire_more(ShareTaker& taker, std::size_t& left,
                                                    const ShareGroupSettings& settings, ShareFetched& out) {
  if (partition_->closed()) co_return fail(ErrorCode::kNotLeaderOrFollower, "the partition was closed");
  state_->advance_start(partition_->log().log_start_offset());
  // An answer's records go up, and its reader acknowledges them in that order.
  const Offset least = out.acquired.empty() ? Offset(0) : out.acquired.back().last.next();
  const std::optional<Offset> from = state_->next_fetch_offset(shard_.clock().now(), least);
  if (!from || *from >= partition_->high_watermark()) co_return false;
  // A whole batch at least, however large, until one gives something: those before may be delayed.
  const bool first = out.acquired.empty();
  Result<replica::ReadOutcome> read =
      co_await partition_->read(*from, std::min(left, kReadBytes), first, settings.isolation, -1);
  if (!read) {
    if (is_cut(read.error(), *from)) co_return true;
    BROOK_CO_CHECK(co_await give_up_damaged(*from, least, std::move(read).error()));
    co_return true;
  }
  replica::ReadOutcome& outcome = *read;
  if (outcome.slice.size == 0) co_return false;
  // That batch goes out even where there is no memory for it, else nobody would ever get past it.
  if (!out.charge.try_grow_to(out.records.size() + outcome.slice.size)) {
    if (!first) co_return false;
    outcome.slice.cut_to(outcome.slice.first_batch_size);
  }
  const std::size_t before = out.records.size();
  BROOK_CO_CHECK(co_await append(outcome.slice, out.records));
  const runtime::Instant now = shard_.clock().now();
  const Inspection inspection{.keys = settings.limits.key_ordering,
                              .times = settings.limits.record_times,
                              .now = now,
                              .wall_now = shard_.clock().wall_now()};
  const LogBatches found = log_batches(ByteView(out.records).subspan(before), outcome.aborted, inspection);
  if (found.broken && found.batches.empty()) {
    out.records.resize(before);
    BROOK_CO_CHECK(co_await give_up_damaged(*from, least, *found.broken));
    co_return true;
  }
  taker.has_some = !out.acquired.empty();
  const Acquired acquired = state_->acquire(taker, *from, found.batches, now);
  note_looked(found.bad_headers);
  std::size_t used = 0;
  for (const AcquiredRange& range : acquired.ranges) {
    const auto last = std::ranges::lower_bound(found.batches, range.last, {}, &LogBatch::last);
    used = found.ends[static_cast<std::size_t>(last - found.batches.begin())];
    taker.records_max -= range.count();
    metrics_.acquired.add(static_cast<std::uint64_t>(range.count()));
    out.acquired.push_back(range);
  }
  out.records.resize(before + used);
  left -= std::min(left, std::max<std::size_t>(used, 1));
  if (acquired.ends_answer) co_return false;
  // Nothing to hand out, and nothing was passed over: the next look would see the same.
  co_return !acquired.ranges.empty() || state_->next_fetch_offset(now, least) != from;
}

Task<Result<void>> LiveSharePartition::give_up_damaged(Offset from, Offset least, Error why) {
  if (why.code != ErrorCode::kCorruptMessage) co_return std::unexpected(std::move(why));
  const storage::Log& log = partition_->log();
  if (log.corrupt_range_at(from) == nullptr) BROOK_CO_CHECK(co_await look_for_damage(from));
  const storage::CorruptRange* const damaged = log.corrupt_range_at(from);
  if (damaged == nullptr) co_return std::unexpected(std::move(why));
  const Offset last = std::min(damaged->last_offset, partition_->high_watermark() - 1);
  const std::int64_t records = state_->give_up_damaged(from, last);
  if (records > 0) {
    metrics_.damaged_records.add(static_cast<std::uint64_t>(records));
    log::error("share_records_damaged",
               {{"group", key_.group},
                {"topic", partition_->name().topic},
                {"partition", key_.partition.value()},
                {"first_offset", from.value()},
                {"last_offset", last.value()},
                {"records", records},
                {"why", damaged->reason},
                {"what", state_->limits().dead_letters ? "they go to the dead-letter topic, without contents"
                                                       : "the group passes over them"}});
  }
  if (state_->next_fetch_offset(shard_.clock().now(), least) == from)
    co_return std::unexpected(std::move(why));
  co_return Result<void>{};
}

Task<Result<void>> LiveSharePartition::look_for_damage(Offset offset) {
  /// Others have their turn after each step.
  class Pace final : public storage::WorkPace {
   public:
    explicit Pace(const LiveSharePartition& partition) : partition_(partition) {}
    Task<bool> pause(std::uint64_t bytes) override {
      (void)bytes;
      runtime::Clock& clock = partition_.shard_.clock();
      co_await clock.sleep_until(clock.now());
      co_return !partition_.stopping_ && !partition_.obsolete();
    }

   private:
    const LiveSharePartition& partition_;
  };
  std::optional<Offset> base;
  for (const storage::SegmentInfo& segment : partition_->log().segments()) {
    if (segment.base_offset <= offset) base = segment.base_offset;
  }
  // Once: what cannot be read for another reason would be looked at with every fetch.
  if (!base || last_looked_at_ == base) co_return Result<void>{};
  Pace pace(*this);
  BROOK_CO_TRY(const storage::ScrubOutcome outcome, co_await partition_->log().scrub(*base, pace));
  if (outcome.finished) last_looked_at_ = base;
  co_return Result<void>{};
}

Task<Result<void>> LiveSharePartition::append(storage::LogSlice slice, std::vector<std::byte>& records) {
  const std::size_t before = records.size();
  records.resize(before + slice.size);
  MutableBytes rest = MutableBytes(records).subspan(before);
  for (const storage::FileRange& range : slice.ranges) {
    BROOK_CO_TRY(const std::size_t got, co_await range.file->read_at(range.offset, rest.first(range.size)));
    if (got != range.size)
      co_return fail(ErrorCode::kKafkaStorageError, fmt::format("{} ended early", range.file->path()));
    rest = rest.subspan(range.size);
  }
  co_return Result<void>{};
}

Task<Result<std::size_t>> LiveSharePartition::available_bytes(std::size_t enough,
                                                              ShareGroupSettings settings) {
  if (partition_->closed()) co_return fail(ErrorCode::kNotLeaderOrFollower, "the partition was closed");
  state_->set_limits(settings.limits);
  while (true) {
    state_->advance_start(partition_->log().log_start_offset());
    const std::optional<Offset> from = state_->next_fetch_offset(shard_.clock().now());
    if (!from || *from >= partition_->high_watermark()) co_return std::size_t{0};
    const Result<replica::ReadOutcome> read =
        co_await partition_->read(*from, enough, true, settings.isolation, -1);
    if (read) co_return static_cast<std::size_t>(read->slice.size);
    if (read.error().code == ErrorCode::kCorruptMessage) co_return enough;
    if (!is_cut(read.error(), *from)) co_return std::unexpected(read.error());
  }
}

Task<Result<void>> LiveSharePartition::acknowledge(std::string member,
                                                   std::vector<Acknowledgement> acknowledgements,
                                                   ShareGroupSettings settings) {
  state_->set_limits(settings.limits);
  BROOK_CO_TRY(const bool decided, state_->acknowledge(member, acknowledgements, shard_.clock().now()));
  for (const Acknowledgement& one : acknowledgements) {
    const auto offsets = static_cast<std::uint64_t>(one.last - one.first + 1);
    for (const AcknowledgeType type : one.types) {
      const std::uint64_t records = one.types.size() == 1 ? offsets : 1;
      if (type == AcknowledgeType::kAccept) metrics_.accepted.add(records);
      if (type == AcknowledgeType::kRelease) metrics_.released.add(records);
      if (type == AcknowledgeType::kReject) metrics_.rejected.add(records);
      if (type == AcknowledgeType::kRenew) metrics_.renewed.add(records);
    }
  }
  if (!decided) co_return Result<void>{};
  Result<void> result = co_await written();
  co_return result;
}

Task<void> LiveSharePartition::release(std::string member, std::uint64_t connection) {
  if (const auto at = members_.find(member); at != members_.end()) {
    if (at->second > connection) co_return;
    members_.erase(at);
  }
  if (members_.empty()) changed_.notify_all();
  const std::int64_t records = state_->release_all(member, shard_.clock().now());
  if (records == 0) co_return;
  metrics_.given_back.add(static_cast<std::uint64_t>(records));
  // One that could not be written comes back when its lock ends.
  [[maybe_unused]] const Result<void> result = co_await written();
}

void LiveSharePartition::expire_locks(runtime::Instant now) {
  const std::int64_t expired = state_->expire_locks(now);
  if (expired == 0) return;
  metrics_.expired_locks.add(static_cast<std::uint64_t>(expired));
  log::info("share_locks_expired", {{"group", key_.group},
                                    {"topic", partition_->name().topic},
                                    {"partition", key_.partition.value()},
                                    {"records", expired}});
  note_held();
  waiters_.wake_all();
  begin_writing();
}

void LiveSharePartition::end_delays(runtime::Instant now) {
  const ShareLimits& limits = state_->limits();
  const bool delays = limits.backoff > runtime::Duration(0) || limits.record_times || next_delay_end_;
  // A short one may have begun and ended since the last look.
  next_delay_end_ = delays ? state_->next_delay_end(delays_seen_to_) : std::nullopt;
  delays_seen_to_ = now;
  if (!next_delay_end_ || *next_delay_end_ > now) return;
  waiters_.wake_all();
  next_delay_end_ = state_->next_delay_end(now);
}

Task<Result<void>> LiveSharePartition::written() {
  if (!next_outcome_) next_outcome_ = std::make_shared<Outcome>();
  const std::shared_ptr<Outcome> outcome = next_outcome_;
  begin_writing();
  while (!outcome->result) {
    [[maybe_unused]] const bool ended = co_await write_ended_.wait_until(runtime::Instant::max());
  }
  co_return *outcome->result;
}

void LiveSharePartition::begin_writing() {
  if (writing_) return;
  writing_ = true;
  shard_.gate().spawn_awaited(write_all(shared_from_this()));
}

Task<void> LiveSharePartition::write_all(std::shared_ptr<LiveSharePartition> self) {
  while (std::optional<coordinator::ShareStateUpdate> update = self->state_->begin_write()) {
    const std::shared_ptr<Outcome> outcome = std::exchange(self->next_outcome_, nullptr);
    update->state_epoch = self->state_epoch_;
    update->leader_epoch = self->leader_epoch_;
    Result<void> result = co_await self->port_.write(self->key_, *std::move(update));
    self->state_->end_write(result.has_value());
    if (!result) {
      self->metrics_.failed_writes.add();
      log::warn("share_state_not_written", {{"group", self->key_.group},
                                            {"topic", self->partition_->name().topic},
                                            {"partition", self->key_.partition.value()},
                                            {"why", result.error().context}});
      if (!passes(result.error().code)) self->obsolete_ = true;
    }
    self->note_held();
    if (outcome) outcome->result.emplace(std::move(result));
    self->write_ended_.notify_all();
    self->waiters_.wake_all();
    self->begin_dead_letters();
  }
  self->writing_ = false;
}

void LiveSharePartition::note_looked(std::int64_t bad_headers) {
  metrics_.bad_time_headers.add(static_cast<std::uint64_t>(bad_headers));
  metrics_.expired_records.add(static_cast<std::uint64_t>(state_->take_expired()));
}

void LiveSharePartition::note_held() {
  const std::int64_t held = state_->acquired();
  metrics_.held.add(held - held_);
  held_ = held;
}

}  // namespace brook::broker

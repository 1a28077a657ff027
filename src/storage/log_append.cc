// Appending: producers are asked first, one write, then what is known in memory.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/log.h"
#include "storage/log.h"

namespace brook::storage {
namespace {

using internal::BatchHeader;

/// So much is read again after the end of the process, and no more; where there are many producers, so much
/// that a snapshot of them is a small part of it.
constexpr std::uint64_t kWriteDownBytes = 4UL << 20U;
constexpr std::uint64_t kWriteDownShare = 16;

/// The whole batches at the front of `bytes`.
struct ParsedBatches {
  std::vector<BatchHeader> headers;
  std::size_t size = 0;
};

Result<ParsedBatches> parse_batches(ByteView bytes, const std::string& where) {
  ParsedBatches parsed;
  while (bytes.size() - parsed.size >= internal::kBatchHeaderSize) {
    const auto header = internal::parse_batch_header(bytes.subspan(parsed.size));
    if (!header)
      return fail(ErrorCode::kCorruptMessage,
                  fmt::format("{}: no record batch at byte {} of an append", where, parsed.size));
    if (header->size > bytes.size() - parsed.size) break;
    parsed.headers.push_back(*header);
    parsed.size += header->size;
  }
  return parsed;
}

}  // namespace

Result<AppendInfo> Log::append_as_leader(ByteView batches, AppendOrigin origin,
                                         std::int16_t transaction_version, std::span<const Hash128> keys) {
  BROOK_TRY(AppendInfo info, append(batches, origin, transaction_version));
  if (!keys.empty() && !info.duplicate) keep_keys_of(info, batches, keys);
  return info;
}

/// Of one batch, whose records have an offset each. What a transaction wrote counts only once it has ended
/// well: such a segment is read.
void Log::keep_keys_of(const AppendInfo& appended, ByteView batch, std::span<const Hash128> keys) {
  if (!appended_keys_ || appended.batches != 1) return;
  const auto header = internal::parse_batch_header(batch);
  const auto offsets = static_cast<std::size_t>(appended.last_offset - appended.first_offset) + 1;
  if (!header || header->transactional() || header->control() || keys.size() != offsets) return;
  appended_keys_->append(appended.first_offset, keys);
}

Result<AppendInfo> Log::append_as_follower(ByteView batches) {
  return append(batches, AppendOrigin::kReplication, 0);
}

Result<AppendInfo> Log::append(ByteView batches, AppendOrigin origin, std::int16_t transaction_version) {
  if (closed_) return fail(ErrorCode::kKafkaStorageError, fmt::format("{}: the log is closed", directory_));
  if (sync_error_) return std::unexpected(*sync_error_);
  const bool leads = origin != AppendOrigin::kReplication;
  BROOK_TRY(const ParsedBatches parsed, parse_batches(batches, directory_));
  if (leads && parsed.size != batches.size()) {
    return fail(ErrorCode::kCorruptMessage, fmt::format("{}: an append ends within a batch", directory_));
  }
  if (parsed.headers.empty())
    return AppendInfo{log_end_offset_, log_end_offset_ - 1, Timestamp(-1), std::nullopt, 0, false};

  AppendInfo info;
  info.batches = parsed.headers.size();
  info.first_offset = parsed.headers.front().base_offset;
  info.last_offset = parsed.headers.back().last_offset;
  info.leader_epoch = parsed.headers.back().leader_epoch;
  info.max_timestamp = Timestamp(-1);

  ProducerUpdate update;
  Offset expected = log_end_offset_;
  std::size_t at = 0;
  for (const BatchHeader& header : parsed.headers) {
    if (header.base_offset < expected || (leads && header.base_offset != expected)) {
      return fail(ErrorCode::kOffsetOutOfRange,
                  fmt::format("{}: an append with offset {} where {} comes next", directory_,
                              header.base_offset.value(), expected.value()));
    }
    expected = header.last_offset.next();
    info.max_timestamp = std::max(info.max_timestamp, header.max_timestamp);
    const auto batch =
        internal::producer_batch(batches.subspan(at, header.size), header, transaction_version);
    at += header.size;
    if (!batch) continue;
    if (origin == AppendOrigin::kClient) {
      if (const BatchMetadata* original = producers_.find_duplicate(*batch)) {
        return AppendInfo{original->first_offset(),
                          original->last_offset,
                          original->timestamp,
                          epochs_.epoch_of(original->last_offset),
                          1,
                          true};
      }
    }
    if (auto checked = producers_.check(*batch, origin, update); !checked) {
      return fail(checked.error().code, fmt::format("{}-{}: {}", partition_.topic,
                                                    partition_.partition.value(), checked.error().context));
    }
  }
  if (leads && parsed.size > config_.segment_bytes) {
    return fail(ErrorCode::kRecordListTooLarge,
                fmt::format("{}-{}: {} bytes in one append, segment.bytes is {}", partition_.topic,
                            partition_.partition.value(), parsed.size, config_.segment_bytes));
  }

  BROOK_CHECK(roll_if_needed(parsed.size, info.last_offset, info.max_timestamp));
  Segment& segment = active();
  // The index first: readers of committed records must never see the end of an aborted transaction without
  // it.
  const bool ends = leads && !update.completed().empty();
  Result<void> written;
  for (const CompletedTransaction& done : update.completed()) {
    if (!written || !leads || !done.aborted) continue;
    names_dirty_ = names_dirty_ || !files_.exists(segment.transactions().path());
    written = segment.transactions().append(
        {done.producer_id, done.first_offset, done.last_offset, producers_.last_stable_offset_after(done)});
  }
  if (written)
    written = segment.append(batches.first(parsed.size), parsed.headers, config_.index_interval_bytes);
  if (!written) {
    const auto undone = ends ? segment.transactions().truncate_to(info.first_offset) : Result<void>{};
    if (!undone) {
      log::error("transaction_index_not_undone", {{"why", undone.error().context}});
      sync_error_ = undone.error();  // The next start makes the index anew.
    }
    return std::unexpected(std::move(written).error());
  }

  changed_ = true;
  log_end_offset_ = info.last_offset.next();
  for (const BatchHeader& header : parsed.headers) note_epoch(header.leader_epoch, header.base_offset);
  producers_.apply(update);
  producers_.set_end_offset(log_end_offset_);
  if (ends) {
    for (const CompletedTransaction& done : update.completed()) producers_.complete(done);
  } else if (auto indexed = complete_transactions(segment, update); !indexed) {
    // The batches are in the log; recovery writes what the transaction index lacks, if the disk never takes
    // it.
    log::error("transaction_index_not_written", {{"why", indexed.error().context}});
  }
  unwritten_bytes_ += parsed.size;
  if (unwritten_bytes_ >= std::max(kWriteDownBytes, kWriteDownShare * snapshot_size_)) {
    unwritten_bytes_ = 0;
    if (auto written_down = write_down(); !written_down)
      log::warn("log_not_written_down", {{"why", written_down.error().context}});  // As at a roll.
  }
  return info;
}

void Log::note_epoch(LeaderEpoch epoch, Offset offset) {
  if (epoch.value() < 0) return;
  const auto latest = epochs_.latest();
  if (!latest || latest->epoch != epoch) epochs_.assign(epoch, offset);
}

Result<void> Log::complete_transactions(Segment& segment, const ProducerUpdate& update) {
  Result<void> result;
  for (const CompletedTransaction& done : update.completed()) {
    if (done.aborted && result) {
      names_dirty_ = names_dirty_ || !files_.exists(segment.transactions().path());
      result = segment.transactions().append(
          {done.producer_id, done.first_offset, done.last_offset, producers_.last_stable_offset_after(done)});
    }
    producers_.complete(done);
  }
  return result;
}

Result<void> Log::roll_if_needed(std::size_t size, Offset last_offset, Timestamp max_timestamp) {
  const Segment& segment = active();
  bool needed = !segment.can_hold(last_offset);
  if (segment.size() > 0) {
    const auto first = segment.first_timestamp();
    const std::int64_t age = first && first->value() >= 0 ? std::max(max_timestamp - *first, std::int64_t{0})
                                                          : clock_.wall_now() - segment.created();
    std::chrono::milliseconds age_max = config_.segment_ms;
    if (config_.cleanup_compact && config_.max_compaction_lag_ms)
      age_max = std::min(age_max, *config_.max_compaction_lag_ms);
    // Positions are 31 bits in the index, whatever the configuration says.
    const std::uint64_t bytes_max =
        std::min<std::uint64_t>(config_.segment_bytes, std::numeric_limits<std::int32_t>::max());
    needed |= segment.size() + size > bytes_max || age > (age_max - config_.segment_jitter_ms).count() ||
              segment.index_full(config_.segment_index_bytes);
  }
  if (!needed) return {};
  const std::int64_t lowest = last_offset.value() - std::numeric_limits<std::int32_t>::max();
  // Behind the last record, also where the log was truncated to further on: holes lie within segments, and
  // recovery knows one between two of them for a loss.
  return roll(Offset(std::max(segment.end_offset().value(), lowest)));
}

Result<void> Log::roll(Offset base_offset) {
  if (segments_.contains(base_offset)) return {};
  BROOK_CHECK(active().seal());
  BROOK_TRY(const SharedSegment made, create_segment(base_offset));
  segments_[base_offset] = made;
  rolled_since_flush_ = true;
  producers_.set_end_offset(base_offset);
  if (auto taken = take_producer_snapshot(); !taken) {
    log::warn("producer_snapshot_not_written",
              {{"why", taken.error().context}});  // Recovery then reads from the one before.
  }
  log::info("segment_rolled", {{"topic", partition_.topic},
                               {"partition", partition_.partition.value()},
                               {"base_offset", base_offset.value()}});
  return {};
}

}  // namespace brook::storage

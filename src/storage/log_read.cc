// Reading: file ranges for a fetch, look-ups by timestamp, aborted transactions.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"
#include "record/validate.h"
#include "storage/file_names.h"
#include "storage/internal/batch_reader.h"
#include "storage/log.h"

namespace brook::storage {
namespace {

constexpr std::size_t kHeaderChunk = 8192;
/// From here on a slice that max_bytes ends is cut to whole batches; for less the look-up is not worth it.
constexpr std::uint64_t kWholeBatchesFrom = 64 * 1024;

/// The first record of `bytes` at or above `from` for which `wanted(timestamp)`; `wanted` may be asked of
/// all.
template <class Wanted>
Result<std::optional<TimestampOffset>> first_record(ByteView bytes, Offset from, Wanted wanted) {
  BROOK_TRY(const auto batch, record::BatchView::parse(bytes));
  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, record::kDecompressedBytesMax));
    records = plain;
  }
  record::RecordIterator iterator(records, batch.record_count());
  while (true) {
    BROOK_TRY(const auto next, iterator.next());
    if (!next) return std::optional<TimestampOffset>{};
    const Offset offset = batch.base_offset() + next->offset_delta;
    const Timestamp timestamp = batch.timestamp_of(next->timestamp_delta);
    if (offset >= from && wanted(timestamp))
      return TimestampOffset{timestamp, offset, batch.partition_leader_epoch()};
  }
}

}  // namespace

Log::SharedSegment Log::segment_of(Offset offset) const {
  auto at = segments_.upper_bound(offset);
  if (at == segments_.begin()) return at == segments_.end() ? nullptr : at->second;
  return std::prev(at)->second;
}

Log::SharedSegment Log::segment_after(Offset segment_base) const {
  const auto at = segments_.upper_bound(segment_base);
  return at == segments_.end() ? nullptr : at->second;
}

Offset Log::end_of(Offset segment_base) const {
  const auto next = segments_.upper_bound(segment_base);
  return next == segments_.end() ? log_end_offset_ : next->first;
}

LogPosition Log::end_position() const { return {log_end_offset_, active().base_offset(), active().size()}; }

Offset Log::last_stable_offset(Offset high_watermark) {
  const auto unstable = producers_.first_unstable_offset(high_watermark);
  if (!unstable || *unstable >= high_watermark) return high_watermark;
  return std::max(*unstable, log_start_offset_);  // Its first records may have been deleted.
}

void LogSlice::cut_to(std::uint64_t bytes) {
  if (bytes >= size) return;
  std::uint64_t left = bytes;
  for (FileRange& range : ranges) {
    range.size = std::min(range.size, left);
    left -= range.size;
  }
  std::erase_if(ranges, [](const FileRange& range) { return range.size == 0; });
  size = size_before_cut = bytes;
}

Task<Result<LogSlice>> Log::read(Offset from, std::size_t max_bytes, Offset upper_bound,
                                 bool at_least_one_batch) {
  while (true) {
    if (from < log_start_offset_ || from > log_end_offset_) {
      co_return fail(
          ErrorCode::kOffsetOutOfRange,
          fmt::format("offset {} of {}-{} is not within the log, {} to {}", from.value(), partition_.topic,
                      partition_.partition.value(), log_start_offset_.value(), log_end_offset_.value()));
    }
    const std::uint64_t seen = generation_;
    auto slice =
        co_await read_once(from, max_bytes, std::min(upper_bound, log_end_offset_), at_least_one_batch);
    if (seen == generation_)
      co_return slice;  // Else segments were cut or replaced while we waited for a file: look again.
  }
}

Task<Result<LogSlice>> Log::read_once(Offset from, std::size_t max_bytes, Offset bound,
                                      bool at_least_one_batch) {
  LogSlice slice;
  SharedSegment segment = segment_of(from);
  slice.start = {from, segment->base_offset(), 0};
  if (from == log_end_offset_) slice.start = end_position();
  slice.end = slice.start;
  if (from >= bound) co_return slice;
  if (!corrupt_.empty()) BROOK_CO_CHECK(refuse_corrupt(corrupt_.at(from), from));

  std::optional<BatchAt> first;
  while (segment && !first) {
    if (const auto remembered = segment->find_in_tail(from)) {
      first = *remembered;
    } else {
      BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
      BROOK_CO_TRY(first, co_await find_in(segment, from));
    }
    if (!first) segment = segment_after(segment->base_offset());  // A hole that compaction left.
  }
  if (!first || first->last_offset >= bound) co_return slice;
  if (!corrupt_.empty()) {
    const CorruptRange* near = corrupt_.first_behind(segment->base_offset(), first->position);
    if (near != nullptr && near->position <= first->position) BROOK_CO_CHECK(refuse_corrupt(near, from));
  }

  slice.start = {from, segment->base_offset(), first->position};
  slice.end = slice.start;
  std::uint64_t budget = max_bytes;
  if (at_least_one_batch) budget = std::max<std::uint64_t>(budget, first->size);
  if (budget == 0) co_return slice;
  slice.first_batch_size = first->size;
  BROOK_CO_CHECK(co_await extend(&slice, std::move(segment), *first, budget, bound));
  co_return slice;
}

/// Segment::find, but past what is corrupt: what is written there may lead anywhere.
Task<Result<std::optional<BatchAt>>> Log::find_in(SharedSegment segment, Offset from) {
  const std::uint64_t behind = corrupt_.empty() ? 0 : corrupt_.end_before(segment->base_offset(), from);
  if (behind > 0) co_return co_await segment->find_behind(behind, from);
  co_return co_await segment->find(from);
}

Result<void> Log::refuse_corrupt(const CorruptRange* range, Offset from) const {
  if (range == nullptr) return {};
  return fail(
      ErrorCode::kCorruptMessage,
      fmt::format("offset {} of {}-{} is not served: {} is damaged at position {}, offsets {} to {}: {}",
                  from.value(), partition_.topic, partition_.partition.value(),
                  offset_file_path(directory_, range->segment_base_offset, kLogSuffix), range->position,
                  range->first_offset.value(), range->last_offset.value(), range->reason));
}

/// Adds ranges from `first` on; `slice` lives in the awaiting frame.
Task<Result<void>> Log::extend(LogSlice* slice, SharedSegment segment, BatchAt first, std::uint64_t budget,
                               Offset bound) {
  std::uint64_t position = first.position;
  while (segment) {
    const Offset base = segment->base_offset();
    const Offset segment_end = end_of(base);
    std::uint64_t end = segment->size();
    const CorruptRange* corrupt = corrupt_.empty() ? nullptr : corrupt_.first_behind(base, position);
    const bool stops = corrupt != nullptr && corrupt->first_offset <= bound;
    const Offset stop_offset = stops ? corrupt->first_offset : bound;
    if (stops) {
      end = std::min(end, corrupt->position);
    } else if (bound < segment_end) {
      const auto remembered = segment->find_in_tail(bound);
      std::optional<BatchAt> beyond;
      if (remembered) {
        beyond = *remembered;
      } else {
        BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
        BROOK_CO_TRY(beyond, co_await find_in(segment, bound));
      }
      if (beyond) end = std::max(beyond->position, position);
    }
    std::uint64_t take = std::min(end - position, budget);
    slice->size_before_cut += take;
    if (take < end - position && take >= kWholeBatchesFrom) {
      // What a client can't use need not be sent, and what comes next is found again at once.
      BROOK_CO_TRY(const auto start, co_await segment->batch_start_to(position + take));
      if (start && *start > position) {
        take = *start - position;
        budget = take;
      }
    }
    if (take > 0) {
      BROOK_CO_TRY(auto file, segment->file());
      slice->ranges.push_back({std::move(file), position, take});
      slice->size += take;
      slice->end = {std::min({bound, segment_end, stop_offset}), base, position + take};
      budget -= take;
    }
    if (position + take < end || bound <= segment_end || budget == 0 || stops) break;
    segment = segment_after(base);
    position = 0;
  }
  co_return Result<void>{};
}

Task<Result<std::vector<AbortedTransaction>>> Log::aborted_transactions(Offset from, LogPosition end) {
  SharedSegment with_some = segment_of(from);
  while (with_some) {
    BROOK_CO_CHECK(co_await with_some->load(config_.index_interval_bytes));
    if (!with_some->transactions().empty()) break;
    with_some = segment_after(with_some->base_offset());
  }
  if (!with_some) co_return std::vector<AbortedTransaction>{};
  Offset bound = end.offset;
  if (const auto at = segments_.find(end.segment_base_offset); at != segments_.end()) {
    const SharedSegment segment = at->second;
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    BROOK_CO_TRY(const auto closer, co_await segment->offset_bound(end.position));
    if (closer) bound = std::min(bound, *closer);
  }
  co_return co_await aborted_transactions(from, bound);
}

Task<Result<std::vector<AbortedTransaction>>> Log::aborted_transactions(Offset from, Offset upper_bound) {
  std::vector<AbortedTransaction> found;
  for (SharedSegment segment = segment_of(from); segment; segment = segment_after(segment->base_offset())) {
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    if (segment->transactions().empty()) continue;
    BROOK_CO_TRY(const auto entries, co_await segment->transactions().entries());
    for (const AbortedTransaction& aborted : entries) {
      if (aborted.last_offset >= from && aborted.first_offset < upper_bound) found.push_back(aborted);
      if (aborted.last_stable_offset >= upper_bound) co_return found;
    }
  }
  co_return found;
}

Task<Result<std::optional<TimestampOffset>>> Log::offset_for_timestamp(Timestamp target) {
  while (true) {
    const std::uint64_t seen = generation_;
    auto found = co_await find_timestamp(target);
    if (seen == generation_) co_return found;
  }
}

Task<Result<std::optional<TimestampOffset>>> Log::max_timestamp_offset() {
  while (true) {
    const std::uint64_t seen = generation_;
    auto found = co_await find_max_timestamp();
    if (seen == generation_) co_return found;
  }
}

Task<Result<std::optional<TimestampOffset>>> Log::find_timestamp(Timestamp target) {
  for (SharedSegment segment = segment_of(log_start_offset_); segment;
       segment = segment_after(segment->base_offset())) {
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    if (segment->newest().timestamp < target) continue;
    BROOK_CO_TRY(const auto indexed, co_await segment->timestamp_floor(target, config_.index_interval_bytes));
    const Offset from = std::max(indexed ? indexed->offset : segment->base_offset(), log_start_offset_);
    BROOK_CO_TRY(const auto start, co_await segment->find(from));
    if (!start) continue;
    BROOK_CO_TRY(auto file, segment->file());
    internal::BatchReader reader(std::move(file), start->position, segment->size(), kHeaderChunk);
    while (reader.position() < reader.end()) {
      BROOK_CO_TRY(const auto header, co_await reader.header());
      if (!header) break;
      if (header->max_timestamp >= target && header->last_offset >= log_start_offset_) {
        BROOK_CO_TRY(const ByteView body, co_await reader.body(*header));
        BROOK_CO_TRY(const auto found,
                     first_record(body, log_start_offset_, [&](Timestamp t) { return t >= target; }));
        if (found) co_return found;
      }
      reader.skip(*header);
    }
  }
  co_return std::optional<TimestampOffset>{};
}

Task<Result<std::optional<TimestampOffset>>> Log::find_max_timestamp() {
  IndexedTimestamp newest{Timestamp(-1), Offset(0)};
  SharedSegment holder;
  for (SharedSegment segment = segment_of(log_start_offset_); segment;
       segment = segment_after(segment->base_offset())) {
    BROOK_CO_CHECK(co_await segment->load(config_.index_interval_bytes));
    if (segment->newest().timestamp <= newest.timestamp) continue;
    newest = segment->newest();
    holder = segment;
  }
  if (!holder) co_return std::optional<TimestampOffset>{};
  BROOK_CO_TRY(const auto batch, co_await holder->find(newest.offset));
  if (!batch) co_return std::optional<TimestampOffset>{};
  BROOK_CO_TRY(auto file, holder->file());
  internal::BatchReader reader(std::move(file), batch->position, batch->position + batch->size, kHeaderChunk);
  BROOK_CO_TRY(const auto header, co_await reader.header());
  if (!header) co_return std::optional<TimestampOffset>{};
  BROOK_CO_TRY(const ByteView body, co_await reader.body(*header));
  co_return first_record(body, Offset(0), [&](Timestamp t) { return t >= newest.timestamp; });
}

std::optional<EpochEndOffset> Log::end_offset_for_epoch(LeaderEpoch epoch) const {
  return epochs_.end_offset_for(epoch, log_end_offset_);
}

std::optional<LeaderEpoch> Log::latest_epoch() const {
  const auto latest = epochs_.latest();
  if (!latest) return std::nullopt;
  return latest->epoch;
}

}  // namespace brook::storage

#include "storage/internal/batch_filter.h"

#include <algorithm>
#include <limits>

#include "record/builder.h"
#include "record/record.h"
#include "record/validate.h"

namespace brook::storage::internal {

using record::BatchView;
using record::RecordView;

namespace {

/// `delay` may be all the time there is.
Timestamp later(Timestamp now, std::chrono::milliseconds delay) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return Timestamp(delay.count() > kMost - now.value() ? kMost : now.value() + delay.count());
}

}  // namespace

Result<FilteredBatch> BatchFilter::filter(const BatchHeader& header, ByteView bytes) {
  BROOK_TRY(const BatchView batch, BatchView::parse(bytes));
  BROOK_CHECK(batch.check_crc());
  FilteredBatch filtered;
  TransactionTracker::Marker marker;
  bool drop_all = false;
  if (header.control()) {
    const auto producer = producer_batch(bytes, header, 0);
    const auto end = producer ? producer->marker : std::nullopt;
    marker = transactions_.on_marker(header.producer_id, header.last_offset, end);
    // An emptied one has done its work.
    marker.removable |= batch.record_count() == 0;
    drop_all = marker.removable && batch.delete_horizon() && *batch.delete_horizon() <= options_.now;
    filtered.aborted = marker.aborted;
  } else {
    drop_all = transactions_.on_batch(header.producer_id, header.transactional(), header.last_offset);
  }

  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone && !drop_all) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, record::kDecompressedBytesMax));
    records = plain;
  }
  BROOK_TRY(const Selection selection, select(batch, records, drop_all));
  totals_.records_read += static_cast<std::uint64_t>(std::max(batch.record_count(), 0));
  totals_.records_kept += static_cast<std::uint64_t>(selection.count);

  if (selection.count == 0) {
    if (!stays_empty(header)) {
      filtered.changed = true;
      return filtered;
    }
    if (batch.record_count() == 0) {
      filtered.bytes = bytes;
      return filtered;
    }
  }
  // Their time begins when they were compacted first: what a reader may have missed before does not count.
  std::optional<Timestamp> horizon = batch.delete_horizon();
  const bool begins = !horizon && (selection.tombstones || marker.removable) && selection.count > 0;
  if (begins) horizon = later(options_.now, options_.delete_retention);
  if (selection.count == batch.record_count() && !begins) {
    filtered.bytes = bytes;
    return filtered;
  }
  if (selection.count > 0 && !begins) {
    reduce(batch, selection);
  } else {
    BROOK_TRY(rebuilt_, rebuilt(batch, records, selection, horizon));
  }
  filtered.bytes = rebuilt_;
  filtered.changed = true;
  return filtered;
}

Result<BatchFilter::Selection> BatchFilter::select(const BatchView& batch, ByteView records, bool drop_all) {
  Selection selection;
  candidates_.clear();
  if (drop_all) return selection;
  record::RecordIterator walk(records, batch.record_count());
  RecordView record;
  std::size_t position = 0;
  while (true) {
    BROOK_TRY(const bool found, walk.next(record));
    if (!found) break;
    Candidate& one = candidates_.emplace_back(candidate_of(batch, record));
    one.bytes = records.subspan(position, record.size_in_bytes);
    position += record.size_in_bytes;
  }
  for (Candidate& one : candidates_) {
    one.stays = batch.is_control() || stays(one, batch.delete_horizon());
    if (!one.stays) continue;
    ++selection.count;
    selection.tombstones |= !one.has_value;
    selection.max_timestamp = std::max(selection.max_timestamp, batch.timestamp_of(one.timestamp_delta));
  }
  return selection;
}

BatchFilter::Candidate BatchFilter::candidate_of(const BatchView& batch, const RecordView& record) {
  Candidate one;
  one.offset = batch.base_offset() + record.offset_delta;
  one.timestamp_delta = record.timestamp_delta;
  one.has_key = record.key.has_value();
  one.has_value = record.value.has_value();
  if (!record.key || one.offset >= options_.mapped_end || batch.is_control()) return one;
  one.replaced = newest_.replaced(one.offset);
  if (one.replaced) return one;
  one.key = newest_.hash_of(*record.key);
  newest_.prefetch(one.key);
  return one;
}

bool BatchFilter::stays(const Candidate& record, std::optional<Timestamp> delete_horizon) {
  if (record.offset >= options_.mapped_end) return true;
  if (!record.has_key) {
    ++totals_.keyless_dropped;
    return false;
  }
  if (record.replaced.value_or(false)) return false;
  if (!record.replaced) {
    if (const auto newest = newest_.find(record.key); newest && *newest > record.offset) return false;
  }
  return record.has_value || !delete_horizon || options_.now < *delete_horizon;
}

void BatchFilter::reduce(const BatchView& batch, const Selection& selection) {
  rebuilt_.resize(record::kBatchHeaderSize);
  for (const Candidate& one : candidates_) {
    if (one.stays) rebuilt_.insert(rebuilt_.end(), one.bytes.begin(), one.bytes.end());
  }
  record::finish_reduced(batch, rebuilt_, selection.count, selection.max_timestamp);
}

Result<record::Bytes> BatchFilter::rebuilt(const BatchView& batch, ByteView records,
                                           const Selection& selection,
                                           std::optional<Timestamp> delete_horizon) const {
  record::BatchOptions options;
  options.compression.codec = batch.codec();
  options.base_offset = batch.base_offset();
  options.leader_epoch = batch.partition_leader_epoch();
  options.timestamp_type = batch.timestamp_type();
  if (selection.count == 0 || batch.timestamp_type() == record::TimestampType::kLogAppendTime)
    options.max_timestamp = batch.max_timestamp();
  if (selection.count > 0) options.delete_horizon = delete_horizon;
  options.producer_id = batch.producer_id();
  options.producer_epoch = batch.producer_epoch();
  options.base_sequence = batch.base_sequence();
  options.transactional = batch.is_transactional();
  options.control = batch.is_control();

  record::BatchBuilder builder(options);
  record::RecordIterator walk(records, batch.record_count());
  for (const Candidate& one : candidates_) {
    BROOK_TRY(const auto next, walk.next());
    if (!one.stays) continue;
    builder.append_at(batch.base_offset() + next->offset_delta, batch.timestamp_of(next->timestamp_delta),
                      next->key, next->value, next->headers());
  }
  builder.set_last_offset(batch.last_offset());
  return builder.finish();
}

}  // namespace brook::storage::internal

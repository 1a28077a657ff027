#include "storage/internal/compaction_work.h"

#include <algorithm>

#include "record/compression.h"
#include "record/record.h"
#include "record/validate.h"

namespace brook::storage::internal {

LastBatches::LastBatches(const ProducerState& producers) {
  for (const auto& [id, entry] : producers.entries())
    entries_.insert_or_assign(id, Entry{entry.last_offset(), entry.epoch});
}

bool LastBatches::contain(const BatchHeader& header) const {
  const auto known = entries_.find(header.producer_id);
  if (known == entries_.end()) return false;
  if (known->second.last_offset) return header.last_offset == *known->second.last_offset;
  return header.control() && header.producer_epoch == known->second.epoch;
}

CompactionWork::CompactionWork(CompactionRange range, CompactionJob job, LastBatches last_batches)
    : range_(range), job_(job), last_batches_(std::move(last_batches)), mapped_end_(range.first_dirty) {
  job_.newest.remember_from(range.first_dirty);
}

Result<bool> CompactionWork::map_piece(BatchScan& scan, TransactionTracker& transactions) {
  while (!scan.at_end()) {
    BROOK_TRY(const auto found, scan.next());
    const BatchHeader& header = found->header;
    BROOK_TRY(const auto batch, record::BatchView::parse(found->bytes));
    BROOK_CHECK(batch.check_crc());
    if (header.control()) {
      const auto producer = producer_batch(found->bytes, header, 0);
      static_cast<void>(transactions.on_marker(header.producer_id, header.last_offset,
                                               producer ? producer->marker : std::nullopt));
    } else if (!transactions.on_batch(header.producer_id, header.transactional(), header.last_offset)) {
      BROOK_TRY(const bool whole, map_records(batch));
      if (!whole) return false;
    }
    mapped_to(header.last_offset.next());
    if (worked(header.size)) break;
  }
  return true;
}

Result<bool> CompactionWork::map_records(const record::BatchView& batch) {
  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, record::kDecompressedBytesMax));
    records = plain;
  }
  keys_.clear();
  record::RecordIterator walk(records, batch.record_count());
  record::RecordView record;
  while (true) {
    BROOK_TRY(const bool found, walk.next(record));
    if (!found) break;
    const Offset offset = batch.base_offset() + record.offset_delta;
    if (offset < range_.first_dirty || !record.key) continue;
    keys_.emplace_back(job_.newest.hash_of(*record.key), offset);
    job_.newest.prefetch(keys_.back().first);
  }
  *records_mapped_ += keys_.size();
  for (const auto& [key, offset] : keys_) {
    if (job_.newest.put(key, offset)) continue;
    mapped_end_ = offset;
    return false;
  }
  return true;
}

bool CompactionWork::map_keys(Offset first, std::span<const Hash128> keys) {
  // As far ahead as a processor can have reads from memory under way.
  constexpr std::size_t kAhead = 8;
  *records_mapped_ += keys.size();
  keys_kept_ += keys.size();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) job_.newest.prefetch(keys[i + kAhead]);
    const Offset offset = first + static_cast<std::int64_t>(i);
    if (!job_.newest.put(keys[i], offset)) {
      mapped_end_ = offset;
      return false;
    }
  }
  mapped_to(first + static_cast<std::int64_t>(keys.size()));
  return true;
}

CompactionTotals CompactionWork::totals() const {
  CompactionTotals totals = filter_ ? filter_->totals() : CompactionTotals{};
  totals.keys_kept = keys_kept_;
  return totals;
}

double CompactionWork::surviving_share(Offset base, Offset end) const {
  const auto mapped = mapped_records_.find(base);
  if (mapped == mapped_records_.end() || mapped->second == 0 || end > mapped_end_) return 1;
  const auto replaced = std::min(job_.newest.count_replaced(base, end), mapped->second);
  return 1 - static_cast<double>(replaced) / static_cast<double>(mapped->second);
}

void CompactionWork::begin_cleaning(std::chrono::milliseconds delete_retention) {
  filter_.emplace(job_.newest,
                  BatchFilterOptions{job_.now, delete_retention, mapped_end_, range_.first_uncleanable},
                  [this](const BatchHeader& header) { return last_batches_.contain(header); });
}

Result<void> CompactionWork::clean_piece(BatchScan& scan, CleanedSegment& output, bool& changed) {
  while (!scan.at_end()) {
    BROOK_TRY(const auto found, scan.next());
    BROOK_TRY(const auto filtered, filter_->filter(found->header, found->bytes));
    changed |= filtered.changed;
    if (!filtered.bytes.empty()) {
      const auto written = parse_batch_header(filtered.bytes);
      BROOK_CHECK(output.append(*written, filtered.bytes));
    }
    if (filtered.aborted) BROOK_CHECK(output.add_aborted(*filtered.aborted));
    CompactionTotals& totals = filter_->totals();
    totals.bytes_read += found->header.size;
    totals.bytes_written += filtered.bytes.size();
    if (worked(found->header.size + filtered.bytes.size())) break;
  }
  return {};
}

}  // namespace brook::storage::internal

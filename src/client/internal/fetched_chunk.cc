#include "client/internal/fetched_chunk.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "record/compression.h"
#include "record/control.h"
#include "record/record.h"

namespace brook::client::internal {
namespace {

/// What kind of marker a control batch holds; nothing where it is one that we do not know.
Result<std::optional<record::ControlType>> control_type(const record::BatchView& batch) {
  record::RecordIterator records(batch.records(), batch.record_count());
  BROOK_TRY(const auto first, records.next());
  if (!first || !first->key) return std::optional<record::ControlType>();
  return record::parse_control_key(*first->key);
}

}  // namespace

FetchedChunk::FetchedChunk(ReplyFrame frame, ByteView records, std::vector<AbortedRange> aborted)
    : frame_(std::move(frame)), records_(records), batches_(records) {
  std::ranges::sort(aborted, {}, &AbortedRange::first_offset);
  aborted_.assign(aborted.begin(), aborted.end());
}

Result<FetchedChunk> FetchedChunk::make(ReplyFrame frame, ByteView records,
                                        std::vector<AbortedRange> aborted) {
  record::BatchIterator walk(records);
  std::optional<Offset> next_offset;
  for (;;) {
    BROOK_TRY(const auto batch, walk.next());
    if (!batch) break;
    next_offset = batch->last_offset().next();
  }
  if (!next_offset) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("{} bytes came that are no whole batch", records.size()));
  }
  FetchedChunk chunk(std::move(frame), records.first(walk.position()), std::move(aborted));
  chunk.next_offset_ = *next_offset;
  return chunk;
}

Result<std::optional<ConsumedBatch>> FetchedChunk::next(const TopicPartition& partition, Offset from,
                                                        const ConsumerOptions& options) {
  for (;;) {
    BROOK_TRY(const auto batch, batches_.next());
    if (!batch) return std::optional<ConsumedBatch>();
    if (options.check_crcs) BROOK_CHECK(batch->check_crc());
    BROOK_TRY(const bool aborted, is_aborted(*batch));
    if (aborted || batch->is_control() || batch->last_offset() < from) continue;
    BROOK_TRY(ConsumedBatch decoded, decode(*batch, from, options));
    if (decoded.records.empty()) continue;
    decoded.partition = partition;
    return std::optional(std::move(decoded));
  }
}

Result<bool> FetchedChunk::is_aborted(const record::BatchView& batch) {
  while (!aborted_.empty() && aborted_.front().first_offset <= batch.last_offset()) {
    aborting_.insert(aborted_.front().producer);
    aborted_.pop_front();
  }
  if (aborting_.empty() || !batch.is_transactional() || !batch.producer_id()) return false;
  if (!batch.is_control()) return aborting_.contains(*batch.producer_id());
  BROOK_TRY(const auto type, control_type(batch));
  if (type == record::ControlType::kAbort) aborting_.erase(*batch.producer_id());
  return false;
}

Result<ConsumedBatch> FetchedChunk::decode(const record::BatchView& batch, Offset from,
                                           const ConsumerOptions& options) const {
  ConsumedBatch decoded;
  decoded.leader_epoch = batch.partition_leader_epoch();
  decoded.timestamp_type = batch.timestamp_type();
  decoded.owner = frame_;
  ByteView bytes = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(record::Bytes plain, record::decompress(batch.codec(), bytes, options.decompressed_bytes_max));
    const auto owned = std::make_shared<const record::Bytes>(std::move(plain));
    bytes = *owned;
    decoded.owner = owned;
  }
  record::RecordIterator records(bytes, batch.record_count());
  for (;;) {
    BROOK_TRY(const auto record, records.next());
    if (!record) return decoded;
    const Offset offset = batch.base_offset() + record->offset_delta;
    if (offset < from) continue;
    decoded.records.push_back({.offset = offset,
                               .timestamp = batch.timestamp_of(record->timestamp_delta),
                               .key = record->key,
                               .value = record->value,
                               .headers = record->headers()});
  }
}

}  // namespace brook::client::internal

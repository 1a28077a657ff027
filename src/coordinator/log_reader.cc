#include "coordinator/log_reader.h"

#include <optional>
#include <utility>

#include "record/control.h"
#include "record/record.h"
#include "record/validate.h"

namespace brook::coordinator {
namespace {

protocol::Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

/// Nothing where the control batch is none of a transaction's end.
Result<void> read_end(const record::BatchView& batch, std::vector<LogEntry>& into) {
  const std::optional<ProducerId> producer = batch.producer_id();
  if (!producer) return {};
  record::RecordIterator records(batch.records(), batch.record_count());
  BROOK_TRY(const std::optional<record::RecordView> marker, records.next());
  if (!marker || !marker->key || !marker->value) return {};
  BROOK_TRY(const std::optional<record::ControlType> type, record::parse_control_key(*marker->key));
  const bool commit = type == record::ControlType::kCommit;
  if (commit || type == record::ControlType::kAbort) into.emplace_back(LoggedEnd{*producer, commit});
  return {};
}

Result<void> read_records(const record::BatchView& batch, std::vector<LogEntry>& into) {
  ByteView payload = batch.records();
  record::Bytes plain;
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), payload, record::kDecompressedBytesMax));
    payload = plain;
  }
  record::RecordIterator records(payload, batch.record_count());
  while (true) {
    BROOK_TRY(const std::optional<record::RecordView> next, records.next());
    if (!next) return {};
    if (!next->key) continue;
    LoggedRecord taken;
    taken.offset = batch.base_offset() + next->offset_delta;
    taken.record.key = copy(*next->key);
    if (next->value) taken.record.value = copy(*next->value);
    if (batch.is_transactional()) taken.transaction = batch.producer_id();
    into.emplace_back(std::move(taken));
  }
}

}  // namespace

Result<std::vector<LogEntry>> LogReader::take(ByteView batches) {
  std::vector<LogEntry> taken;
  record::BatchIterator walk(batches);
  while (true) {
    BROOK_TRY(const std::optional<record::BatchView> batch, walk.next());
    if (!batch) return taken;
    const Result<void> read = batch->is_control() ? read_end(*batch, taken) : read_records(*batch, taken);
    if (!read) ++unreadable_batches_;
  }
}

}  // namespace brook::coordinator

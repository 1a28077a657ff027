#include "coordinator/log_reader.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "record/control.h"
#include "record/record.h"
#include "record/validate.h"

namespace brook::coordinator {
namespace {

protocol::Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<bool> is_commit(const record::BatchView& batch) {
  record::RecordIterator records(batch.records(), batch.record_count());
  BROOK_TRY(const std::optional<record::RecordView> marker, records.next());
  if (!marker || !marker->key || !marker->value) return false;
  BROOK_TRY(const std::optional<record::ControlType> type, record::parse_control_key(*marker->key));
  return type == record::ControlType::kCommit;
}

Result<void> read_records(const record::BatchView& batch, std::vector<EncodedRecord>& into) {
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
    EncodedRecord& taken = into.emplace_back();
    taken.key = copy(*next->key);
    if (next->value) taken.value = copy(*next->value);
  }
}

}  // namespace

Result<std::vector<EncodedRecord>> LogReader::take(ByteView batches) {
  std::vector<EncodedRecord> taken;
  record::BatchIterator walk(batches);
  while (true) {
    BROOK_TRY(const std::optional<record::BatchView> batch, walk.next());
    if (!batch) return taken;
    if (!take(*batch, taken)) ++unreadable_batches_;
  }
}

Result<void> LogReader::take(const record::BatchView& batch, std::vector<EncodedRecord>& into) {
  const std::optional<ProducerId> producer = batch.producer_id();
  if (batch.is_control()) {
    if (!producer) return {};
    BROOK_TRY(const bool commit, is_commit(batch));
    auto ended = open_.extract(*producer);
    if (!ended.empty() && commit) std::ranges::move(ended.mapped(), std::back_inserter(into));
    return {};
  }
  return read_records(batch, batch.is_transactional() && producer ? open_[*producer] : into);
}

}  // namespace brook::coordinator

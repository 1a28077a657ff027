#include "broker/share/log_records.h"

#include <utility>

#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"

namespace brook::broker {
namespace {

constexpr std::size_t kPlainBytesMax = std::size_t{64} << 20U;

std::optional<std::string> owned(const std::optional<ByteView>& bytes) {
  return bytes ? std::optional(to_string(*bytes)) : std::nullopt;
}

Result<void> read(const record::BatchView& batch, Offset first, Offset last, std::vector<LogRecord>& into) {
  ByteView payload = batch.records();
  record::Bytes plain;
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), payload, kPlainBytesMax));
    payload = plain;
  }
  record::RecordIterator records(payload, batch.record_count());
  while (true) {
    BROOK_TRY(const std::optional<record::RecordView> record, records.next());
    if (!record) return {};
    const Offset offset = batch.base_offset() + record->offset_delta;
    if (offset < first || offset > last) continue;
    LogRecord& one = into.emplace_back();
    one.offset = offset;
    one.key = owned(record->key);
    one.value = owned(record->value);
    for (const record::HeaderView& header : record->headers())
      one.headers.push_back({to_string(header.key), owned(header.value)});
  }
}

}  // namespace

LogRecords log_records(ByteView bytes, Offset first, Offset last) {
  LogRecords found;
  record::BatchIterator in(bytes);
  while (true) {
    const Result<std::optional<record::BatchView>> batch = in.next();
    if (!batch || !*batch || (*batch)->base_offset() > last) return found;
    found.last = (*batch)->last_offset();
    if ((*batch)->is_control() || (*batch)->last_offset() < first) continue;
    const std::size_t before = found.records.size();
    if (!read(**batch, first, last, found.records)) found.records.resize(before);
  }
}

}  // namespace brook::broker

#include "record/record.h"

#include <fmt/format.h>

#include "base/varint.h"
#include "record/internal/read_record.h"

namespace brook::record {
namespace {

std::optional<ByteView> take_nullable(ByteView& from) {
  const auto size = read_varint(from);
  from = from.subspan(size->size);
  if (size->value < 0) return std::nullopt;
  const ByteView bytes = from.first(static_cast<std::size_t>(size->value));
  from = from.subspan(bytes.size());
  return bytes;
}

}  // namespace

std::vector<HeaderView> RecordView::headers() const {
  // The reader of the record has checked every length already.
  std::vector<HeaderView> result;
  result.reserve(static_cast<std::size_t>(header_count));
  ByteView rest = header_bytes;
  for (std::int32_t i = 0; i < header_count; ++i) {
    const auto name = take_nullable(rest);
    result.push_back({name.value_or(ByteView()), take_nullable(rest)});
  }
  return result;
}

Result<std::optional<RecordView>> RecordIterator::next() {
  std::optional<RecordView> record(std::in_place);
  BROOK_TRY(const bool found, next(*record));
  if (!found) record.reset();
  return record;
}

Result<bool> RecordIterator::next(RecordView& record) {
  if (record_count_ < 0) {
    return fail(ErrorCode::kInvalidRecord, fmt::format("the batch declares {} records", record_count_));
  }
  if (index_ == record_count_) {
    if (rest_.empty()) return false;
    return fail(ErrorCode::kInvalidRecord,
                fmt::format("{} bytes are left behind the batch's {} records", rest_.size(), record_count_));
  }
  internal::MemorySource source(rest_);
  if (const auto problem = internal::RecordReader(source).read(record); !problem.empty()) {
    return fail(ErrorCode::kInvalidRecord, fmt::format("record {} of {} {}", index_, record_count_, problem));
  }
  rest_ = source.rest();
  ++index_;
  return true;
}

}  // namespace brook::record

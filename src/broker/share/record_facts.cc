#include "broker/share/record_facts.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "record/compression.h"
#include "record/record.h"

namespace brook::broker {
namespace {

constexpr std::size_t kInspectedBytesMax = std::size_t{64} << 20U;
/// Times further away than this are as good as never, and their difference is still a duration.
constexpr std::int64_t kFarMs = std::int64_t{100} * 365 * 86'400'000;

std::optional<Timestamp> parse_time(const std::optional<ByteView>& value) {
  if (!value) return std::nullopt;
  const std::string_view text = as_chars(*value);
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size() || ms < 0) return std::nullopt;
  return Timestamp(ms);
}

runtime::Instant instant_of(Timestamp time, const Inspection& inspection) {
  const std::int64_t wall = inspection.wall_now.value();
  const std::int64_t away = std::clamp(time.value(), wall - kFarMs, wall + kFarMs) - wall;
  return inspection.now + std::chrono::milliseconds(away);
}

void read_times(const record::RecordView& record, const Inspection& inspection, RecordFacts& facts,
                std::int64_t& bad) {
  for (const record::HeaderView& header : record.headers()) {
    const std::string_view name = as_chars(header.key);
    if (name != kNotBeforeHeader && name != kNotAfterHeader) continue;
    const std::optional<Timestamp> time = parse_time(header.value);
    if (!time) {
      ++bad;
    } else if (name == kNotBeforeHeader) {
      facts.not_before = instant_of(*time, inspection);
    } else {
      facts.expires = instant_of(*time, inspection);
    }
  }
}

}  // namespace

Result<InspectedBatch> inspect(const record::BatchView& batch, const Inspection& inspection) {
  ByteView payload = batch.records();
  record::Bytes plain;
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), payload, kInspectedBytesMax));
    payload = plain;
  }
  InspectedBatch found;
  record::RecordIterator records(payload, batch.record_count());
  while (true) {
    BROOK_TRY(const std::optional<record::RecordView> record, records.next());
    if (!record) return found;
    RecordFacts& facts = found.records.emplace_back();
    facts.offset = batch.base_offset() + record->offset_delta;
    if (inspection.keys && record->key) facts.key = std::hash<std::string_view>{}(as_chars(*record->key));
    if (inspection.times && record->header_count > 0)
      read_times(*record, inspection, facts, found.bad_headers);
  }
}

}  // namespace brook::broker

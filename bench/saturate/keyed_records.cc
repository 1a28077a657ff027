#include "saturate/keyed_records.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/bytes.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kRecordOverheadMax = 32;

// SplitMix64: good numbers from consecutive ones, without a state between them.
std::uint64_t mix(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15U;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

}  // namespace

std::int64_t KeyedRecords::key_of(std::int64_t index) const {
  constexpr unsigned kUnusedBits = 11;  // a double has 53 bits
  constexpr double kRange = 9007199254740992.0;
  const std::uint64_t number = mix(mix(seed_) ^ static_cast<std::uint64_t>(index));
  const double unit = static_cast<double>(number >> kUnusedBits) / kRange;
  return static_cast<std::int64_t>(unit * unit * static_cast<double>(keys_));
}

std::string KeyedRecords::key_text(std::int64_t key) { return fmt::format("key-{:09}", key); }

ByteView KeyedRecords::value_of(std::int64_t index) {
  store_be(value_.data(), index);
  return value_;
}

record::Bytes KeyedRecords::make_batch(std::int64_t index, std::int64_t end, std::size_t batch_bytes) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Timestamp timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  const std::size_t room = kRecordOverheadMax + key_text(0).size() + value_.size();
  record::BatchBuilder builder({});
  do {
    const std::string key = key_text(key_of(index));
    builder.append(timestamp, as_bytes(key), value_of(index));
  } while (++index < end && builder.uncompressed_size() + room <= batch_bytes);
  return builder.finish();
}

std::vector<bool> KeyedRecords::survivors(std::int64_t records, std::int64_t clean_end) const {
  constexpr std::int64_t kNone = -1;
  std::vector<std::int64_t> newest(static_cast<std::size_t>(keys_), kNone);
  for (std::int64_t i = 0; i < clean_end; ++i) newest[static_cast<std::size_t>(key_of(i))] = i;
  std::vector<bool> kept(static_cast<std::size_t>(records), false);
  std::fill(kept.begin() + clean_end, kept.end(), true);
  for (const std::int64_t offset : newest) {
    if (offset != kNone) kept[static_cast<std::size_t>(offset)] = true;
  }
  return kept;
}

}  // namespace brook::saturate

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/siphash.h"
#include "record/builder.h"
#include "storage/compaction.h"

/// Batches with keys, as the tests of compaction need them.
namespace brook::storage::testing {

struct KeyedRecord {
  std::string key;
  std::optional<std::string> value;  ///< nothing: a tombstone
};

inline std::vector<std::byte> make_keyed(record::BatchOptions options,
                                         const std::vector<KeyedRecord>& records, Timestamp timestamp) {
  if (!options.leader_epoch) options.leader_epoch = LeaderEpoch(0);
  record::BatchBuilder builder(options);
  for (const KeyedRecord& record : records) {
    builder.append(timestamp, as_bytes(record.key),
                   record.value ? std::optional(as_bytes(*record.value)) : std::nullopt);
  }
  return builder.finish();
}

inline std::vector<Hash128> hashes_of(const std::vector<KeyedRecord>& records, SipKey seed) {
  std::vector<Hash128> hashes;
  for (const KeyedRecord& record : records) hashes.push_back(siphash128(as_bytes(record.key), seed));
  return hashes;
}

/// Never waits: calls `between` after each piece of work, and goes on while that returns true.
class CallingPace final : public WorkPace {
 public:
  explicit CallingPace(std::function<Task<bool>()> between) : between_(std::move(between)) {}
  Task<bool> pause(std::uint64_t) override { return between_(); }

 private:
  std::function<Task<bool>()> between_;
};

}  // namespace brook::storage::testing

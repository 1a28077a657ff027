#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/siphash.h"

namespace brook::storage {

/// The newest offset of each key, in memory that is taken once and never grows: what compaction knows of a
/// log's dirty part. Of a key it keeps 16 bytes, its SipHash under a key that is drawn for this map: that two
/// of 10^9 keys meet has odds of 10^-20, and nobody can make them meet, as anybody can with the MD5 that
/// Kafka uses here. Runs on: the log's shard.
class OffsetMap {
 public:
  static constexpr std::size_t kSlotBytes = 24;

  /// The bytes that hold `keys` at `load_factor` (0 to 1, of the slots in use when it is full).
  [[nodiscard]] static std::size_t bytes_for(std::uint64_t keys, double load_factor);

  /// Takes `bytes`, or those of the least map, which holds one key.
  OffsetMap(std::size_t bytes, double load_factor, SipKey key);

  /// False where the map is full and the key is not in it: then nothing changed. Offsets of a key only grow.
  [[nodiscard]] bool put(ByteView key, Offset offset);
  [[nodiscard]] std::optional<Offset> find(ByteView key) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many keys fit.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  static constexpr std::int64_t kFree = -1;

  struct Slot {
    Hash128 hash;
    std::int64_t offset = kFree;
  };
  static_assert(sizeof(Slot) == kSlotBytes);

  /// The slot that holds the hash, or the free one where it would be.
  [[nodiscard]] std::size_t slot_of(const Hash128& hash) const;

  std::vector<Slot> slots_;  ///< a prime number of them, so that each step visits them all
  std::size_t capacity_;
  std::size_t size_ = 0;
  SipKey key_;
};

}  // namespace brook::storage

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
  [[nodiscard]] bool put(ByteView key, Offset offset) { return put(hash_of(key), offset); }
  [[nodiscard]] std::optional<Offset> find(ByteView key) const { return find(hash_of(key)); }

  /// The same in two steps, for many keys at a time: what is prefetched is on its way from memory while the
  /// next keys are hashed.
  [[nodiscard]] Hash128 hash_of(ByteView key) const { return siphash128(key, key_); }
  void prefetch(const Hash128& hash) const;
  [[nodiscard]] bool put(const Hash128& hash, Offset offset);
  [[nodiscard]] std::optional<Offset> find(const Hash128& hash) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many keys fit.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  struct Slot {
    Hash128 hash;
    std::int64_t next_offset = 0;  ///< behind the newest; 0 where the slot is free
  };
  static_assert(sizeof(Slot) == kSlotBytes);
  /// Made when one of its slots is first used: to write all of a large map at once would hold the shard up
  /// for milliseconds.
  static constexpr std::size_t kBlockSlots = 128;
  using Block = std::unique_ptr<Slot[]>;

  /// Where the search for it begins.
  [[nodiscard]] std::size_t first_slot_of(const Hash128& hash) const;
  /// Nothing where its block was not made: it is free.
  [[nodiscard]] Slot* slot(std::size_t at) const {
    const Block& block = blocks_[at / kBlockSlots];
    return block ? &block[at % kBlockSlots] : nullptr;
  }
  /// The slot that holds the hash, or the free one where it would be.
  [[nodiscard]] std::size_t slot_of(const Hash128& hash) const;

  std::size_t slot_count_;  ///< a prime number, so that each step visits them all
  std::vector<Block> blocks_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  SipKey key_;
};

}  // namespace brook::storage

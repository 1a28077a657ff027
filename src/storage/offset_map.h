#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/siphash.h"

namespace brook::storage {

/// The newest offset of each key, in memory that is bounded by what it is made with: what compaction knows of
/// a log's dirty part. It also keeps a bit for each of the first offsets, whether a newer one of its key has
/// come, so that who walks over the same records again need not hash their keys. Of a key it keeps 16 bytes,
/// its SipHash under a key that is drawn at random: that two of 10^9 keys meet has odds of 10^-20, and
/// nobody can make them meet, as anybody can with the MD5 that Kafka uses here. Runs on: any, one thread at a
/// time.
class OffsetMap {
 public:
  /// Of a slot: 24 for a key, and the bits of 8 offsets.
  static constexpr std::size_t kSlotBytes = 25;

  /// The bytes that hold `keys` at `load_factor` (0 to 1, of the slots in use when it is full).
  [[nodiscard]] static std::size_t bytes_for(std::uint64_t keys, double load_factor);

  /// Takes `bytes`, or those of the least map, which holds one key, when the first key comes.
  OffsetMap(std::size_t bytes, double load_factor, SipKey key);
  [[nodiscard]] const SipKey& seed() const { return key_; }
  /// Offsets from `first` on are remembered where a newer one of their key comes: as many as there are bits
  /// for. Before the first put().
  void remember_from(Offset first) { first_ = first; }

  /// False where the map is full and the key is not in it: then nothing changed. Offsets of a key only grow.
  [[nodiscard]] bool put(ByteView key, Offset offset) { return put(hash_of(key), offset); }
  [[nodiscard]] std::optional<Offset> find(ByteView key) const { return find(hash_of(key)); }

  /// The same in two steps, for many keys at a time: what is prefetched is on its way from memory while the
  /// next keys are hashed.
  [[nodiscard]] Hash128 hash_of(ByteView key) const { return siphash128(key, key_); }
  void prefetch(const Hash128& hash) const;
  [[nodiscard]] bool put(const Hash128& hash, Offset offset);
  /// Whether a newer offset of its key has come, of an offset that was put; nothing where this was not
  /// remembered.
  [[nodiscard]] std::optional<bool> replaced(Offset offset) const;
  /// Of [from, end), as far as that was remembered.
  [[nodiscard]] std::uint64_t count_replaced(Offset from, Offset end) const;
  [[nodiscard]] std::optional<Offset> find(const Hash128& hash) const;

  /// Gives the memory back: for a large map not the matter of a moment.
  void release();

  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many keys fit.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  struct Slot {
    Hash128 hash;
    std::int64_t next_offset = 0;  ///< behind the newest; 0 where the slot is free
  };
  static constexpr std::size_t kBits = 8;  ///< of a slot, and of a byte
  static_assert(sizeof(Slot) + 1 == kSlotBytes);

  /// Where the search for it begins.
  [[nodiscard]] std::size_t first_slot_of(const Hash128& hash) const;
  /// The slot that holds the hash, or the free one where it would be.
  [[nodiscard]] std::size_t slot_of(const Hash128& hash) const;
  /// The bit of an offset; nothing where it has none.
  [[nodiscard]] std::optional<std::size_t> bit_of(Offset offset) const;

  std::size_t slot_count_;  ///< a prime number, so that each step visits them all
  std::vector<Slot> slots_;
  std::optional<Offset> first_;  ///< of the bits
  std::vector<std::uint8_t> replaced_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  SipKey key_;
};

}  // namespace brook::storage

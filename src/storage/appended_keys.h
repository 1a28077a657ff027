#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/siphash.h"
#include "runtime/memory_budget.h"

namespace brook::storage {

/// Hashes of the keys that were appended to a log and not compacted yet, so that compaction need not read
/// records for their keys. In memory alone, and no more than the budget has room for: there may be gaps, and
/// nothing of before the start. Runs on: the log's shard; what pieces() gave may be read on any thread, also
/// after it was dropped here.
class AppendedKeys {
  struct Block;

 public:
  /// `budget`, which outlives it, is shared by all logs; `seed` is that of the hashes.
  AppendedKeys(runtime::MemoryBudget& budget, SipKey seed) : seed_(seed), charge_(budget) {}

  [[nodiscard]] const SipKey& seed() const { return seed_; }

  /// The keys of the records from `first` on, one for each offset, above all that are here.
  void append(Offset first, std::span<const Hash128> keys);
  /// Whether that of each offset in [from, end) is here; nothing of an empty range.
  [[nodiscard]] bool cover(Offset from, Offset end) const;

  /// Keys of offsets without a gap.
  struct Piece {
    Offset first;
    std::span<const Hash128> keys;
    std::shared_ptr<const Block> held = {};
    [[nodiscard]] Offset end() const { return first + static_cast<std::int64_t>(keys.size()); }
  };
  /// Those in [from, end), which are covered, but no more than `most` pieces.
  [[nodiscard]] std::vector<Piece> pieces(Offset from, Offset end, std::size_t most) const;

  /// What has gone from here, for the caller to destroy: of many keys not the matter of a moment.
  using Dropped = std::vector<std::shared_ptr<Block>>;
  [[nodiscard]] Dropped drop_below(Offset offset);
  void clear();

 private:
  /// About a page of memory.
  static constexpr std::size_t kBlockKeys = 252;
  struct Block {
    Offset first;
    std::size_t count = 0;
    std::array<Hash128, kBlockKeys> keys;
    [[nodiscard]] Offset end() const { return first + static_cast<std::int64_t>(count); }
  };
  using Blocks = std::deque<std::shared_ptr<Block>>;

  /// The block that holds `offset`, or the end.
  [[nodiscard]] Blocks::const_iterator block_of(Offset offset) const;
  void charge() { charge_.set(blocks_.size() * sizeof(Block)); }

  SipKey seed_;
  runtime::MemoryCharge charge_;
  Blocks blocks_;  ///< ascending, none empty
};

}  // namespace brook::storage

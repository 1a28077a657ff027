#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>

#include "base/ids.h"

namespace brook::broker {

/// Which records of a window have which key, for a group that is handed one record of a key at a time, in
/// order. It knows records whose delivery is over until it comes by them or is told to forget them: sweep().
/// Runs on: its partition's shard.
class KeyOrder {
 public:
  void learn(Offset offset, std::uint64_t key);
  void clear();
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  /// Whether an earlier record of the same key is unfinished. `is_unfinished(Offset)` tells; what is finished
  /// stays so, and is forgotten.
  template <class IsUnfinished>
  [[nodiscard]] bool blocks(Offset offset, const IsUnfinished& is_unfinished) {
    const auto key = keys_.find(offset);
    if (key == keys_.end()) return false;
    std::set<Offset>& same = offsets_.at(key->second);
    while (*same.begin() < offset) {
      if (is_unfinished(*same.begin())) return true;
      keys_.erase(*same.begin());
      same.erase(same.begin());
    }
    return false;
  }
  /// Forgets those that are not unfinished.
  template <class IsUnfinished>
  void sweep(const IsUnfinished& is_unfinished) {
    for (auto at = keys_.begin(); at != keys_.end();) {
      if (is_unfinished(at->first)) {
        ++at;
        continue;
      }
      const auto same = offsets_.find(at->second);
      same->second.erase(at->first);
      if (same->second.empty()) offsets_.erase(same);
      at = keys_.erase(at);
    }
  }

 private:
  std::map<Offset, std::uint64_t> keys_;
  std::unordered_map<std::uint64_t, std::set<Offset>> offsets_;  // the same by key
};

}  // namespace brook::broker

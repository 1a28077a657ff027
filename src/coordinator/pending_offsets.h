#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/committed_offsets.h"

namespace brook::coordinator {

/// Whose offset, and of what.
struct OffsetKey {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;

  friend auto operator<=>(const OffsetKey&, const OffsetKey&) = default;
};

/// Offsets that open transactions have committed: they count once their transaction is committed, unless
/// something was committed behind them meanwhile.
class PendingOffsets {
 public:
  void put(ProducerId producer, const OffsetKey& key, CommittedOffset offset);
  /// `key` was committed, or dropped, outside of any transaction.
  void supersede(const OffsetKey& key);
  /// The transaction is over. What it committed and still counts, where `commit`; else nothing.
  [[nodiscard]] std::map<OffsetKey, CommittedOffset> end(ProducerId producer, bool commit);

  /// Whether any open transaction has an offset of `key`: nobody knows yet which one will count.
  [[nodiscard]] bool contains(const OffsetKey& key) const { return by_key_.contains(key); }
  /// The keys of one group, or with `topic` of one topic in it.
  [[nodiscard]] std::vector<OffsetKey> of_group(const std::string& group) const;
  [[nodiscard]] std::vector<OffsetKey> of_topic(const std::string& topic) const;
  [[nodiscard]] bool empty() const { return by_key_.empty(); }

 private:
  struct Pending {
    CommittedOffset offset;
    std::uint64_t order = 0;  ///< a later commit has a greater one
    bool superseded = false;
  };
  using ByProducer = std::map<ProducerId, Pending>;

  static void supersede_before(ByProducer& pending, std::uint64_t order);

  std::map<OffsetKey, ByProducer> by_key_;
  std::map<ProducerId, std::set<OffsetKey>> by_producer_;
  std::uint64_t last_order_ = 0;
};

}  // namespace brook::coordinator

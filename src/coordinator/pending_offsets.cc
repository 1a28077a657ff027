#include "coordinator/pending_offsets.h"

#include <utility>

namespace brook::coordinator {

void PendingOffsets::put(ProducerId producer, const OffsetKey& key, CommittedOffset offset) {
  by_key_[key].insert_or_assign(producer, Pending{std::move(offset), ++last_order_, false});
  by_producer_[producer].insert(key);
}

void PendingOffsets::supersede_before(ByProducer& pending, std::uint64_t order) {
  for (auto& [producer, one] : pending) one.superseded = one.superseded || one.order < order;
}

void PendingOffsets::supersede(const OffsetKey& key) {
  const auto at = by_key_.find(key);
  if (at != by_key_.end()) supersede_before(at->second, ++last_order_);
}

std::map<OffsetKey, CommittedOffset> PendingOffsets::end(ProducerId producer, bool commit) {
  std::map<OffsetKey, CommittedOffset> counting;
  const auto keys = by_producer_.extract(producer);
  if (keys.empty()) return counting;
  for (const OffsetKey& key : keys.mapped()) {
    const auto at = by_key_.find(key);
    auto one = at->second.extract(producer);
    if (commit && !one.mapped().superseded) {
      supersede_before(at->second, one.mapped().order);
      counting.emplace(key, std::move(one.mapped().offset));
    }
    if (at->second.empty()) by_key_.erase(at);
  }
  return counting;
}

std::vector<OffsetKey> PendingOffsets::of_group(const std::string& group) const {
  std::vector<OffsetKey> keys;
  const OffsetKey first{group, {}, INT32_MIN};
  for (auto at = by_key_.lower_bound(first); at != by_key_.end() && at->first.group == group; ++at)
    keys.push_back(at->first);
  return keys;
}

std::vector<OffsetKey> PendingOffsets::of_topic(const std::string& topic) const {
  std::vector<OffsetKey> keys;
  for (const auto& [key, pending] : by_key_) {
    if (key.topic == topic) keys.push_back(key);
  }
  return keys;
}

}  // namespace brook::coordinator

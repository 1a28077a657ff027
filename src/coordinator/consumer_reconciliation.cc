#include "coordinator/consumer_reconciliation.h"

#include <algorithm>
#include <utility>

namespace brook::coordinator {
namespace {

using State = ConsumerProgress::State;

/// Whether the member has any of `partitions`; who does not say has them all.
bool still_owns(const TopicPartitions* owned, const HeldPartitions& partitions) {
  if (owned == nullptr) return true;
  return std::ranges::any_of(*owned, [&](const auto& entry) {
    const auto topic = partitions.find(entry.first);
    return topic != partitions.end() &&
           std::ranges::any_of(entry.second, [&](std::int32_t p) { return topic->second.contains(p); });
  });
}

/// Takes away what is not subscribed to any more, ahead of the next target.
ConsumerProgress without_unsubscribed(const ConsumerProgress& progress, const ReconciliationInput& in) {
  ConsumerProgress out = progress;
  for (const auto& [topic, partitions] : progress.assigned) {
    if (in.subscribed.contains(topic)) continue;
    out.assigned.erase(topic);
    out.revoking[topic].insert(partitions.begin(), partitions.end());
  }
  if (out.assigned == progress.assigned) return progress;
  if (still_owns(in.owned, out.revoking)) {
    out.state = State::kUnrevoked;
  } else {
    out.revoking = progress.revoking;
  }
  return out;
}

ConsumerProgress towards_target(const ConsumerProgress& progress, const ReconciliationInput& in) {
  ConsumerProgress next = progress;
  next.assigned.clear();
  next.revoking.clear();
  bool unreleased = false;
  HeldPartitions taken;
  const auto wanted = [&](const TopicId& topic) -> const std::set<std::int32_t>* {
    const auto at = in.target.find(topic);
    return at == in.target.end() || !in.subscribed.contains(topic) ? nullptr : &at->second;
  };
  for (const auto& [topic, partitions] : progress.assigned) {
    const std::set<std::int32_t>* keep = wanted(topic);
    for (const auto& [partition, epoch] : partitions) {
      const bool kept = keep != nullptr && keep->contains(partition);
      (kept ? next.assigned : next.revoking)[topic].emplace(partition, epoch);
    }
  }
  for (const auto& [topic, partitions] : in.target) {
    if (wanted(topic) == nullptr) continue;
    const auto has = progress.assigned.find(topic);
    for (const std::int32_t partition : partitions) {
      if (has != progress.assigned.end() && has->second.contains(partition)) continue;
      if (in.held_elsewhere(topic, partition)) {
        unreleased = true;
      } else {
        taken[topic].emplace(partition, in.target_epoch);
      }
    }
  }
  if (!next.revoking.empty() && still_owns(in.owned, next.revoking)) {
    next.state = State::kUnrevoked;
    return next;
  }
  next.revoking.clear();
  for (const auto& [topic, partitions] : taken)
    next.assigned[topic].insert(partitions.begin(), partitions.end());
  next.state = unreleased ? State::kUnreleased : State::kStable;
  if (progress.epoch != in.target_epoch) next.previous_epoch = progress.epoch;
  next.epoch = in.target_epoch;
  return next;
}

}  // namespace

ConsumerProgress reconcile(const ConsumerProgress& progress, const ReconciliationInput& in) {
  const bool waits = progress.state == State::kUnrevoked && still_owns(in.owned, progress.revoking);
  if (waits || progress.reconciled(in.target_epoch))
    return in.subscription_changed ? without_unsubscribed(progress, in) : progress;
  return towards_target(progress, in);
}

}  // namespace brook::coordinator

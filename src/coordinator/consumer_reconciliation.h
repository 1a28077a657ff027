#pragma once

#include <functional>
#include <set>

#include "coordinator/consumer_member.h"

namespace brook::coordinator {

/// What one member's next step depends on besides its own progress. All references live as long as the call.
struct ReconciliationInput {
  std::int32_t target_epoch = 0;
  const TopicPartitions& target;
  const std::set<TopicId>& subscribed;
  const TopicPartitions* owned = nullptr;  ///< what the member says that it has; null: it does not say
  bool subscription_changed = false;
  /// Whether somebody else has the partition still.
  const std::function<bool(const TopicId&, std::int32_t)>& held_elsewhere;
};

/// The member's next step towards its target, by the rules of KIP-848: first it gives up what it is not to
/// have, and stays in its epoch until it says that it has; then it moves to the target's epoch and takes what
/// nobody else holds, now and as the others give it up. So no partition is ever two members', and whoever is
/// slow holds back only what it holds. Unchanged where there is nothing to do.
[[nodiscard]] ConsumerProgress reconcile(const ConsumerProgress& progress, const ReconciliationInput& in);

}  // namespace brook::coordinator

#pragma once

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "coordinator/consumer_assignor.h"

namespace brook::coordinator {

/// The one assignor of share groups, by the name that ShareGroupDescribe gives it.
inline constexpr std::string_view kShareAssignor = "simple";

/// What each of `members`, sorted by id, is to have; in their order. `partitions`: those of each topic that
/// may be given; topics that are not there have none.
///
/// As Apache Kafka's: every partition of a topic that anybody subscribes to has a member, and every member
/// has a partition of each set of topics that it reads together with others, which takes several members on
/// one partition where there are more members than partitions. Among the members of such a set each partition
/// is as often given as any other, and no member has more than one partition more than another. A member
/// keeps what it has as far as that allows.
[[nodiscard]] std::vector<TopicPartitions> assign_shares(
    const std::vector<AssignorMember>& members, const std::map<TopicId, std::set<std::int32_t>>& partitions);

}  // namespace brook::coordinator

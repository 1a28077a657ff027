#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/ids.h"
#include "coordinator/cluster_facts.h"

namespace brook::coordinator {

using TopicNames = std::set<std::string, std::less<>>;

/// What a group is of: another number when one of the topics came, went or grew; 0 where there is none of
/// them. It is compared with earlier ones of the same group only, so it need not be Kafka's: a group that
/// Kafka wrote gets a new epoch once.
[[nodiscard]] std::int64_t topics_hash(const TopicNames& names, const ClusterFacts& facts);
/// The ids of those that there are.
[[nodiscard]] std::set<TopicId> ids_of(const TopicNames& names, const ClusterFacts& facts);

}  // namespace brook::coordinator

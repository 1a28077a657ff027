#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/metadata_image.h"

/// Which brokers hold which replicas: pure functions.
namespace brook::cluster {

/// Replicas of `count` partitions from index `first` on, spread evenly: the first replicas go round the
/// brokers from a place that `seed` chooses, the others keep changing distances to them.
/// INVALID_REPLICATION_FACTOR where brokers are too few.
[[nodiscard]] Result<std::vector<std::vector<BrokerId>>> place_replicas(
    const std::map<BrokerId, BrokerInfo>& brokers, std::int32_t first, std::int32_t count,
    std::int32_t replication_factor, std::uint64_t seed);

/// A client's own choice for one partition: registered brokers, none twice, as many as `replication_factor`
/// where that is not 0. INVALID_REPLICA_ASSIGNMENT.
[[nodiscard]] Result<void> check_replicas(const std::map<BrokerId, BrokerInfo>& brokers,
                                          const std::vector<BrokerId>& replicas,
                                          std::size_t replication_factor);

}  // namespace brook::cluster

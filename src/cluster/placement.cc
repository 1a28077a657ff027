#include "cluster/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace brook::cluster {

Result<std::vector<std::vector<BrokerId>>> place_replicas(const std::map<BrokerId, BrokerInfo>& brokers,
                                                          std::int32_t first, std::int32_t count,
                                                          std::int32_t replication_factor,
                                                          std::uint64_t seed) {
  std::vector<BrokerId> ids;
  for (const auto& [id, broker] : brokers) ids.push_back(id);
  const std::size_t replicas = static_cast<std::size_t>(replication_factor);
  if (replication_factor < 1)
    return fail(ErrorCode::kInvalidReplicationFactor, "Replication factor must be larger than 0.");
  if (replicas > ids.size()) {
    return fail(ErrorCode::kInvalidReplicationFactor,
                fmt::format("Unable to replicate the partition {} time(s): The target replication factor of "
                            "{} cannot be reached because "
                            "only {} broker(s) are registered.",
                            replicas, replicas, ids.size()));
  }
  std::vector<std::vector<BrokerId>> placed;
  const std::size_t n = ids.size();
  for (std::int32_t i = 0; i < count; ++i) {
    const std::size_t partition = static_cast<std::size_t>(first + i);
    const std::size_t leader = (partition + seed % n) % n;
    std::vector<BrokerId> set = {ids[leader]};
    // Another distance in each round, so that one broker's partitions have their followers everywhere.
    const std::size_t shift = partition / n + (seed >> 32U) % n;
    for (std::size_t r = 1; r < replicas; ++r)
      set.push_back(ids[(leader + 1 + (shift + r - 1) % (n - 1)) % n]);
    placed.push_back(std::move(set));
  }
  return placed;
}

Result<void> check_replicas(const std::map<BrokerId, BrokerInfo>& brokers,
                            const std::vector<BrokerId>& replicas, std::size_t replication_factor) {
  const auto refuse = [](std::string why) {
    return fail(ErrorCode::kInvalidReplicaAssignment, std::move(why));
  };
  if (replicas.empty()) return refuse("The manual partition assignment includes an empty replica list.");
  std::set<BrokerId> seen;
  for (const BrokerId id : replicas) {
    if (!brokers.contains(id)) {
      return refuse(
          fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.",
                      id.value()));
    }
    if (!seen.insert(id).second) {
      return refuse(
          fmt::format("The manual partition assignment includes the broker {} more than once.", id.value()));
    }
  }
  if (replication_factor != 0 && replicas.size() != replication_factor) {
    return refuse(
        fmt::format("The manual partition assignment includes a partition with {} replica(s), but this is "
                    "not consistent with "
                    "previous partitions, which have {} replica(s).",
                    replicas.size(), replication_factor));
  }
  return {};
}

}  // namespace brook::cluster

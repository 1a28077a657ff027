#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/types.h"

/// What consumers of the classic protocol say to each other through JoinGroup and SyncGroup.
namespace brook::coordinator {

using NamedPartitions = std::map<std::string, std::set<std::int32_t>, std::less<>>;

/// ConsumerProtocolSubscription, all versions.
struct ConsumerSubscription {
  std::int16_t version = 0;
  std::vector<std::string> topics;
  NamedPartitions owned;            ///< from version 1
  std::optional<std::string> rack;  ///< from version 3
};
/// Nothing where the bytes are no subscription.
[[nodiscard]] std::optional<ConsumerSubscription> read_subscription(ByteView metadata);

/// ConsumerProtocolAssignment. No bytes are an assignment of nothing.
[[nodiscard]] std::optional<NamedPartitions> read_assignment(ByteView assignment);
/// Whether it carries something of its assignor's own. `assignment` has been read.
[[nodiscard]] bool has_user_data(ByteView assignment);
[[nodiscard]] protocol::Bytes write_assignment(std::int16_t version, const NamedPartitions& partitions);

}  // namespace brook::coordinator

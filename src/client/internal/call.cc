#include "client/internal/call.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace brook::client::internal {

std::int32_t wire_timeout(Cluster& cluster, runtime::Instant deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - cluster.shard().clock().now());
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(left.count(), 1, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace brook::client::internal

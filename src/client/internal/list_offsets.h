#pragma once

#include <vector>

#include "client/internal/cluster.h"
#include "client/offsets.h"
#include "runtime/task.h"

namespace brook::client::internal {

/// What Admin::list_offsets() says, for it and the consumer. The outcomes stand in the order of the queries.
[[nodiscard]] Task<std::vector<ListOffsetOutcome>> list_offsets(Cluster& cluster,
                                                                std::vector<OffsetQuery> queries,
                                                                IsolationLevel isolation,
                                                                runtime::Instant deadline);

}  // namespace brook::client::internal

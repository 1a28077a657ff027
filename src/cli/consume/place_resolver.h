#pragma once

#include <map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cli/consume/place.h"
#include "client/admin.h"
#include "runtime/task.h"

namespace brook::cli {

using PartitionOffsets = std::map<TopicPartition, Offset>;

/// Finds out what offset a place is in each of `partitions`, which it asks their leaders. An offset is taken
/// as it is; where no record is as late as a time, that is the end. `now` is the wall clock.
[[nodiscard]] Task<Result<PartitionOffsets>> resolve(client::Admin& admin,
                                                     std::vector<TopicPartition> partitions, Place place,
                                                     client::IsolationLevel isolation, Timestamp now);

}  // namespace brook::cli

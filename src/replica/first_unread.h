#pragma once

#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "replica/partition.h"
#include "runtime/task.h"

namespace brook::replica {

/// When the first record that a reader of committed records at `from` would get was written, as its batch
/// says: to the moment where it is its batch's first, else a little too early, by no more than the time that
/// the batch took to fill. Of a batch whose records share one time, that time. Nothing where there is no such
/// record below the last stable offset: markers and what was aborted are none. Only batches' headers are
/// read, and at most 16 of them: behind so many that are none, the last one's time is given.
/// Below the log's start, its first record is meant. Errors as Partition::read(). Runs on: its shard.
[[nodiscard]] Task<Result<std::optional<Timestamp>>> first_unread_time(std::shared_ptr<Partition> partition,
                                                                       Offset from);

}  // namespace brook::replica

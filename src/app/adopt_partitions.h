#pragma once

#include "base/result.h"
#include "cluster/mirror.h"
#include "keeper/client.h"
#include "replica/log_directories.h"
#include "runtime/shard.h"

namespace brook::app {

/// A data directory that Apache Kafka wrote knows its topics by their partition directories. Where the keeper
/// knows no topic at all, those that have a topic id are entered into it, with this broker as their leader in
/// an epoch above the log's last one.
[[nodiscard]] Task<Result<void>> adopt_partitions(runtime::Shard& shard, keeper::Client& client,
                                                  cluster::Mirror& mirror,
                                                  replica::LogDirectories& directories, BrokerId self);

}  // namespace brook::app

#pragma once

#include "broker/partition_router.h"

namespace brook::broker {

class SharePartitions;

/// Takes work to the share partitions of all shards; whoever runs it includes share_partitions.h.
using ShareRouter = LaneRouter<SharePartitions>;

}  // namespace brook::broker

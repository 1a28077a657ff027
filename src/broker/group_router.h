#pragma once

#include "broker/coordinator_router.h"
#include "coordinator/group_coordinator.h"

namespace brook::broker {

/// To groups, by their partition of __consumer_offsets.
using GroupRouter = CoordinatorRouter<coordinator::GroupCoordinator>;

}  // namespace brook::broker

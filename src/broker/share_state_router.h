#pragma once

#include "broker/coordinator_router.h"
#include "coordinator/share_state_coordinator.h"

namespace brook::broker {

/// To the states of share groups' partitions, by their partition of __share_group_state.
using ShareStateRouter = CoordinatorRouter<coordinator::ShareStateCoordinator>;

}  // namespace brook::broker

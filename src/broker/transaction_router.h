#pragma once

#include "broker/coordinator_router.h"
#include "coordinator/transaction_coordinator.h"

namespace brook::broker {

/// To transactional ids, by their partition of __transaction_state.
using TransactionRouter = CoordinatorRouter<coordinator::TransactionCoordinator>;

}  // namespace brook::broker

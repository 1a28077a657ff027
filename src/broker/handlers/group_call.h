#pragma once

#include "broker/group_router.h"
#include "broker/request_context.h"
#include "coordinator/classic_group.h"

namespace brook::broker {

/// What a group keeps of the client that a request comes from; the host as Java prints an address.
[[nodiscard]] inline coordinator::Caller caller_of(const RequestContext& context) {
  return {context.client_id.value_or(""), "/" + context.peer.host, context.version};
}

}  // namespace brook::broker

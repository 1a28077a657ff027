// InitializeShareGroupState: version 0. A share group's coordinator has states made before it gives their
// partitions to anybody.
#include "protocol/initialize_share_group_state.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"

namespace brook::broker {
namespace {

struct Initialize {
  using Request = protocol::InitializeShareGroupStateRequest;
  using Response = protocol::InitializeShareGroupStateResponse;
  using Value = void;

  static Task<Result<void>> call(coordinator::ShareStatePartition& states, coordinator::ShareKey key,
                                 Request::PartitionData asked) {
    return states.initialise(std::move(key), asked.state_epoch, offset_or_none(asked.start_offset));
  }
};

}  // namespace

std::unique_ptr<Handler> make_initialize_share_group_state_handler(ClusterView& view,
                                                                   ShareStateRouter& states) {
  return std::make_unique<ShareStateHandler<Initialize>>(view, states);
}

}  // namespace brook::broker

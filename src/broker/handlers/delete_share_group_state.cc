// DeleteShareGroupState: version 0. What is not there is deleted, too.
#include "protocol/delete_share_group_state.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"

namespace brook::broker {
namespace {

struct Delete {
  using Request = protocol::DeleteShareGroupStateRequest;
  using Response = protocol::DeleteShareGroupStateResponse;
  using Value = void;

  static Task<Result<void>> call(coordinator::ShareStatePartition& states, coordinator::ShareKey key,
                                 Request::PartitionData /*asked*/) {
    return states.erase(std::move(key));
  }
};

}  // namespace

std::unique_ptr<Handler> make_delete_share_group_state_handler(ClusterView& view, ShareStateRouter& states) {
  return std::make_unique<ShareStateHandler<Delete>>(view, states);
}

}  // namespace brook::broker

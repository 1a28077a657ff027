// ReadShareGroupState: version 0. A partition's leader reads what a share group knows of it, and fences the
// leaders before it.
#include "protocol/read_share_group_state.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"

namespace brook::broker {
namespace {

struct Read {
  using Request = protocol::ReadShareGroupStateRequest;
  using Response = protocol::ReadShareGroupStateResponse;
  using Value = coordinator::ShareState;

  static Task<Result<Value>> call(coordinator::ShareStatePartition& states, coordinator::ShareKey key,
                                  Request::PartitionData asked) {
    return states.read(std::move(key), number_or_none(asked.leader_epoch));
  }
  static void fill(const Value& state, Response::PartitionResult& answer) {
    answer.state_epoch = state.state_epoch;
    answer.start_offset = on_wire(state.start_offset);
    for (const coordinator::ShareStateBatch& batch : state.batches) {
      answer.state_batches.push_back(
          {batch.first.value(), batch.last.value(), batch.delivery_state, batch.delivery_count});
    }
  }
};

}  // namespace

std::unique_ptr<Handler> make_read_share_group_state_handler(ClusterView& view, ShareStateRouter& states) {
  return std::make_unique<ShareStateHandler<Read>>(view, states);
}

}  // namespace brook::broker

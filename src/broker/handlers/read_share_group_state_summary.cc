// ReadShareGroupStateSummary: versions 0 and 1; how many deliveries are complete from 1. It fences nobody.
#include "protocol/read_share_group_state_summary.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"

namespace brook::broker {
namespace {

struct Summarize {
  using Request = protocol::ReadShareGroupStateSummaryRequest;
  using Response = protocol::ReadShareGroupStateSummaryResponse;
  using Value = coordinator::ShareState;

  static Task<Result<Value>> call(coordinator::ShareStatePartition& states, coordinator::ShareKey key,
                                  Request::PartitionData /*asked*/) {
    return states.summarize(std::move(key));
  }
  static void fill(const Value& state, Response::PartitionResult& answer) {
    answer.state_epoch = state.state_epoch;
    answer.leader_epoch = state.leader_epoch;
    answer.start_offset = on_wire(state.start_offset);
    answer.delivery_complete_count = state.delivery_complete_count.value_or(-1);
  }
};

}  // namespace

std::unique_ptr<Handler> make_read_share_group_state_summary_handler(ClusterView& view,
                                                                     ShareStateRouter& states) {
  return std::make_unique<ShareStateHandler<Summarize>>(view, states);
}

}  // namespace brook::broker

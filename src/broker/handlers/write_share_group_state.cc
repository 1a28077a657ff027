// WriteShareGroupState: versions 0 and 1; how many deliveries are complete from 1.
#include "protocol/write_share_group_state.h"

#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"

namespace brook::broker {
namespace {

struct Write {
  using Request = protocol::WriteShareGroupStateRequest;
  using Response = protocol::WriteShareGroupStateResponse;
  using Value = void;

  static Task<Result<void>> call(coordinator::ShareStatePartition& states, coordinator::ShareKey key,
                                 Request::PartitionData asked) {
    coordinator::ShareStateUpdate update;
    update.state_epoch = asked.state_epoch;
    update.leader_epoch = asked.leader_epoch;
    update.start_offset = offset_or_none(asked.start_offset);
    update.delivery_complete_count = number_or_none(asked.delivery_complete_count);
    for (const auto& batch : asked.state_batches) {
      update.batches.push_back({Offset(batch.first_offset), Offset(batch.last_offset), batch.delivery_state,
                                batch.delivery_count});
    }
    return states.write(std::move(key), std::move(update));
  }
};

}  // namespace

std::unique_ptr<Handler> make_write_share_group_state_handler(ClusterView& view, ShareStateRouter& states) {
  return std::make_unique<ShareStateHandler<Write>>(view, states);
}

}  // namespace brook::broker

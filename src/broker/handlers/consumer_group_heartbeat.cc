// ConsumerGroupHeartbeat (KIP-848): versions 0 and 1; regular expressions, and member ids that the client
// makes (KIP-1082), from 1. It is all that a member of the consumer protocol sends: it joins with epoch 0,
// leaves with -1 (a static member for a while: -2), and hears of its assignment in the answer.
#include "protocol/consumer_group_heartbeat.h"
#include "broker/handlers/group_call.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

class ConsumerGroupHeartbeatHandler final
    : public TypedHandler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse> {
 public:
  ConsumerGroupHeartbeatHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<ConsumerGroupHeartbeatResponse> serve(const RequestContext& context,
                                             ConsumerGroupHeartbeatRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    ConsumerGroupHeartbeatResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto beat = [&](coordinator::GroupPartition& groups) {
      return groups.consumer_heartbeat(std::move(request), caller_of(context));
    };
    ConsumerGroupHeartbeatResponse response = co_await groups_.at(place, std::move(refused), beat);
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_consumer_group_heartbeat_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<ConsumerGroupHeartbeatHandler>(view, groups);
}

}  // namespace brook::broker

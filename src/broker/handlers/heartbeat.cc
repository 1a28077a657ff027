// Heartbeat: versions 0 to 4; static members from 3.
#include "protocol/heartbeat.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;

class HeartbeatHandler final : public TypedHandler<HeartbeatRequest, HeartbeatResponse> {
 public:
  HeartbeatHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<HeartbeatResponse> serve(const RequestContext& /*context*/, HeartbeatRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    const auto beat = [&](coordinator::GroupPartition& groups) {
      return groups.heartbeat(request.group_id, request.member_id, request.group_instance_id,
                              request.generation_id);
    };
    const ErrorCode code = co_await groups_.at(place, ErrorCode::kNotCoordinator, beat);
    HeartbeatResponse response;
    response.error_code = wire(code);
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_heartbeat_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<HeartbeatHandler>(view, groups);
}

}  // namespace brook::broker

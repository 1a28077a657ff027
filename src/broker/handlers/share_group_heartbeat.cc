// ShareGroupHeartbeat (KIP-932): version 1. It is all that a share group's member sends to its coordinator:
// it joins with epoch 0, leaves with -1, and hears of its partitions in the answer. The topic that keeps what
// share groups know of partitions is made with the first of them.
#include "protocol/share_group_heartbeat.h"

#include "broker/handlers/group_call.h"
#include "broker/handlers/handlers.h"
#include "broker/internal_topics.h"

namespace brook::broker {
namespace {

using protocol::ShareGroupHeartbeatRequest;
using protocol::ShareGroupHeartbeatResponse;

class ShareGroupHeartbeatHandler final
    : public TypedHandler<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse> {
 public:
  ShareGroupHeartbeatHandler(ClusterView& view, Administration& administration, GroupRouter& groups)
      : view_(view), administration_(administration), groups_(groups) {}

 private:
  Task<ShareGroupHeartbeatResponse> serve(const RequestContext& context,
                                          ShareGroupHeartbeatRequest request) override {
    co_await ensure_internal_topic(view_, administration_, coordinator::ShareStateCoordinator::kTopic);
    const auto place = groups_.place(*view_.image(), request.group_id);
    ShareGroupHeartbeatResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto beat = [&](coordinator::GroupPartition& groups) {
      return groups.share_heartbeat(std::move(request), caller_of(context));
    };
    ShareGroupHeartbeatResponse response = co_await groups_.at(place, std::move(refused), beat);
    co_return response;
  }

  ClusterView& view_;
  Administration& administration_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_share_group_heartbeat_handler(ClusterView& view, Administration& administration,
                                                            GroupRouter& groups) {
  return std::make_unique<ShareGroupHeartbeatHandler>(view, administration, groups);
}

}  // namespace brook::broker

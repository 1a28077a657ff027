// SyncGroup: versions 0 to 5; static members from 3, protocol type and name from 5. The leader brings the
// assignment, and everybody waits for theirs.
#include "protocol/sync_group.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

class SyncGroupHandler final : public WaitingHandler<SyncGroupRequest, SyncGroupResponse> {
 public:
  SyncGroupHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<void> serve(const RequestContext& /*context*/, const SyncGroupRequest& request,
                   SyncGroupResponse& response) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    const auto sync = [&](coordinator::GroupPartition& groups) { return groups.sync(request, response); };
    const bool ours = co_await groups_.reach(place, sync);
    if (!ours) response.error_code = wire(ErrorCode::kNotCoordinator);
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_sync_group_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<SyncGroupHandler>(view, groups);
}

}  // namespace brook::broker

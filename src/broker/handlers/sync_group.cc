// SyncGroup: versions 0 to 5; static members from 3, protocol type and name from 5. The leader brings the
// assignment, and everybody waits for theirs.
#include "protocol/sync_group.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

class SyncGroupHandler final : public TypedHandler<SyncGroupRequest, SyncGroupResponse> {
 public:
  SyncGroupHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<SyncGroupResponse> serve(const RequestContext& /*context*/, SyncGroupRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    SyncGroupResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto sync = [&](coordinator::GroupPartition& groups) { return groups.sync(std::move(request)); };
    SyncGroupResponse response = co_await groups_.at(place, std::move(refused), sync);
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_sync_group_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<SyncGroupHandler>(view, groups);
}

}  // namespace brook::broker

// LeaveGroup: versions 0 to 5; several members, static ones by their instance id, from 3, reasons from 5.
#include "protocol/leave_group.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using coordinator::ClassicGroup;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;

constexpr std::int16_t kFirstVersionWithSeveralMembers = 3;

class LeaveGroupHandler final : public TypedHandler<LeaveGroupRequest, LeaveGroupResponse> {
 public:
  LeaveGroupHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  using Codes = Result<std::vector<ErrorCode>>;

  Task<LeaveGroupResponse> serve(const RequestContext& context, LeaveGroupRequest request) override {
    const bool several = context.version >= kFirstVersionWithSeveralMembers;
    if (!several) request.members = {{.member_id = request.member_id, .group_instance_id = {}, .reason = {}}};
    std::vector<ClassicGroup::Leaver> leavers;
    for (const auto& member : request.members)
      leavers.push_back({member.member_id, member.group_instance_id, member.reason.value_or("")});
    const auto place = groups_.place(*view_.image(), request.group_id);
    const auto leave = [&](coordinator::GroupPartition& groups) {
      return groups.leave(request.group_id, std::move(leavers));
    };
    const Codes codes =
        co_await groups_.at(place, Codes(fail(ErrorCode::kNotCoordinator, "another broker has it")), leave);
    LeaveGroupResponse response;
    if (!codes) {
      response.error_code = wire(codes.error().code);
      co_return response;
    }
    if (!several) {
      response.error_code = wire(codes->front());
      co_return response;
    }
    for (std::size_t i = 0; i < request.members.size(); ++i) {
      const auto& member = request.members[i];
      response.members.push_back({member.member_id, member.group_instance_id, wire((*codes)[i])});
    }
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_leave_group_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<LeaveGroupHandler>(view, groups);
}

}  // namespace brook::broker

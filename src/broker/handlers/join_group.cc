// JoinGroup: versions 0 to 9; a rebalance timeout of its own from 1, new members get an id and come again
// from 4 (KIP-394), static members from 5, null protocol names from 7, the client's reason from 8, the
// leader may be told to keep its assignment from 9 (KIP-814). It waits until the generation is complete.
#include "protocol/join_group.h"
#include "broker/handlers/group_call.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

constexpr std::int16_t kFirstVersionWithNullProtocol = 7;

class JoinGroupHandler final : public WaitingHandler<JoinGroupRequest, JoinGroupResponse> {
 public:
  JoinGroupHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<void> serve(const RequestContext& context, const JoinGroupRequest& request,
                   JoinGroupResponse& response) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    const auto join = [&](coordinator::GroupPartition& groups) {
      return groups.join(request, caller_of(context), response);
    };
    const bool ours = co_await groups_.reach(place, join);
    if (!ours) {
      response.error_code = wire(ErrorCode::kNotCoordinator);
      response.member_id = request.member_id;
    }
    const bool named = response.protocol_name && !response.protocol_name->empty();
    if (context.version < kFirstVersionWithNullProtocol) {
      if (!named) response.protocol_name.emplace();
    } else if (!named) {
      response.protocol_name.reset();
    }
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_join_group_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<JoinGroupHandler>(view, groups);
}

}  // namespace brook::broker

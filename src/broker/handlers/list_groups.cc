// ListGroups: versions 0 to 5. No groups yet.
#include "protocol/list_groups.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

class ListGroupsHandler final
    : public TypedHandler<protocol::ListGroupsRequest, protocol::ListGroupsResponse> {
  Task<protocol::ListGroupsResponse> serve(const RequestContext& /*context*/,
                                           protocol::ListGroupsRequest /*request*/) override {
    co_return protocol::ListGroupsResponse{};
  }
};

}  // namespace

std::unique_ptr<Handler> make_list_groups_handler() { return std::make_unique<ListGroupsHandler>(); }

}  // namespace brook::broker

// ListGroups: versions 0 to 5; states and their filter from 4, types and theirs from 5.
#include "protocol/list_groups.h"

#include <utility>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

class ListGroupsHandler final : public TypedHandler<ListGroupsRequest, ListGroupsResponse> {
 public:
  explicit ListGroupsHandler(GroupRouter& groups) : groups_(groups) {}

 private:
  Task<ListGroupsResponse> serve(const RequestContext& /*context*/, ListGroupsRequest request) override {
    ListGroupsResponse response;
    const auto list = [&](coordinator::GroupCoordinator& groups) {
      return list_shard(groups, request, response);
    };
    co_await groups_.everywhere(list);
    // Half of the groups would be taken for all of them.
    if (response.error_code != 0) response.groups.clear();
    co_return response;
  }

  static Task<bool> list_shard(coordinator::GroupCoordinator& groups, const ListGroupsRequest& request,
                               ListGroupsResponse& response) {
    const auto partitions = groups.all();
    for (const auto& [index, partition] : partitions) {
      auto listed = co_await partition->list(request.states_filter, request.types_filter);
      if (!listed) {
        response.error_code = wire(listed.error().code);
        co_return false;
      }
      std::ranges::move(*listed, std::back_inserter(response.groups));
    }
    co_return true;
  }

  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_list_groups_handler(GroupRouter& groups) {
  return std::make_unique<ListGroupsHandler>(groups);
}

}  // namespace brook::broker

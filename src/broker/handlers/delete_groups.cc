// DeleteGroups: versions 0 to 2. A group with members stays.
#include "protocol/delete_groups.h"

#include <utility>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;

struct Item {
  std::string group;
  std::optional<GroupRouter::Place> place;
  ErrorCode code = ErrorCode::kNotCoordinator;
};

struct Work {
  Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
    if (groups == nullptr) co_return;
    item.code = co_await groups->delete_group(item.group);
  }
};

class DeleteGroupsHandler final : public TypedHandler<DeleteGroupsRequest, DeleteGroupsResponse> {
 public:
  DeleteGroupsHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<DeleteGroupsResponse> serve(const RequestContext& /*context*/, DeleteGroupsRequest request) override {
    std::vector<Item> items;
    for (std::string& group : request.groups_names) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*view_.image(), group);
      item.group = std::move(group);
    }
    const Work work;
    co_await groups_.run(items, work);
    DeleteGroupsResponse response;
    for (const Item& item : items) response.results.push_back({item.group, wire(item.code)});
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_delete_groups_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<DeleteGroupsHandler>(view, groups);
}

}  // namespace brook::broker

// DescribeGroups: versions 0 to 6; authorized operations from 3, static members from 4, and from 6 a group
// that does not exist is an error instead of a dead one.
#include "protocol/describe_groups.h"

#include <utility>

#include "broker/authorized_operations.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;

constexpr std::int16_t kFirstVersionWithNotFound = 6;

struct Item {
  std::string group;
  std::optional<GroupRouter::Place> place;
  Result<DescribeGroupsResponse::DescribedGroup> found =
      fail(ErrorCode::kNotCoordinator, "another broker coordinates it");
};

struct Work {
  Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
    if (groups == nullptr) co_return;
    item.found = co_await groups->describe(item.group);
  }
};

class DescribeGroupsHandler final : public TypedHandler<DescribeGroupsRequest, DescribeGroupsResponse> {
 public:
  DescribeGroupsHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<DescribeGroupsResponse> serve(const RequestContext& context, DescribeGroupsRequest request) override {
    std::vector<Item> items;
    for (std::string& group : request.groups) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*view_.image(), group);
      item.group = std::move(group);
    }
    const Work work;
    co_await groups_.run(items, work);
    DescribeGroupsResponse response;
    for (Item& item : items) {
      auto& out = response.groups.emplace_back();
      if (item.found) {
        out = *std::move(item.found);
        if (request.include_authorized_operations) out.authorized_operations = kAllGroupOperations;
        continue;
      }
      out.group_id = item.group;
      const Error& error = item.found.error();
      const bool missing = error.code == ErrorCode::kGroupIdNotFound;
      if (missing) out.group_state = "Dead";
      if (missing && context.version < kFirstVersionWithNotFound) continue;
      out.error_code = wire(error.code);
      if (context.version >= kFirstVersionWithNotFound) out.error_message = error.context;
    }
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_groups_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<DescribeGroupsHandler>(view, groups);
}

}  // namespace brook::broker

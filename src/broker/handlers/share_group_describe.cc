// ShareGroupDescribe (KIP-932): version 1. Only share groups are found here, and they not by the other APIs
// that describe groups.
#include "protocol/share_group_describe.h"

#include <utility>

#include "broker/authorized_operations.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::ShareGroupDescribeRequest;
using protocol::ShareGroupDescribeResponse;

struct Item {
  std::string group;
  std::optional<GroupRouter::Place> place;
  Result<ShareGroupDescribeResponse::DescribedGroup> found =
      fail(ErrorCode::kNotCoordinator, "another broker coordinates it");
};

struct Work {
  Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
    if (groups == nullptr) co_return;
    item.found = co_await groups->describe_share(item.group);
  }
};

class ShareGroupDescribeHandler final
    : public TypedHandler<ShareGroupDescribeRequest, ShareGroupDescribeResponse> {
 public:
  ShareGroupDescribeHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<ShareGroupDescribeResponse> serve(const RequestContext& /*context*/,
                                         ShareGroupDescribeRequest request) override {
    std::vector<Item> items;
    for (std::string& group : request.group_ids) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*view_.image(), group);
      item.group = std::move(group);
    }
    const Work work;
    co_await groups_.run(items, work);
    ShareGroupDescribeResponse response;
    for (Item& item : items) {
      auto& out = response.groups.emplace_back();
      if (item.found) {
        out = *std::move(item.found);
        if (request.include_authorized_operations) out.authorized_operations = kAllGroupOperations;
        continue;
      }
      out.group_id = item.group;
      out.error_code = wire(item.found.error().code);
      out.error_message = item.found.error().context;
    }
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_share_group_describe_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<ShareGroupDescribeHandler>(view, groups);
}

}  // namespace brook::broker

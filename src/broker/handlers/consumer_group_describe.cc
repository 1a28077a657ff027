// ConsumerGroupDescribe (KIP-848): versions 0 and 1; the kind of each member from 1. A classic group is not
// found here, and a consumer group not by DescribeGroups.
#include "protocol/consumer_group_describe.h"

#include <utility>

#include "broker/authorized_operations.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;

struct Item {
  std::string group;
  std::optional<GroupRouter::Place> place;
  Result<ConsumerGroupDescribeResponse::DescribedGroup> found =
      fail(ErrorCode::kNotCoordinator, "another broker coordinates it");
};

struct Work {
  Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
    if (groups == nullptr) co_return;
    item.found = co_await groups->describe_consumer(item.group);
  }
};

class ConsumerGroupDescribeHandler final
    : public TypedHandler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> {
 public:
  ConsumerGroupDescribeHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<ConsumerGroupDescribeResponse> serve(const RequestContext& /*context*/,
                                            ConsumerGroupDescribeRequest request) override {
    std::vector<Item> items;
    for (std::string& group : request.group_ids) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*view_.image(), group);
      item.group = std::move(group);
    }
    const Work work;
    co_await groups_.run(items, work);
    ConsumerGroupDescribeResponse response;
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

std::unique_ptr<Handler> make_consumer_group_describe_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<ConsumerGroupDescribeHandler>(view, groups);
}

}  // namespace brook::broker

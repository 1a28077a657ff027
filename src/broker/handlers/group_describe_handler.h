#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/authorized_operations.h"
#include "broker/cluster_view.h"
#include "broker/group_router.h"
#include "broker/handler.h"

namespace brook::broker {

/// The APIs that describe groups of one of the newer protocols: each group is asked of the shard that has its
/// coordinator, by `kDescribe`, a member function of GroupPartition. What is not found, or is a group of
/// another kind, has its error and message.
template <class Request, class Response, auto kDescribe>
class GroupDescribeHandler final : public TypedHandler<Request, Response> {
 public:
  GroupDescribeHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  struct Item {
    std::string group;
    std::optional<GroupRouter::Place> place;
    Result<typename Response::DescribedGroup> found =
        fail(ErrorCode::kNotCoordinator, "another broker coordinates it");
  };

  struct Work {
    Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
      if (groups == nullptr) co_return;
      item.found = co_await (groups->*kDescribe)(item.group);
    }
  };

  Task<Response> serve(const RequestContext& /*context*/, Request request) override {
    std::vector<Item> items;
    for (std::string& group : request.group_ids) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*view_.image(), group);
      item.group = std::move(group);
    }
    const Work work;
    co_await groups_.run(items, work);
    Response response;
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

}  // namespace brook::broker

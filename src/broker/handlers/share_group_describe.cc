// ShareGroupDescribe (KIP-932): version 1. Only share groups are found here, and they not by the other APIs
// that describe groups.
#include "protocol/share_group_describe.h"

#include "broker/handlers/group_describe_handler.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {

std::unique_ptr<Handler> make_share_group_describe_handler(ClusterView& view, GroupRouter& groups) {
  using ShareGroupDescribeHandler =
      GroupDescribeHandler<protocol::ShareGroupDescribeRequest, protocol::ShareGroupDescribeResponse,
                           &coordinator::GroupPartition::describe_share>;
  return std::make_unique<ShareGroupDescribeHandler>(view, groups);
}

}  // namespace brook::broker

// ConsumerGroupDescribe (KIP-848): versions 0 and 1; the kind of each member from 1. A classic group is not
// found here, and a consumer group not by DescribeGroups.
#include "protocol/consumer_group_describe.h"

#include "broker/handlers/group_describe_handler.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {

std::unique_ptr<Handler> make_consumer_group_describe_handler(ClusterView& view, GroupRouter& groups) {
  using ConsumerGroupDescribeHandler =
      GroupDescribeHandler<protocol::ConsumerGroupDescribeRequest, protocol::ConsumerGroupDescribeResponse,
                           &coordinator::GroupPartition::describe_consumer>;
  return std::make_unique<ConsumerGroupDescribeHandler>(view, groups);
}

}  // namespace brook::broker

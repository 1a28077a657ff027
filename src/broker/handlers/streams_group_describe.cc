// StreamsGroupDescribe (KIP-1071): version 0. Only streams groups are found here, and they not by the other
// APIs that describe groups.
#include "protocol/streams_group_describe.h"

#include "broker/handlers/group_describe_handler.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {

std::unique_ptr<Handler> make_streams_group_describe_handler(ClusterView& view, GroupRouter& groups) {
  using StreamsGroupDescribeHandler =
      GroupDescribeHandler<protocol::StreamsGroupDescribeRequest, protocol::StreamsGroupDescribeResponse,
                           &coordinator::GroupPartition::describe_streams>;
  return std::make_unique<StreamsGroupDescribeHandler>(view, groups);
}

}  // namespace brook::broker

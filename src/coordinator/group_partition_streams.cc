// Streams groups' requests.
#include <utility>

#include "coordinator/group_partition.h"

namespace brook::coordinator {

using protocol::StreamsGroupDescribeResponse;
using protocol::StreamsGroupHeartbeatRequest;

namespace {

StreamsHeartbeatAnswer refusal(const Error& why) {
  StreamsHeartbeatAnswer out;
  out.response.error_code = wire(why.code);
  if (!why.context.empty()) out.response.error_message = why.context;
  return out;
}

}  // namespace

Task<StreamsHeartbeatAnswer> GroupPartition::streams_heartbeat(StreamsGroupHeartbeatRequest request,
                                                               Caller caller) {
  if (const Result<void> serving = check_serving(request.group_id); !serving)
    co_return refusal(serving.error());
  Effects effects;
  auto answer = runtime_.machine().streams_heartbeat({request, caller}, runtime_.now(), effects);
  if (!answer) co_return refusal(answer.error());
  const Result<void> settled = co_await settle(std::move(effects));
  if (!settled) co_return refusal({told_of_append_error(settled.error().code), settled.error().context});
  co_return *std::move(answer);
}

Task<Result<StreamsGroupDescribeResponse::DescribedGroup>> GroupPartition::describe_streams(
    std::string group) {
  BROOK_CO_CHECK(check_serving(group));
  auto described = runtime_.machine().describe_streams(group);
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return described;
}

}  // namespace brook::coordinator

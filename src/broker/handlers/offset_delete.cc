// OffsetDelete: version 0 (KIP-496). Offsets of topics that the group's members read stay.
#include "protocol/offset_delete.h"

#include <utility>

#include "broker/asked_partitions.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;

class OffsetDeleteHandler final : public TypedHandler<OffsetDeleteRequest, OffsetDeleteResponse> {
 public:
  OffsetDeleteHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<OffsetDeleteResponse> serve(const RequestContext& /*context*/, OffsetDeleteRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    OffsetDeleteResponse unknown = set_unknown_aside<OffsetDeleteResponse>(*view_.image(), request);
    OffsetDeleteResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto remove = [&](coordinator::GroupPartition& groups) {
      return groups.delete_offsets(std::move(request));
    };
    OffsetDeleteResponse response = co_await groups_.at(place, std::move(refused), remove);
    if (response.error_code == 0) std::ranges::move(unknown.topics, std::back_inserter(response.topics));
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_offset_delete_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<OffsetDeleteHandler>(view, groups);
}

}  // namespace brook::broker

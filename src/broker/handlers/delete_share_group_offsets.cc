// DeleteShareGroupOffsets (KIP-932): version 0. What a share group without members knows of whole topics.
#include "protocol/delete_share_group_offsets.h"

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DeleteShareGroupOffsetsRequest;
using protocol::DeleteShareGroupOffsetsResponse;

class DeleteShareGroupOffsetsHandler final
    : public TypedHandler<DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse> {
 public:
  DeleteShareGroupOffsetsHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<DeleteShareGroupOffsetsResponse> serve(const RequestContext& /*context*/,
                                              DeleteShareGroupOffsetsRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    DeleteShareGroupOffsetsResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto erase = [&](coordinator::GroupPartition& groups) {
      return groups.delete_share_offsets(std::move(request));
    };
    DeleteShareGroupOffsetsResponse response = co_await groups_.at(place, std::move(refused), erase);
    co_return response;
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_delete_share_group_offsets_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<DeleteShareGroupOffsetsHandler>(view, groups);
}

}  // namespace brook::broker

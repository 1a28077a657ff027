// AlterShareGroupOffsets (KIP-932): version 0. Where a share group without members begins to read; what it
// knew of the partitions is forgotten. The group need not exist.
#include "protocol/alter_share_group_offsets.h"

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "broker/internal_topics.h"

namespace brook::broker {
namespace {

using protocol::AlterShareGroupOffsetsRequest;
using protocol::AlterShareGroupOffsetsResponse;

class AlterShareGroupOffsetsHandler final
    : public TypedHandler<AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse> {
 public:
  AlterShareGroupOffsetsHandler(ClusterView& view, Administration& administration, GroupRouter& groups)
      : view_(view), administration_(administration), groups_(groups) {}

 private:
  Task<AlterShareGroupOffsetsResponse> serve(const RequestContext& /*context*/,
                                             AlterShareGroupOffsetsRequest request) override {
    co_await ensure_internal_topic(view_, administration_, coordinator::ShareStateCoordinator::kTopic);
    const auto place = groups_.place(*view_.image(), request.group_id);
    AlterShareGroupOffsetsResponse refused;
    refused.error_code = wire(ErrorCode::kNotCoordinator);
    const auto alter = [&](coordinator::GroupPartition& groups) {
      return groups.alter_share_offsets(std::move(request));
    };
    AlterShareGroupOffsetsResponse response = co_await groups_.at(place, std::move(refused), alter);
    co_return response;
  }

  ClusterView& view_;
  Administration& administration_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_alter_share_group_offsets_handler(ClusterView& view,
                                                                Administration& administration,
                                                                GroupRouter& groups) {
  return std::make_unique<AlterShareGroupOffsetsHandler>(view, administration, groups);
}

}  // namespace brook::broker

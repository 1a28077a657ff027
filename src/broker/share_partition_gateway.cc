#include "broker/share_partition_gateway.h"

namespace brook::broker {

Task<Result<void>> SharePartitionGateway::check_member(std::string group, std::string member) {
  const auto check = [&](coordinator::GroupPartition& groups) {
    return groups.check_share_member(group, member);
  };
  const auto place = groups_.place(*view_.image(), group);
  const Result<void> refused = fail(ErrorCode::kNotCoordinator, "another broker coordinates the group");
  Result<void> found = co_await groups_.at(place, refused, check);
  co_return found;
}

}  // namespace brook::broker

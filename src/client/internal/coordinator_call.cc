// FindCoordinator 0 to 6 (1: of transactional ids, 4: several keys).
#include "client/internal/coordinator_call.h"

#include "client/internal/outcome.h"
#include "protocol/find_coordinator.h"

namespace brook::client::internal {
namespace {

constexpr std::int16_t kVersionWithKinds = 1;
constexpr std::int16_t kVersionWithKeys = 4;

ErrorCode code_of(const protocol::FindCoordinatorResponse& body) {
  const std::int16_t code =
      body.coordinators.empty() ? body.error_code : body.coordinators.front().error_code;
  return static_cast<ErrorCode>(code);
}

}  // namespace

Task<Result<BrokerId>> find_coordinator(Cluster& cluster, Coordinated kind, std::string id,
                                        runtime::Instant deadline) {
  const auto make = [kind, id](std::int16_t version) {
    protocol::FindCoordinatorRequest request;
    request.key_type = static_cast<std::int8_t>(kind);
    if (version >= kVersionWithKeys) {
      request.coordinator_keys = {id};
    } else {
      request.key = id;
    }
    return request;
  };
  VersionRange versions;
  if (kind != Coordinated::kGroup) versions.min = kVersionWithKinds;
  const std::string item = (kind == Coordinated::kGroup ? "group " : "transactional id ") + id;
  BROOK_CO_TRY(const auto answer, co_await ask<protocol::FindCoordinatorResponse>(
                                      cluster, AnyBroker(), make, deadline, versions, code_of));
  const protocol::FindCoordinatorResponse& body = answer.body;
  if (answer.version >= kVersionWithKeys) {
    if (body.coordinators.empty()) co_return unanswered(item);
    const auto& found = body.coordinators.front();
    BROOK_CO_CHECK(outcome(found.error_code, found.error_message, item));
    co_return BrokerId(found.node_id);
  }
  BROOK_CO_CHECK(outcome(body.error_code, body.error_message, item));
  co_return BrokerId(body.node_id);
}

}  // namespace brook::client::internal

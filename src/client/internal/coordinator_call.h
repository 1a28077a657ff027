#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "client/internal/call.h"
#include "client/internal/cluster.h"
#include "runtime/task.h"

/// Requests to the coordinator of a group or of a transactional id.
namespace brook::client::internal {

/// What is coordinated, as FindCoordinator's key type says.
enum class Coordinated : std::int8_t { kGroup = 0, kTransaction = 1 };

/// Asks any broker, again while none coordinates `id`, until `deadline`. GROUP_AUTHORIZATION_FAILED,
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
[[nodiscard]] Task<Result<BrokerId>> find_coordinator(Cluster& cluster, Coordinated kind, std::string id,
                                                      runtime::Instant deadline);

template <class Response>
struct CoordinatorAnswer {
  BrokerId coordinator;
  Answer<Response> answer;
};

/// ask(), of the coordinator of `id`, which is looked for before each try.
template <class Response, class Make, class Verdict>
Task<Result<CoordinatorAnswer<Response>>> ask_coordinator(Cluster& cluster, Coordinated kind, std::string id,
                                                          Make make, VersionRange versions, Verdict verdict) {
  const runtime::Instant deadline = cluster.operation_deadline();
  Backoff backoff = cluster.retry_backoff();
  for (;;) {
    BROOK_CO_TRY(const BrokerId coordinator, co_await find_coordinator(cluster, kind, id, deadline));
    const runtime::Instant try_deadline = cluster.try_deadline(deadline);
    Result<Answer<Response>> answer = std::unexpected(Error{});
    Result<BrokerLink*> link = co_await cluster.link(coordinator, try_deadline);
    if (link) {
      answer = co_await call<Response>(**link, make, try_deadline, versions);
    } else {
      answer = std::unexpected(std::move(link).error());
    }
    const ErrorCode code = answer ? verdict(answer->body) : answer.error().code;
    bool again = is_retriable(code);
    if (again) again = co_await cluster.rest(backoff.next(), deadline);
    if (again) continue;
    if (!answer) co_return std::unexpected(std::move(answer).error());
    co_return CoordinatorAnswer<Response>{coordinator, *std::move(answer)};
  }
}

}  // namespace brook::client::internal

#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "client/internal/broker_link.h"
#include "client/internal/cluster.h"
#include "protocol/api.h"
#include "protocol/headers.h"
#include "protocol/reader.h"
#include "runtime/task.h"

/// Requests by their generated types.
namespace brook::client::internal {

template <class Response>
struct Answer {
  Response body;
  std::int16_t version = 0;
  ReplyFrame frame;  ///< what the body's views point into
};

namespace internal_call {

template <class Make>
concept MakesByVersion = std::invocable<const Make&, std::int16_t>;

/// The request that `make` stands for: itself, or what it makes for the agreed version.
template <class Make>
auto made(const Make& make, std::int16_t version) {
  if constexpr (MakesByVersion<Make>) {
    return make(version);
  } else {
    return make;
  }
}

}  // namespace internal_call

/// The answer in a reply that was expected.
template <class Response>
Result<Answer<Response>> decode_reply(LinkReply reply) {
  protocol::Reader in(reply.frame->bytes());
  const protocol::ApiInfo& api = protocol::api_info(static_cast<protocol::ApiKey>(Response::kApiKey));
  BROOK_CHECK(protocol::decode_response_header(in, api, reply.version));
  BROOK_TRY(Response body, Response::decode(in, reply.version));
  return Answer<Response>{std::move(body), reply.version, std::move(reply.frame)};
}

/// The milliseconds until `deadline`, as requests carry the time that a broker may take.
[[nodiscard]] std::int32_t wire_timeout(Cluster& cluster, runtime::Instant deadline);

/// Sends one request over `link`, which stays until then, and waits for its answer. `make` is the request, or
/// a function from the agreed version to it. Error codes inside the answer are the caller's to look at.
template <class Response, class Make>
Task<Result<Answer<Response>>> call(BrokerLink& link, Make make, runtime::Instant deadline,
                                    VersionRange versions = {}) {
  LinkRequest request{.key = static_cast<protocol::ApiKey>(Response::kApiKey),
                      .versions = versions,
                      .deadline = deadline,
                      .expects_reply = true,
                      .encode = [make = std::move(make)](protocol::Writer& out, std::int16_t version) {
                        return internal_call::made(make, version).encode(out, version);
                      }};
  BROOK_CO_TRY(LinkReply reply, co_await link.exchange(std::move(request)));
  co_return decode_reply<Response>(std::move(reply));
}

/// One operation: asks the target, again while the request or, by `verdict`, its answer fails with a
/// retriable code, until `deadline`; then the last error or answer. What an error shows to be stale is
/// forgotten in between. `verdict` is (const Response&) → ErrorCode.
template <class Response, class Make, class Verdict>
Task<Result<Answer<Response>>> ask(Cluster& cluster, Target target, Make make, runtime::Instant deadline,
                                   VersionRange versions, Verdict verdict) {
  Backoff backoff = cluster.retry_backoff();
  for (;;) {
    const runtime::Instant try_deadline = cluster.try_deadline(deadline);
    Result<Answer<Response>> answer = std::unexpected(Error{});
    Result<BrokerLink*> link = co_await cluster.link(target, try_deadline);
    if (link) {
      answer = co_await call<Response>(**link, make, try_deadline, versions);
    } else {
      answer = std::unexpected(std::move(link).error());
    }
    const ErrorCode code = answer ? verdict(answer->body) : answer.error().code;
    if (!is_retriable(code)) co_return answer;
    cluster.mark_controller_stale();
    const bool again = co_await cluster.rest(backoff.next(), deadline);
    if (!again) co_return answer;
  }
}

}  // namespace brook::client::internal

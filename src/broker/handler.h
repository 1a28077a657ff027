#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "broker/broker_metrics.h"
#include "broker/reply.h"
#include "broker/request_context.h"
#include "broker/request_memory.h"
#include "protocol/headers.h"
#include "protocol/reader.h"
#include "runtime/task.h"

namespace brook::broker {

/// Answers one API on one shard. An Error closes the connection (the request cannot be read); what a client
/// can be told is in the response. No reply at all: Produce with acks=0.
class Handler {
 public:
  virtual ~Handler() = default;
  [[nodiscard]] virtual Task<Result<std::optional<Reply>>> handle(const RequestContext& context,
                                                                  ByteView body) = 0;
  /// Ends waits early: the broker stops.
  virtual void stop() {}
  /// None of its requests is in handle() any more.
  virtual void connection_closed(std::uint64_t connection) { (void)connection; }
};

/// Starts a frame: room for the length, then the response header.
[[nodiscard]] protocol::Writer begin_reply(const RequestContext& context);
/// Fills the length in.
void end_reply(protocol::Writer& out);

/// Decodes a request with more than kFreeElements array elements once there is memory for it. Nobody knows
/// their number before: it tries with more and more.
template <class Request>
[[nodiscard]] Task<Result<Request>> decode_large(const RequestContext& context, ByteView body) {
  const std::size_t most = context.memory->elements_max();
  std::size_t elements = kFreeElements;
  while (true) {
    elements = std::min(elements * 4, most);
    BROOK_CO_CHECK(co_await context.memory->grow_to(elements * kElementBytes));
    protocol::Reader in(body, elements);
    Result<Request> request = Request::decode(in, context.version);
    if (request || !in.has_too_many_elements()) co_return request;
    if (elements == most) co_return context.memory->refuse(std::move(request).error());
  }
}

/// Counts the errors in `response` by their names.
template <class Response>
void count_errors(const RequestContext& context, const Response& response) {
  if constexpr (requires(std::vector<std::int16_t>& into) { response.errors(into); }) {
    std::vector<std::int16_t> errors;
    response.errors(errors);
    for (const std::int16_t code : errors) context.metrics->count_error(context.api->key, code);
  }
}

/// Writes `response` behind its header. An Error is a bug of ours: a field that this version cannot carry.
template <class Response>
[[nodiscard]] Result<protocol::Writer> encode_reply(const RequestContext& context, const Response& response) {
  count_errors(context, response);
  protocol::Writer out = begin_reply(context);
  BROOK_CHECK(response.encode(out, context.version));
  end_reply(out);
  return out;
}

/// The same as a reply of its own.
template <class Response>
[[nodiscard]] Result<std::optional<Reply>> make_reply(const RequestContext& context,
                                                      const Response& response) {
  Reply reply;
  BROOK_TRY(reply.bytes, encode_reply(context, response));
  return std::optional<Reply>(std::move(reply));
}

/// A handler whose response is a message and nothing else. `context` lives until serve() has ended.
template <class Request, class Response>
class TypedHandler : public Handler {
 public:
  [[nodiscard]] Task<Result<std::optional<Reply>>> handle(const RequestContext& context,
                                                          ByteView body) final {
    protocol::Reader in(body, kFreeElements);
    Result<Request> request = Request::decode(in, context.version);
    if (!request && in.has_too_many_elements()) request = co_await decode_large<Request>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    if (const std::uint64_t bytes = reply_bytes(context, *request); bytes > kFreeReplyBytes) {
      BROOK_CO_CHECK(co_await context.memory->grow_for_reply(bytes));
    }
    const Response response = co_await serve(context, *std::move(request));
    co_return make_reply(context, response);
  }

 protected:
  /// About what the response holds, itself and encoded, where it does not grow with the request alone.
  [[nodiscard]] virtual std::uint64_t reply_bytes(const RequestContext& context,
                                                  const Request& request) const {
    (void)context, (void)request;
    return 0;
  }
  [[nodiscard]] virtual Task<Response> serve(const RequestContext& context, Request request) = 0;
};

/// The same for requests of which thousands wait at a time: request and response exist once, here, and
/// serve() works on them where they stand. They and `context` live until it has ended.
template <class Request, class Response>
class WaitingHandler : public Handler {
 public:
  [[nodiscard]] Task<Result<std::optional<Reply>>> handle(const RequestContext& context,
                                                          ByteView body) final {
    protocol::Reader in(body, kFreeElements);
    Result<Request> request = Request::decode(in, context.version);
    if (!request && in.has_too_many_elements()) request = co_await decode_large<Request>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    Response response;
    co_await serve(context, *request, response);
    co_return make_reply(context, response);
  }

 protected:
  [[nodiscard]] virtual Task<void> serve(const RequestContext& context, const Request& request,
                                         Response& response) = 0;
};

[[nodiscard]] constexpr std::int16_t wire(ErrorCode code) { return static_cast<std::int16_t>(code); }

}  // namespace brook::broker

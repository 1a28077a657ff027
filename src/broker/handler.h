#pragma once

#include <fmt/core.h>

#include <optional>

#include "base/result.h"
#include "broker/reply.h"
#include "broker/request_context.h"
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
};

/// Starts a frame: room for the length, then the response header.
[[nodiscard]] protocol::Writer begin_reply(const RequestContext& context);
/// Fills the length in.
void end_reply(protocol::Writer& out);

/// Writes `response` behind its header. An Error is a bug of ours: a field that this version cannot carry.
template <class Response>
[[nodiscard]] Result<protocol::Writer> encode_reply(const RequestContext& context, const Response& response) {
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
    protocol::Reader in(body);
    BROOK_CO_TRY(Request request, Request::decode(in, context.version));
    const Response response = co_await serve(context, std::move(request));
    co_return make_reply(context, response);
  }

 protected:
  [[nodiscard]] virtual Task<Response> serve(const RequestContext& context, Request request) = 0;
};

[[nodiscard]] constexpr std::int16_t wire(ErrorCode code) { return static_cast<std::int16_t>(code); }

}  // namespace brook::broker

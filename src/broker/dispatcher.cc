#include "broker/dispatcher.h"

#include <fmt/core.h>

#include "broker/request_memory.h"
#include "protocol/api_versions.h"
#include "protocol/headers.h"

namespace brook::broker {
namespace {

/// A reply that is on its way, with what it holds of the memory budget.
struct Sending {
  Reply reply;
  runtime::MemoryCharge charge;
};

/// Bytes between splices belong to the reply, which the parts keep alive.
net::Response to_response(Reply reply, runtime::MemoryCharge charge) {
  net::Response response;
  const auto sending = std::make_shared<const Sending>(std::move(reply), std::move(charge));
  const std::shared_ptr<const Reply> owner(sending, &sending->reply);
  const ByteView bytes = owner->bytes.bytes();
  std::size_t at = 0;
  for (const protocol::Splice& splice : owner->bytes.splices()) {
    if (splice.position > at)
      response.append(net::SharedBytes{owner, bytes.subspan(at, splice.position - at)});
    at = splice.position;
    for (const storage::FileRange& range : owner->ranges.at(splice.id)) {
      response.append(net::FileRange{range.file, range.offset, range.size});
    }
  }
  if (at < bytes.size()) response.append(net::SharedBytes{owner, bytes.subspan(at)});
  return response;
}

/// KIP-511: what a client newer than the broker needs to fall back.
Result<std::optional<Reply>> unsupported_api_versions(RequestContext& context,
                                                      const std::optional<Reply>& list) {
  protocol::Reader in(list->bytes.bytes().subspan(2 * sizeof(std::int32_t)));
  BROOK_TRY(protocol::ApiVersionsResponse response, protocol::ApiVersionsResponse::decode(in, 0));
  response.error_code = wire(ErrorCode::kUnsupportedVersion);
  return make_reply(context, response);
}

}  // namespace

void Dispatcher::stop() {
  for (const auto& [key, handler] : handlers_) handler->stop();
}

void Dispatcher::on_closed(net::ConnectionInfo& connection) {
  for (const auto& [key, handler] : handlers_) handler->connection_closed(connection.id);
}

Task<Result<std::optional<net::Response>>> Dispatcher::handle(net::ConnectionInfo& connection,
                                                              MutableBytes frame) {
  const runtime::Instant begun = shard_.clock().now();
  RequestContext context;
  const Result<ByteView> body = begin(connection, frame, context);
  if (!body) co_return std::unexpected(body.error());
  RequestMemory memory(shard_, budget_, metrics_, connection.closed);
  context.memory = &memory;
  Result<std::optional<Reply>> reply = co_await answer(context, *body);
  co_return end(context, memory, begun, std::move(reply));
}

Result<ByteView> Dispatcher::begin(const net::ConnectionInfo& connection, MutableBytes frame,
                                   RequestContext& context) {
  protocol::Reader in(frame);
  auto header = protocol::decode_request_header(in);
  if (!header) {
    metrics_.unreadable_requests.add();
    return std::unexpected(std::move(header).error());
  }
  context.api = protocol::find_api(header->request_api_key);
  context.version = header->request_api_version;
  context.correlation_id = header->correlation_id;
  context.client_id = std::move(header->client_id);
  context.connection = connection.id;
  context.listener = connection.listener;
  context.local = connection.local;
  context.peer = connection.peer;
  context.frame = frame;
  context.shard = &shard_;
  context.metrics = &metrics_;
  return in.rest();
}

Result<std::optional<net::Response>> Dispatcher::end(const RequestContext& context, RequestMemory& memory,
                                                     runtime::Instant begun,
                                                     Result<std::optional<Reply>> reply) {
  if (!reply) {
    if (reply.error().code == ErrorCode::kInvalidRequest ||
        reply.error().code == ErrorCode::kUnsupportedVersion) {
      metrics_.unreadable_requests.add();
    }
    return std::unexpected(std::move(reply).error());
  }
  if (context.api->is_advertised()) {
    const BrokerMetrics::Api& api = metrics_.api(context.api->key);
    api.requests->add();
    api.seconds->observe(std::chrono::duration<double>(shard_.clock().now() - begun).count());
  }
  if (!reply->has_value()) return std::optional<net::Response>();
  runtime::MemoryCharge charge = memory.take_for_reply((*reply)->bytes.size());
  return to_response(*std::move(*reply), std::move(charge));
}

Task<Result<std::optional<Reply>>> Dispatcher::answer(RequestContext& context, ByteView body) {
  const auto at = context.api == nullptr ? handlers_.end() : handlers_.find(context.api->key);
  Handler* handler = at == handlers_.end() ? nullptr : at->second.get();
  if (handler == nullptr || !context.api->has_version(context.version))
    return answer_unserved(context, handler);
  return handler->handle(context, body);
}

Task<Result<std::optional<Reply>>> Dispatcher::answer_unserved(RequestContext& context, Handler* handler) {
  if (handler == nullptr) {
    co_return fail(ErrorCode::kUnsupportedVersion,
                   fmt::format("API {} is not served",
                               context.api == nullptr ? "with an unknown key" : context.api->name));
  }
  if (context.api->key != protocol::ApiKey::kApiVersions) {
    co_return fail(ErrorCode::kUnsupportedVersion,
                   fmt::format("{} has no version {}", context.api->name, context.version));
  }
  context.version = 0;
  const Result<std::optional<Reply>> list = co_await handler->handle(context, {});
  if (!list) co_return std::unexpected(list.error());
  co_return unsupported_api_versions(context, *list);
}

}  // namespace brook::broker

#include "net/http_server.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"

namespace brook::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t kReadPiece = 4096;

using Parser = http::request_parser<http::string_body>;
using Reply = http::response<http::string_body>;

struct Incoming {
  HttpRequest request;
  unsigned version = 11;
  bool keep_alive = false;
  bool head = false;
};

Incoming take_request(Parser& parser) {
  auto message = parser.release();
  Incoming in;
  in.version = message.version();
  in.keep_alive = message.keep_alive();
  in.head = message.method() == http::verb::head;
  in.request.method = std::string(message.method_string());
  const std::string target(message.target());
  const std::size_t mark = target.find('?');
  in.request.path = target.substr(0, mark);
  if (mark != std::string::npos) in.request.query = target.substr(mark + 1);
  in.request.body = std::move(message.body());
  return in;
}

Reply make_reply(const HttpResponse& response, unsigned version, bool keep_alive, bool head) {
  Reply reply(http::int_to_status(response.status), version);
  if (reply.result() == http::status::unknown) reply.result(response.status);
  reply.set(http::field::content_type, response.content_type);
  reply.keep_alive(keep_alive);
  if (head) {
    reply.content_length(response.body.size());
  } else {
    reply.body() = response.body;
    reply.prepare_payload();
  }
  return reply;
}

Task<Result<void>> write_reply(runtime::Stream& stream, Reply& reply) {
  http::response_serializer<http::string_body> serializer(reply);
  while (!serializer.is_done()) {
    std::vector<ByteView> parts;
    std::size_t bytes = 0;
    beast::error_code error;
    serializer.next(error, [&parts, &bytes](beast::error_code&, const auto& buffers) {
      for (const auto buffer : beast::buffers_range_ref(buffers)) {
        parts.emplace_back(static_cast<const std::byte*>(buffer.data()), buffer.size());
        bytes += buffer.size();
      }
    });
    if (error) co_return fail(ErrorCode::kNetworkException, "cannot write a response: " + error.message());
    BROOK_CO_CHECK(co_await stream.write(parts));
    serializer.consume(bytes);
  }
  co_return Result<void>();
}

/// One request; nothing where the connection ended before the first byte of it.
Task<Result<std::optional<Incoming>>> read_request(runtime::Stream& stream, beast::flat_buffer& buffer,
                                                   const HttpServerOptions& options) {
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(options.header_bytes_max));
  parser.body_limit(options.body_bytes_max);
  while (!parser.is_done()) {
    beast::error_code error;
    if (buffer.size() > 0) {
      buffer.consume(parser.put(buffer.data(), error));
      if (error && error != http::error::need_more)
        co_return fail(ErrorCode::kInvalidRequest, error.message());
      if (parser.is_done()) break;
    }
    const auto room = buffer.prepare(kReadPiece);
    const Result<std::size_t> got =
        co_await stream.read_some({static_cast<std::byte*>(room.data()), room.size()});
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) {
      if (!parser.got_some() && buffer.size() == 0) co_return std::optional<Incoming>();
      co_return fail(ErrorCode::kNetworkException, "the request is cut short");
    }
    buffer.commit(*got);
  }
  co_return std::optional(take_request(parser));
}

}  // namespace

HttpServer::HttpServer(runtime::Shard& shard, HttpHandler handler, HttpServerOptions options)
    : shard_(shard), handler_(std::move(handler)), options_(options) {}

HttpServer::~HttpServer() = default;

Result<runtime::Address> HttpServer::listen(const runtime::Address& at) {
  BROOK_TRY(listener_, shard_.listen(at));
  gate_.spawn(accept_all());
  return listener_->local();
}

Task<void> HttpServer::stop() {
  stopping_ = true;
  if (listener_) listener_->close();
  for (runtime::Stream* stream : streams_) stream->close();
  co_await gate_.close();
}

Task<void> HttpServer::accept_all() {
  while (!stopping_) {
    Result<std::unique_ptr<runtime::PendingStream>> pending = co_await listener_->accept();
    if (!pending || stopping_) break;
    if (streams_.size() < options_.connections_max) gate_.spawn(serve(shard_.adopt(*std::move(pending))));
  }
}

Task<void> HttpServer::serve(std::unique_ptr<runtime::Stream> stream) {
  streams_.insert(stream.get());
  beast::flat_buffer buffer(options_.header_bytes_max + options_.body_bytes_max + kReadPiece);
  bool go_on = true;
  while (go_on && !stopping_) {
    const auto deadline = shard_.clock().call_at(shard_.clock().now() + options_.request_deadline,
                                                 [&closing = *stream] { closing.close(); });
    Result<std::optional<Incoming>> in = co_await read_request(*stream, buffer, options_);
    if (in && !*in) break;
    if (!in && in.error().code == ErrorCode::kNetworkException) break;
    HttpResponse answer{.status = 400, .body = in ? "" : in.error().context + "\n"};
    if (in) answer = co_await handler_(std::move((*in)->request));
    go_on = in && (*in)->keep_alive;
    const bool head = in && (*in)->head;
    Reply reply = make_reply(answer, in ? (*in)->version : 11U, go_on, head);
    const Result<void> written = co_await write_reply(*stream, reply);
    if (!written) break;
  }
  streams_.erase(stream.get());
}

}  // namespace brook::net

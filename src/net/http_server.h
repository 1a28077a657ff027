#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/result.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::net {

struct HttpRequest {
  std::string method;  ///< "GET"
  std::string path;    ///< "/metrics", not decoded
  std::string query;   ///< what follows '?', not decoded
  std::string body;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

struct HttpServerOptions {
  std::size_t header_bytes_max = 16UL * 1024;
  std::size_t body_bytes_max = 1024UL * 1024;
  std::size_t connections_max = 256;  ///< beyond it a connection is closed at once
  /// For one request, its answer, and the silence before the next.
  runtime::Duration request_deadline = std::chrono::seconds(30);
};

/// A small HTTP/1.1 server for the admin port: GET and its like, one request at a time on a connection, which
/// is kept alive. stop() before it dies. Runs on: one shard.
class HttpServer {
 public:
  /// `handler` answers every path; what it refers to outlives stop().
  HttpServer(runtime::Shard& shard, HttpHandler handler, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The address that it listens on; port 0 means any free one. Once.
  [[nodiscard]] Result<runtime::Address> listen(const runtime::Address& at);
  [[nodiscard]] Task<void> stop();

 private:
  Task<void> accept_all();
  Task<void> serve(std::unique_ptr<runtime::Stream> stream);

  runtime::Shard& shard_;
  HttpHandler handler_;
  const HttpServerOptions options_;
  std::unique_ptr<runtime::Listener> listener_;
  std::unordered_set<runtime::Stream*> streams_;
  bool stopping_ = false;
  runtime::Gate gate_;
};

}  // namespace brook::net

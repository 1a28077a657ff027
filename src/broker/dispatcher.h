#pragma once

#include <map>
#include <memory>

#include "broker/broker_metrics.h"
#include "broker/handler.h"
#include "net/frame_server.h"
#include "runtime/memory_budget.h"

namespace brook::broker {

/// Reads a request's header, finds its handler, and turns the reply into what the connection sends. One per
/// shard.
///
/// What closes the connection, as in Kafka: a header that cannot be read, an API or version that is not
/// served (but any version of ApiVersions is answered), a body that cannot be decoded. Runs on: its shard.
class Dispatcher final : public net::FrameHandler {
 public:
  /// All outlive it.
  Dispatcher(runtime::Shard& shard, BrokerMetrics& metrics, runtime::MemoryBudget& budget)
      : shard_(shard), metrics_(metrics), budget_(budget) {}

  void add(protocol::ApiKey key, std::unique_ptr<Handler> handler) { handlers_[key] = std::move(handler); }
  /// Ends long waits, so that connections can end.
  void stop();

  [[nodiscard]] Task<Result<std::optional<net::Response>>> handle(net::ConnectionInfo& connection,
                                                                  MutableBytes frame) override;
  void on_closed(net::ConnectionInfo& connection) override;

 private:
  // What comes before and after a handler, outside of the coroutine: what it holds is there as often as
  // requests wait.
  /// Reads the header into `context`; the body.
  [[nodiscard]] Result<ByteView> begin(const net::ConnectionInfo& connection, MutableBytes frame,
                                       RequestContext& context);
  [[nodiscard]] Result<std::optional<net::Response>> end(const RequestContext& context, RequestMemory& memory,
                                                         runtime::Instant begun,
                                                         Result<std::optional<Reply>> reply);
  [[nodiscard]] Task<Result<std::optional<Reply>>> answer(RequestContext& context, ByteView body);
  /// No `handler`, or not the version.
  [[nodiscard]] static Task<Result<std::optional<Reply>>> answer_unserved(RequestContext& context,
                                                                          Handler* handler);

  runtime::Shard& shard_;
  BrokerMetrics& metrics_;
  runtime::MemoryBudget& budget_;
  std::map<protocol::ApiKey, std::unique_ptr<Handler>> handlers_;
};

}  // namespace brook::broker

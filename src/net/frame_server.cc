#include "net/frame_server.h"

#include <algorithm>
#include <utility>

#include "net/internal/frame_connection.h"

namespace brook::net {
namespace {

/// Free read buffers that a shard keeps: 4 MiB, enough for what is busy in one turn of the loop.
constexpr std::size_t kFreeBuffersMax = 64;
/// How often stalled readers are looked for.
constexpr runtime::Duration kStalledCheck = std::chrono::seconds(1);

}  // namespace

FrameServerMetrics::FrameServerMetrics(MetricRegistry& registry)
    : connections(registry.gauge("brook_net_connections", "Open client connections.")),
      accepted(registry.counter("brook_net_accepted_total", "Connections accepted since the start.")),
      closed_idle(registry.counter("brook_net_closed_idle_total",
                                   "Connections closed after connections.max.idle.ms.")),
      closed_stalled(registry.counter(
          "brook_net_closed_stalled_total",
          "Connections closed because their unread answers held memory that others waited for.")),
      refused_frames(registry.counter(
          "brook_net_refused_frames_total",
          "Connections closed for a frame length below 0 or above socket.request.max.bytes.")),
      failed_requests(registry.counter("brook_net_failed_requests_total",
                                       "Connections closed for a request that cannot be read.")),
      budget_waits(registry.counter("brook_net_budget_waits_total",
                                    "Large requests that waited for the memory budget.")),
      requests(registry.counter("brook_net_requests_total", "Frames received.")),
      received_bytes(registry.counter("brook_net_received_bytes_total", "Bytes received from clients.")),
      sent_bytes(registry.counter("brook_net_sent_bytes_total", "Bytes sent to clients.")) {}

FrameServer::FrameServer(runtime::Shard& shard, FrameHandler& handler, runtime::MemoryBudget& budget,
                         FrameServerMetrics& metrics, FrameServerOptions options)
    : shard_(shard),
      handler_(handler),
      budget_(budget),
      metrics_(metrics),
      options_(options),
      stopped_(shard.clock()) {}

FrameServer::~FrameServer() = default;

void FrameServer::serve(std::unique_ptr<runtime::PendingStream> pending, std::uint64_t id,
                        std::string listener, std::move_only_function<void()> ended) {
  if (gate_.closed()) {
    ended();
    return;
  }
  if (!watching_) gate_.spawn(close_stalled());
  auto stream = shard_.adopt(std::move(pending));
  auto connection =
      std::make_unique<internal::FrameConnection>(*this, std::move(stream), id, std::move(listener));
  gate_.spawn(run(std::move(connection), std::move(ended)));
}

Task<void> FrameServer::run(std::unique_ptr<internal::FrameConnection> connection,
                            std::move_only_function<void()> ended) {
  const auto place = connections_.insert(connections_.end(), connection.get());
  metrics_.connections.add(1);
  metrics_.accepted.add();
  co_await connection->serve();
  connections_.erase(place);
  metrics_.connections.add(-1);
  connection.reset();
  ended();
}

Task<void> FrameServer::close_stalled() {
  watching_ = true;
  while (!stopping_) {
    [[maybe_unused]] const bool told =
        co_await stopped_.wait_until(shard_.clock().now() + std::min(kStalledCheck, options_.stalled_max));
    if (stopping_ || !budget_.is_waited_for()) continue;
    const runtime::Instant now = shard_.clock().now();
    for (internal::FrameConnection* connection : connections_) connection->close_if_stalled(now);
  }
}

Task<void> FrameServer::stop() {
  stopping_ = true;
  stopped_.notify_all();
  for (internal::FrameConnection* connection : connections_) connection->close();
  co_await gate_.close();
}

runtime::AlignedBuffer FrameServer::take_buffer() {
  ++buffers_in_use_;
  if (free_buffers_.empty()) return runtime::AlignedBuffer(kReadBufferSize);
  runtime::AlignedBuffer buffer = std::move(free_buffers_.back());
  free_buffers_.pop_back();
  return buffer;
}

void FrameServer::give_back(runtime::AlignedBuffer buffer) {
  --buffers_in_use_;
  if (free_buffers_.size() < kFreeBuffersMax) free_buffers_.push_back(std::move(buffer));
}

}  // namespace brook::net

#include "net/internal/frame_connection.h"

#include <utility>

#include "base/log.h"

namespace brook::net::internal {
namespace {

/// Response bytes that may wait for a slow reader before its next request does.
constexpr std::uint64_t kUnwrittenMax = 1024UL * 1024;
/// Of those, what is held in memory: one more answer may come on top, which its handler has an account of.
constexpr std::uint64_t kUnwrittenMemoryMax = 16UL * 1024;

}  // namespace

FrameConnection::FrameConnection(FrameServer& server, std::unique_ptr<runtime::Stream> stream,
                                 std::uint64_t id, std::string listener)
    : server_(server),
      stream_(std::move(stream)),
      closing_(server.shard_.clock()),
      writer_(server.shard_, *stream_,
              [this](const Result<std::uint64_t>& written) {
                if (written) {
                  server_.metrics_.sent_bytes.add(*written);
                  touch();
                } else if (!info_.closed) {
                  log::debug("connection_write_failed",
                             {{"peer", to_text(info_.peer)}, {"error", written.error().context}});
                  close();
                }
              }),
      reader_(server, *stream_, info_, closing_, [this] { touch(); }),
      has_read_ahead_(server.shard_.clock()) {
  info_.id = id;
  info_.listener = std::move(listener);
  info_.peer = stream_->peer();
  info_.local = stream_->local();
}

FrameConnection::~FrameConnection() = default;

Task<void> FrameConnection::serve() {
  touch();
  watch_idle(last_activity_);
  Next next = Next::kGoOn;
  while (next == Next::kGoOn && !info_.closed) {
    next = co_await reader_.fill(FrameReader::Room::kWaitedFor);
    while (next == Next::kGoOn && !info_.closed && reader_.has_frame()) {
      Frame frame = reader_.take();
      if (frame.stands_alone()) {
        next = co_await handle_and_read(std::move(frame));
      } else {
        next = co_await handle_one(frame.bytes);
      }
    }
  }
  co_await writer_.close();  // What was answered goes out, if the idle deadline lets it.
  close();                   // What is being read ahead is of no use any more.
  co_await gate_.close();
  reader_.release_buffer();
  idle_timer_.reset();
  server_.handler_.on_closed(info_);
}

void FrameConnection::close() {
  if (info_.closed) return;
  info_.closed = true;
  stream_->close();
  writer_.fail();
  closing_.notify_all();
}

Task<FrameConnection::Next> FrameConnection::handle_and_read(Frame frame) {
  reading_ahead_ = true;
  gate_.spawn(read_ahead());
  const Next handled = co_await handle_one(frame.bytes);
  frame = {};
  if (handled == Next::kEnd) co_return Next::kEnd;
  while (reading_ahead_) (void)co_await has_read_ahead_.wait_until(runtime::Instant::max());
  co_return read_ahead_;
}

Task<void> FrameConnection::read_ahead() {
  read_ahead_ = co_await reader_.fill(FrameReader::Room::kAtOnce);
  reading_ahead_ = false;
  has_read_ahead_.notify_all();
}

Task<FrameConnection::Next> FrameConnection::handle_one(MutableBytes frame) {
  if (!writer_.is_below(kUnwrittenMax, kUnwrittenMemoryMax))
    co_await writer_.wait_below(kUnwrittenMax, kUnwrittenMemoryMax);
  if (info_.closed) co_return Next::kEnd;
  server_.metrics_.requests.add();
  processing_ = true;
  Result<std::optional<Response>> response = co_await server_.handler_.handle(info_, frame);
  processing_ = false;
  touch();
  co_return answer(std::move(response), frame.size());
}

FrameConnection::Next FrameConnection::answer(Result<std::optional<Response>> response,
                                              std::size_t request_bytes) {
  if (!response) {
    server_.metrics_.failed_requests.add();
    log::warn("request_failed", {{"peer", to_text(info_.peer)},
                                 {"listener", info_.listener},
                                 {"bytes", request_bytes},
                                 {"error", response.error().context}});
    return Next::kEnd;
  }
  if (info_.closed) return Next::kEnd;
  if (*response) writer_.enqueue(**std::move(response));
  return Next::kGoOn;
}

void FrameConnection::watch_idle(runtime::Instant from) {
  // One timer, looked at when it fires: a busy connection does not set it anew for each request.
  idle_timer_ = server_.shard_.clock().call_at(from + server_.options_.idle_max, [this] { check_idle(); });
}

void FrameConnection::close_if_stalled(runtime::Instant now) {
  if (info_.closed || writer_.idle() || now - last_activity_ < server_.options_.stalled_max) return;
  server_.metrics_.closed_stalled.add();
  log::warn("reader_stalled", {{"peer", to_text(info_.peer)},
                               {"listener", info_.listener},
                               {"why", "others wait for the memory that its unread answers hold"}});
  close();
}

void FrameConnection::check_idle() {
  const runtime::Instant now = server_.shard_.clock().now();
  const bool working =
      processing_ && writer_.idle();  // A request may take long; a reader that takes nothing may not.
  if (working || now - last_activity_ < server_.options_.idle_max) {
    watch_idle(working ? now : last_activity_);
    return;
  }
  server_.metrics_.closed_idle.add();
  log::info(
      "connection_idle",
      {{"peer", to_text(info_.peer)}, {"listener", info_.listener}, {"partial_bytes", reader_.buffered()}});
  close();
}

}  // namespace brook::net::internal

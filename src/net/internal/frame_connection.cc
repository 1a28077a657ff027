#include "net/internal/frame_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <utility>

#include "base/log.h"

namespace brook::net::internal {
namespace {

constexpr std::size_t kPrefixSize = Response::kPrefixSize;
/// Response bytes that may wait for a slow reader before its next request does.
constexpr std::uint64_t kUnwrittenMax = 1024UL * 1024;
/// Of those, what is held in memory: one more answer may come on top, which its handler has an account of.
constexpr std::uint64_t kUnwrittenMemoryMax = 16UL * 1024;
/// A lone frame up to this size is copied out, so that a long wait (fetch, join) does not hold the read
/// buffer.
constexpr std::size_t kCopiedFrameMax = 2048;
/// How often a connection asks again for the budget.
constexpr auto kBudgetRetry = std::chrono::milliseconds(10);

std::string to_text(const runtime::Address& address) {
  return fmt::format("{}:{}", address.host, address.port);
}

/// Lets the other work of the loop go first.
struct NextTurn {
  runtime::Shard& shard;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) const {
    shard.post([awaiter] { awaiter.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace

FrameConnection::FrameConnection(FrameServer& server, std::unique_ptr<runtime::Stream> stream,
                                 std::uint64_t id, std::string listener)
    : server_(server),
      stream_(std::move(stream)),
      closing_(server.shard_.clock()),
      writer_(server.shard_, *stream_, [this](const Result<std::uint64_t>& written) {
        if (written) {
          server_.metrics_.sent_bytes.add(*written);
          touch();
        } else if (!info_.closed) {
          log::debug("connection_write_failed",
                     {{"peer", to_text(info_.peer)}, {"error", written.error().context}});
          close();
        }
      }) {
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
    next = co_await read_more();
    if (next == Next::kGoOn) next = co_await handle_buffered();
  }
  release_buffer();
  co_await writer_.close();  // What was answered goes out, if the idle deadline lets it.
  info_.closed = true;
  stream_->close();
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

Task<FrameConnection::Next> FrameConnection::read_more() {
  if (read_was_full_) {
    co_await NextTurn{server_.shard_};
  } else {
    if (buffered() == 0) release_buffer();
    const Result<void> readable = co_await stream_->wait_readable();
    if (!readable) co_return Next::kEnd;
  }
  if (info_.closed) co_return Next::kEnd;
  const Next room_made = co_await make_room();
  if (room_made == Next::kEnd) co_return Next::kEnd;

  MutableBytes room = buffer_.bytes().subspan(end_);
  // A large frame's own buffer takes that frame and nothing of the next.
  if (charged_ > 0) room = room.first(kPrefixSize + static_cast<std::size_t>(*next_length()) - end_);
  const Result<std::size_t> got = co_await stream_->read_some(room);
  if (!got) {
    if (!info_.closed)
      log::debug("connection_read_failed", {{"peer", to_text(info_.peer)}, {"error", got.error().context}});
    co_return Next::kEnd;
  }
  if (*got == 0) co_return Next::kEnd;
  read_was_full_ = *got == room.size();
  end_ += *got;
  server_.metrics_.received_bytes.add(*got);
  touch();
  co_return Next::kGoOn;
}

Task<FrameConnection::Next> FrameConnection::make_room() {
  if (buffer_.empty()) {
    buffer_ = server_.take_buffer();
    co_return Next::kGoOn;
  }
  compact();
  const std::optional<std::int32_t> length = next_length();
  const std::size_t needed = length ? kPrefixSize + static_cast<std::size_t>(*length) : kPrefixSize;
  if (needed <= buffer_.size()) co_return Next::kGoOn;

  if (!server_.budget_.try_charge(needed)) {
    server_.metrics_.budget_waits.add();
    const runtime::BudgetWait waiting(server_.budget_);
    bool granted = false;
    while (!granted) {
      (void)co_await closing_.wait_until(server_.shard_.clock().now() + kBudgetRetry);
      if (info_.closed) co_return Next::kEnd;
      touch();  // The wait is ours, not the client's.
      granted = server_.budget_.try_charge(needed);
    }
  }
  runtime::AlignedBuffer large(needed);
  copy_bytes(large.bytes(), buffer_.bytes().first(end_));
  server_.give_back(std::exchange(buffer_, std::move(large)));
  charged_ = needed;
  co_return Next::kGoOn;
}

Task<FrameConnection::Next> FrameConnection::handle_buffered() {
  while (!info_.closed) {
    const std::optional<std::int32_t> length = next_length();
    if (!length) break;
    if (!acceptable(*length)) co_return Next::kEnd;
    const auto size = static_cast<std::size_t>(*length);
    if (buffered() < kPrefixSize + size) break;

    const MutableBytes frame = buffer_.bytes().subspan(begin_ + kPrefixSize, size);
    begin_ += kPrefixSize + size;
    std::vector<std::byte> copy;
    const bool lone = buffered() == 0 && size <= kCopiedFrameMax;
    if (lone) {
      copy.assign(frame.begin(), frame.end());
      release_buffer();
    }
    const Next next = co_await handle_one(lone ? MutableBytes(copy) : frame);
    if (next == Next::kEnd) co_return Next::kEnd;
    if (charged_ > 0) release_buffer();
  }
  co_return Next::kGoOn;
}

Task<FrameConnection::Next> FrameConnection::handle_one(MutableBytes frame) {
  co_await writer_.wait_below(kUnwrittenMax, kUnwrittenMemoryMax);
  if (info_.closed) co_return Next::kEnd;
  server_.metrics_.requests.add();
  processing_ = true;
  Result<std::optional<Response>> response = co_await server_.handler_.handle(info_, frame);
  processing_ = false;
  touch();
  if (!response) {
    server_.metrics_.failed_requests.add();
    log::warn("request_failed", {{"peer", to_text(info_.peer)},
                                 {"listener", info_.listener},
                                 {"bytes", frame.size()},
                                 {"error", response.error().context}});
    co_return Next::kEnd;
  }
  if (info_.closed) co_return Next::kEnd;
  if (*response) writer_.enqueue(**std::move(response));
  co_return Next::kGoOn;
}

std::optional<std::int32_t> FrameConnection::next_length() const {
  if (buffered() < kPrefixSize) return std::nullopt;
  return load_be<std::int32_t>(buffer_.data() + begin_);
}

bool FrameConnection::acceptable(std::int32_t length) {
  if (length >= 0 && static_cast<std::size_t>(length) <= server_.options_.request_bytes_max) return true;
  server_.metrics_.refused_frames.add();
  log::warn("frame_refused", {{"peer", to_text(info_.peer)},
                              {"listener", info_.listener},
                              {"bytes", length},
                              {"bytes_max", server_.options_.request_bytes_max}});
  return false;
}

void FrameConnection::compact() {
  if (begin_ == 0) return;
  // Moves towards the front: the ranges may overlap, which copy() allows in this direction.
  std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
  end_ = buffered();
  begin_ = 0;
}

void FrameConnection::release_buffer() {
  if (charged_ > 0) {
    buffer_ = {};
    server_.budget_.release(std::exchange(charged_, 0));
  } else if (!buffer_.empty()) {
    server_.give_back(std::exchange(buffer_, {}));
  }
  begin_ = end_ = 0;
  read_was_full_ = false;
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
  log::info("connection_idle",
            {{"peer", to_text(info_.peer)}, {"listener", info_.listener}, {"partial_bytes", buffered()}});
  close();
}

}  // namespace brook::net::internal

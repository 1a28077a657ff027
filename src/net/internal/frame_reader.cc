#include "net/internal/frame_reader.h"

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <utility>

#include "base/log.h"

namespace brook::net::internal {
namespace {

constexpr std::size_t kPrefixSize = Response::kPrefixSize;
/// A lone frame up to this size is copied out, so that a long wait (fetch, join) does not hold the read
/// buffer.
constexpr std::size_t kCopiedFrameMax = 2048;
/// How often a connection asks again for the budget.
constexpr auto kBudgetRetry = std::chrono::milliseconds(10);

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

FrameReader::FrameReader(FrameServer& server, runtime::Stream& stream, const ConnectionInfo& info,
                         runtime::Signal& closing, std::function<void()> touch)
    : server_(server),
      stream_(stream),
      info_(info),
      closing_(closing),
      touch_(std::move(touch)),
      charge_(server.budget_) {}

bool FrameReader::has_frame() const { return acceptable() && next_length() && buffered() >= next_size(); }

Task<FrameReader::Next> FrameReader::fill(Room room) {
  Next next = acceptable() ? Next::kGoOn : refuse();
  while (next == Next::kGoOn && !has_frame()) {
    if (read_was_full_) {
      co_await NextTurn{server_.shard_};
    } else {
      if (buffered() == 0) release_buffer();
      const bool open = co_await stream_.wait_readable();
      if (!open) co_return Next::kEnd;
    }
    if (info_.closed) co_return Next::kEnd;
    if (room == Room::kAtOnce && (server_.budget_.is_waited_for() || !make_room())) co_return Next::kGoOn;
    if (room == Room::kWaitedFor && !make_room()) next = co_await wait_for_room();
    if (next == Next::kGoOn) next = read_some();
  }
  co_return next;
}

Frame FrameReader::take() {
  const std::size_t size = next_size() - kPrefixSize;
  Frame frame;
  frame.bytes = buffer_.bytes().subspan(begin_ + kPrefixSize, size);
  begin_ += kPrefixSize + size;
  if (charge_.bytes() > 0) {
    frame.large = std::exchange(buffer_, {});
    frame.charge = std::exchange(charge_, runtime::MemoryCharge(server_.budget_));
    release_buffer();
  } else if (buffered() == 0 && size <= kCopiedFrameMax) {
    frame.copy.assign(frame.bytes.begin(), frame.bytes.end());
    frame.bytes = frame.copy;
    release_buffer();
  }
  return frame;
}

FrameReader::Next FrameReader::read_some() {
  MutableBytes room = buffer_.bytes().subspan(end_);
  // A large frame's own buffer takes that frame and nothing of the next.
  if (charge_.bytes() > 0) room = room.first(next_size() - end_);
  const Result<std::optional<std::size_t>> got = stream_.read_now(room);
  if (!got) {
    if (!info_.closed)
      log::debug("connection_read_failed", {{"peer", to_text(info_.peer)}, {"error", got.error().context}});
    return Next::kEnd;
  }
  const std::size_t size = got->value_or(0);
  if (*got && size == 0) return Next::kEnd;
  read_was_full_ = size == room.size();
  end_ += size;
  server_.metrics_.received_bytes.add(size);
  touch_();
  return acceptable() ? Next::kGoOn : refuse();
}

bool FrameReader::make_room() {
  if (buffer_.empty()) {
    buffer_ = server_.take_buffer();
    return true;
  }
  compact();
  const std::size_t needed = next_size();
  if (needed <= buffer_.size()) return true;
  if (!charge_.try_grow_to(needed)) return false;
  runtime::AlignedBuffer large(needed);
  copy_bytes(large.bytes(), buffer_.bytes().first(end_));
  server_.give_back(std::exchange(buffer_, std::move(large)));
  return true;
}

Task<FrameReader::Next> FrameReader::wait_for_room() {
  server_.metrics_.budget_waits.add();
  const runtime::BudgetWait waiting(server_.budget_);
  while (!make_room()) {
    (void)co_await closing_.wait_until(server_.shard_.clock().now() + kBudgetRetry);
    if (info_.closed) co_return Next::kEnd;
    touch_();  // The wait is ours, not the client's.
  }
  co_return Next::kGoOn;
}

std::optional<std::int32_t> FrameReader::next_length() const {
  if (buffered() < kPrefixSize) return std::nullopt;
  return load_be<std::int32_t>(buffer_.data() + begin_);
}

std::size_t FrameReader::next_size() const {
  const std::optional<std::int32_t> length = next_length();
  return length ? kPrefixSize + static_cast<std::size_t>(*length) : kPrefixSize;
}

bool FrameReader::acceptable() const {
  const std::optional<std::int32_t> length = next_length();
  if (!length) return true;
  return *length >= 0 && static_cast<std::size_t>(*length) <= server_.options_.request_bytes_max;
}

FrameReader::Next FrameReader::refuse() {
  server_.metrics_.refused_frames.add();
  log::warn("frame_refused", {{"peer", to_text(info_.peer)},
                              {"listener", info_.listener},
                              {"bytes", *next_length()},
                              {"bytes_max", server_.options_.request_bytes_max}});
  return Next::kEnd;
}

void FrameReader::compact() {
  if (begin_ == 0) return;
  // Moves towards the front: the ranges may overlap, which copy() allows in this direction.
  std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
  end_ = buffered();
  begin_ = 0;
}

void FrameReader::release_buffer() {
  if (charge_.bytes() > 0) {
    buffer_ = {};
    charge_ = runtime::MemoryCharge(server_.budget_);
  } else if (!buffer_.empty()) {
    server_.give_back(std::exchange(buffer_, {}));
  }
  begin_ = end_ = 0;
  read_was_full_ = false;
}

}  // namespace brook::net::internal

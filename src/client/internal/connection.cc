#include "client/internal/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace brook::client::internal {
namespace {

constexpr std::size_t kPrefixSize = 4;
constexpr std::size_t kCorrelationIdSize = 4;
constexpr std::size_t kReadBufferSize = std::size_t{64} << 10U;
/// Frames of one gathered write.
constexpr std::size_t kFramesPerWrite = 64;

runtime::AlignedBuffer copy_of(ByteView bytes) {
  runtime::AlignedBuffer copy(bytes.size());
  copy_bytes(copy.bytes(), bytes);
  return copy;
}

}  // namespace

Connection::Connection(runtime::Shard& shard, std::unique_ptr<runtime::Stream> stream,
                       std::size_t response_bytes_max)
    : shard_(shard),
      stream_(std::move(stream)),
      response_bytes_max_(response_bytes_max),
      peer_(runtime::to_text(stream_->peer())) {}

Task<Error> Connection::serve() {
  const Error why = co_await read_all();
  close(why);
  co_await gate_.close();
  co_return *closed_;
}

void Connection::close(Error why) {
  if (closed_) return;
  closed_ = std::move(why);
  stream_->close();
  for (const auto& pending : std::exchange(awaiting_, {})) pending->resolve(std::unexpected(*closed_));
  for (const auto& outgoing : std::exchange(unsent_, {})) {
    if (outgoing.resolve_when_written) outgoing.resolve_when_written->resolve(std::unexpected(*closed_));
  }
}

Task<Result<ReplyFrame>> Connection::exchange(protocol::Writer frame, std::int32_t correlation_id,
                                              runtime::Instant deadline) {
  if (closed_) co_return std::unexpected(*closed_);
  auto pending = std::make_shared<Pending>(shard_.clock(), correlation_id);
  awaiting_.push_back(pending);
  enqueue({std::move(frame), nullptr});
  Result<ReplyFrame> reply = co_await wait_for(std::move(pending), deadline);
  co_return reply;
}

Task<Result<ReplyFrame>> Connection::send_only(protocol::Writer frame, runtime::Instant deadline) {
  if (closed_) co_return std::unexpected(*closed_);
  auto pending = std::make_shared<Pending>(shard_.clock(), -1);
  enqueue({std::move(frame), pending});
  Result<ReplyFrame> written = co_await wait_for(std::move(pending), deadline);
  co_return written;
}

Task<Result<ReplyFrame>> Connection::wait_for(std::shared_ptr<Pending> pending, runtime::Instant deadline) {
  (void)co_await pending->done.wait_until(deadline);
  if (!pending->outcome) {
    close({ErrorCode::kNetworkException,
           fmt::format("the connection to {} was given up, for it did not answer in time", peer_)});
    co_return fail(ErrorCode::kRequestTimedOut, fmt::format("{} did not answer in time", peer_));
  }
  co_return std::move(*pending->outcome);
}

void Connection::enqueue(Outgoing outgoing) {
  unsent_.push_back(std::move(outgoing));
  if (std::exchange(writing_, true)) return;
  gate_.spawn(write_all());
}

Task<void> Connection::write_all() {
  // In the next turn: what others send in this one goes along.
  co_await shard_.clock().sleep_until(runtime::Instant::min());
  while (!unsent_.empty() && !closed_) {
    std::vector<Outgoing> batch;
    std::vector<ByteView> parts;
    while (!unsent_.empty() && batch.size() < kFramesPerWrite) {
      batch.push_back(std::move(unsent_.front()));
      unsent_.pop_front();
    }
    for (const Outgoing& outgoing : batch) parts.push_back(outgoing.frame.bytes());
    const Result<void> written = co_await stream_->write(parts);
    if (!written) close(written.error());
    for (const Outgoing& outgoing : batch) {
      if (!outgoing.resolve_when_written) continue;
      if (written) {
        outgoing.resolve_when_written->resolve(ReplyFrame());
      } else {
        outgoing.resolve_when_written->resolve(std::unexpected(written.error()));
      }
    }
  }
  writing_ = false;
}

Task<Error> Connection::read_all() {
  const runtime::AlignedBuffer buffer(kReadBufferSize);
  std::size_t filled = 0;
  runtime::AlignedBuffer large;  // The frame in progress where the buffer is too small for it.
  std::size_t large_filled = 0;
  for (;;) {
    const bool into_large = !large.empty();
    const MutableBytes room =
        into_large ? large.bytes().subspan(large_filled) : buffer.bytes().subspan(filled);
    const Result<std::size_t> got = co_await stream_->read_some(room);
    if (closed_) co_return *closed_;
    if (!got) co_return got.error();
    if (*got == 0) {
      co_return Error{ErrorCode::kNetworkException, fmt::format("{} closed the connection", peer_)};
    }
    if (into_large) {
      large_filled += *got;
      if (large_filled < large.size()) continue;
      const Result<void> delivered = deliver(std::exchange(large, {}));
      if (!delivered) co_return delivered.error();
      continue;
    }
    filled += *got;
    const ByteView bytes = buffer.bytes().first(filled);
    const Result<std::size_t> taken = take_frames(bytes);
    if (!taken) co_return taken.error();
    const ByteView rest = bytes.subspan(*taken);
    const Result<std::optional<std::size_t>> length = declared_length(rest);
    if (!length) co_return length.error();
    if (*length && kPrefixSize + **length > buffer.size()) {
      large = runtime::AlignedBuffer(**length);
      large_filled = rest.size() - kPrefixSize;
      copy_bytes(large.bytes(), rest.subspan(kPrefixSize));
      filled = 0;
    } else {
      std::ranges::copy(rest, buffer.data());
      filled = rest.size();
    }
  }
}

Result<std::size_t> Connection::take_frames(ByteView bytes) {
  std::size_t taken = 0;
  for (;;) {
    const ByteView rest = bytes.subspan(taken);
    BROOK_TRY(const std::optional<std::size_t> length, declared_length(rest));
    if (!length || rest.size() < kPrefixSize + *length) return taken;
    BROOK_CHECK(deliver(copy_of(rest.subspan(kPrefixSize, *length))));
    taken += kPrefixSize + *length;
  }
}

Result<void> Connection::deliver(runtime::AlignedBuffer frame) {
  const auto correlation_id = load_be<std::int32_t>(frame.data());
  if (awaiting_.empty() || awaiting_.front()->correlation_id != correlation_id) {
    return fail(
        ErrorCode::kNetworkException,
        fmt::format("{} answered request {}, which is not the next to be answered", peer_, correlation_id));
  }
  const std::shared_ptr<Pending> pending = std::move(awaiting_.front());
  awaiting_.pop_front();
  pending->resolve(std::make_shared<const runtime::AlignedBuffer>(std::move(frame)));
  return {};
}

Result<std::optional<std::size_t>> Connection::declared_length(ByteView bytes) const {
  if (bytes.size() < kPrefixSize) return std::optional<std::size_t>();
  const auto length = load_be<std::int32_t>(bytes.data());
  if (length >= static_cast<std::int32_t>(kCorrelationIdSize) &&
      static_cast<std::size_t>(length) <= response_bytes_max_) {
    return std::optional(static_cast<std::size_t>(length));
  }
  return fail(ErrorCode::kNetworkException,
              fmt::format("{} announces a reply of {} bytes; from {} to {} are taken. Does it speak Kafka's "
                          "protocol in plain text?",
                          peer_, length, kCorrelationIdSize, response_bytes_max_));
}

}  // namespace brook::client::internal

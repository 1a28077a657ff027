#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/writer.h"
#include "runtime/aligned_buffer.h"
#include "runtime/network.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::client::internal {

/// The bytes of one reply, without its length; shared, for records are read as views into them.
using ReplyFrame = std::shared_ptr<const runtime::AlignedBuffer>;

/// One connection: frames out, frames in, the replies in the order of their requests. What is queued in one
/// turn of the loop goes out in one write. After the first failure nothing more goes through: whoever waits
/// gets an error, and the owner makes another connection. serve() is its whole life; it may die when that has
/// ended, also under those who wait in exchange(). Runs on: one shard.
class Connection {
 public:
  Connection(runtime::Shard& shard, std::unique_ptr<runtime::Stream> stream, std::size_t response_bytes_max);

  /// Reads replies until the stream ends or close() is called; the reason.
  [[nodiscard]] Task<Error> serve();
  /// Ends everything that waits, and serve(), with `why`.
  void close(Error why);

  [[nodiscard]] std::int32_t next_correlation_id() { return next_correlation_id_++; }
  /// Sends `frame`, length and header included, and waits for the reply to it. Past `deadline` it closes the
  /// connection (the replies behind it are late too) and ends with REQUEST_TIMED_OUT. NETWORK_EXCEPTION where
  /// the connection ends first; whether the request was carried out is unknown then.
  [[nodiscard]] Task<Result<ReplyFrame>> exchange(protocol::Writer frame, std::int32_t correlation_id,
                                                  runtime::Instant deadline);
  /// Sends a frame that gets no reply; ends when it is written.
  [[nodiscard]] Task<Result<ReplyFrame>> send_only(protocol::Writer frame, runtime::Instant deadline);

 private:
  /// Lives as long as either its waiter or the connection needs it. Where it has no outcome, the connection
  /// is alive.
  struct Pending {
    Pending(runtime::Clock& clock, std::int32_t id) : correlation_id(id), done(clock) {}
    std::int32_t correlation_id;
    std::optional<Result<ReplyFrame>> outcome;
    runtime::Signal done;

    void resolve(Result<ReplyFrame> result) {
      outcome.emplace(std::move(result));
      done.notify_all();
    }
  };
  struct Outgoing {
    protocol::Writer frame;
    std::shared_ptr<Pending> resolve_when_written;
  };

  Task<Result<ReplyFrame>> wait_for(std::shared_ptr<Pending> pending, runtime::Instant deadline);
  void enqueue(Outgoing outgoing);
  Task<void> write_all();
  Task<Error> read_all();
  /// Takes whole frames off the front of `bytes`; how many bytes that were.
  Result<std::size_t> take_frames(ByteView bytes);
  Result<void> deliver(runtime::AlignedBuffer frame);
  /// The length that a frame at the front of `bytes` declares; nothing where its four bytes are not all
  /// there.
  [[nodiscard]] Result<std::optional<std::size_t>> declared_length(ByteView bytes) const;

  runtime::Shard& shard_;
  std::unique_ptr<runtime::Stream> stream_;
  const std::size_t response_bytes_max_;
  std::string peer_;
  std::int32_t next_correlation_id_ = 0;
  std::deque<std::shared_ptr<Pending>> awaiting_;  ///< replies, in this order
  std::deque<Outgoing> unsent_;
  bool writing_ = false;
  std::optional<Error> closed_;
  runtime::Gate gate_;
};

}  // namespace brook::client::internal

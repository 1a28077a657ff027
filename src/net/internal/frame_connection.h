#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/frame_server.h"
#include "net/internal/response_writer.h"
#include "runtime/signal.h"

namespace brook::net::internal {

/// One connection of a FrameServer, which outlives it. serve() is its whole life.
class FrameConnection {
 public:
  FrameConnection(FrameServer& server, std::unique_ptr<runtime::Stream> stream, std::uint64_t id,
                  std::string listener);
  ~FrameConnection();

  [[nodiscard]] Task<void> serve();
  /// serve() ends as soon as the request in processing has.
  void close();
  /// Closes it where its peer has not taken what was answered for a while.
  void close_if_stalled(runtime::Instant now);

 private:
  enum class Next { kGoOn, kEnd };

  /// Handles the whole frames in the buffer.
  Task<Next> handle_buffered();
  Task<Next> handle_one(MutableBytes frame);
  /// Waits for bytes and reads what is there; makes room for a large frame first.
  Task<Next> read_more();
  Task<Next> make_room();
  /// The length of the frame that begins in the buffer. Nothing where its four bytes aren't all there.
  [[nodiscard]] std::optional<std::int32_t> next_length() const;
  [[nodiscard]] bool acceptable(std::int32_t length);

  [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }
  void compact();
  void release_buffer();
  void touch() { last_activity_ = server_.shard_.clock().now(); }
  void watch_idle(runtime::Instant from);
  void check_idle();

  FrameServer& server_;
  std::unique_ptr<runtime::Stream> stream_;
  ConnectionInfo info_;
  runtime::Signal closing_;
  ResponseWriter writer_;

  runtime::AlignedBuffer buffer_;  ///< empty, a pooled one, or one for a single large frame (charged_ > 0)
  std::size_t begin_ = 0;          ///< what is read and not yet handled: [begin_, end_)
  std::size_t end_ = 0;
  std::uint64_t charged_ = 0;
  bool read_was_full_ = false;

  bool processing_ = false;
  runtime::Instant last_activity_;
  std::unique_ptr<runtime::Timer> idle_timer_;
};

}  // namespace brook::net::internal

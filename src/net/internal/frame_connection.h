#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/frame_server.h"
#include "net/internal/frame_reader.h"
#include "net/internal/response_writer.h"
#include "runtime/gate.h"
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
  using Next = FrameReader::Next;

  /// Handles a frame while the next one is read. A large request is worked on by the shard of its partition
  /// for as long as its successor takes to come in.
  Task<Next> handle_and_read(Frame frame);
  Task<void> read_ahead();
  Task<Next> handle_one(MutableBytes frame);
  Next answer(Result<std::optional<Response>> response, std::size_t request_bytes);

  void touch() { last_activity_ = server_.shard_.clock().now(); }
  void watch_idle(runtime::Instant from);
  void check_idle();

  FrameServer& server_;
  std::unique_ptr<runtime::Stream> stream_;
  ConnectionInfo info_;
  runtime::Signal closing_;
  ResponseWriter writer_;

  FrameReader reader_;
  bool reading_ahead_ = false;
  Next read_ahead_ = Next::kGoOn;  ///< how the last reading ahead ended
  runtime::Signal has_read_ahead_;
  runtime::Gate gate_;

  bool processing_ = false;
  runtime::Instant last_activity_;
  std::unique_ptr<runtime::Timer> idle_timer_;
};

}  // namespace brook::net::internal

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/response.h"
#include "runtime/aligned_buffer.h"
#include "runtime/memory_budget.h"
#include "runtime/shard.h"
#include "runtime/signal.h"
#include "runtime/task.h"

namespace brook::net {

/// What the owner of a FrameHandler keeps for a connection, such as its session; it derives from this.
class ConnectionState {
 public:
  virtual ~ConnectionState() = default;
};

/// What is known of one connection for its whole life.
struct ConnectionInfo {
  std::uint64_t id = 0;  ///< of the process; never used again
  std::string listener;  ///< by name, such as PLAINTEXT
  runtime::Address peer;
  runtime::Address local;
  std::string client_software_name;  ///< KIP-511; empty until the client told it
  std::string client_software_version;
  bool closed = false;  ///< the connection is gone: a long wait for its sake may end
  std::unique_ptr<ConnectionState> state;
};

/// Answers frames. At most one per connection is in handle() at a time; the next waits, so responses keep the
/// order of requests.
class FrameHandler {
 public:
  virtual ~FrameHandler() = default;
  /// `frame` is one request without its length prefix; it and `connection` live until the task has ended. The
  /// result is the whole response, prefix included; nothing where the request wants none (acks=0). An Error
  /// is logged and closes the connection.
  [[nodiscard]] virtual Task<Result<std::optional<Response>>> handle(ConnectionInfo& connection,
                                                                     MutableBytes frame) = 0;
  /// The connection has ended; no handle() is running.
  virtual void on_closed(ConnectionInfo& connection) { (void)connection; }
};

struct FrameServerOptions {
  std::size_t request_bytes_max = 100UL * 1024 * 1024;    ///< socket.request.max.bytes
  runtime::Duration idle_max = std::chrono::minutes(10);  ///< connections.max.idle.ms
  /// A reader that has taken nothing for so long gives way when others wait for memory.
  runtime::Duration stalled_max = std::chrono::seconds(10);
};

/// The counters of all connections of a process.
struct FrameServerMetrics {
  explicit FrameServerMetrics(MetricRegistry& registry);

  Gauge& connections;
  Counter& accepted;
  Counter& closed_idle;
  Counter& closed_stalled;
  Counter& refused_frames;
  Counter& failed_requests;
  Counter& budget_waits;
  Counter& requests;
  Counter& received_bytes;
  Counter& sent_bytes;
};

namespace internal {
class FrameConnection;
class FrameReader;
}  // namespace internal

/// The Kafka connections of one shard: each is a sequence of frames, a big-endian int32 length and that many
/// bytes.
///
/// Reads into one page-aligned buffer per busy connection, many frames per system call; an idle connection
/// holds none. A frame larger than that buffer gets its own, charged to the budget first; until it is granted
/// the connection is not read from. Small frames are not charged: their bytes are bounded by kReadBufferSize
/// per connection, and heartbeats and follower fetches must pass when large requests hold the budget.
/// Responses are gathered and written at the end of the loop's turn. A connection with unread ones is not
/// asked for more, and is closed when others wait for the memory that they hold. Everything it is given
/// outlives it. stop() before it dies. Runs on: its shard.
class FrameServer {
 public:
  static constexpr std::size_t kReadBufferSize = 64UL * 1024;

  FrameServer(runtime::Shard& shard, FrameHandler& handler, runtime::MemoryBudget& budget,
              FrameServerMetrics& metrics, FrameServerOptions options);
  ~FrameServer();
  FrameServer(const FrameServer&) = delete;
  FrameServer& operator=(const FrameServer&) = delete;

  /// Serves a connection until it ends, then calls `ended` on this shard.
  void serve(std::unique_ptr<runtime::PendingStream> pending, std::uint64_t id, std::string listener,
             std::move_only_function<void()> ended);
  /// Closes every connection and waits until their requests in processing have ended; the handler's owner has
  /// told those to end.
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] runtime::Shard& shard() { return shard_; }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  /// Read buffers that connections hold now.
  [[nodiscard]] std::size_t buffers_in_use() const { return buffers_in_use_; }

 private:
  friend class internal::FrameConnection;
  friend class internal::FrameReader;

  [[nodiscard]] Task<void> run(std::unique_ptr<internal::FrameConnection> connection,
                               std::move_only_function<void()> ended);
  [[nodiscard]] Task<void> close_stalled();
  [[nodiscard]] runtime::AlignedBuffer take_buffer();
  void give_back(runtime::AlignedBuffer buffer);

  runtime::Shard& shard_;
  FrameHandler& handler_;
  runtime::MemoryBudget& budget_;
  FrameServerMetrics& metrics_;
  const FrameServerOptions options_;
  bool watching_ = false;
  bool stopping_ = false;
  runtime::Signal stopped_;
  runtime::Gate gate_;
  std::list<internal::FrameConnection*>
      connections_;  ///< as they came, so that what is done with all has an order
  std::vector<runtime::AlignedBuffer> free_buffers_;
  std::size_t buffers_in_use_ = 0;
};

}  // namespace brook::net

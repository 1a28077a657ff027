#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "net/frame_server.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::net {

struct ConnectionLimits {
  std::size_t connections_max = std::numeric_limits<std::int32_t>::max();         ///< max.connections
  std::size_t connections_per_ip_max = std::numeric_limits<std::int32_t>::max();  ///< max.connections.per.ip
  std::map<std::string, std::size_t> connections_per_ip_overrides = {};           ///< by numeric address
};

/// The listeners of the process: accepts on its shard and hands each connection to the next of the servers in
/// turn. At connections_max it stops accepting until one ends, as Kafka does; a connection beyond its
/// address's limit is closed at once. stop() before it dies; it and the servers may then end in either order.
/// Runs on: one shard.
class ConnectionAcceptor {
 public:
  /// `servers` are one per shard and outlive stop().
  ConnectionAcceptor(runtime::Shard& shard, std::vector<FrameServer*> servers, ConnectionLimits limits,
                     MetricRegistry& registry);
  ~ConnectionAcceptor();
  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

  /// Begins to accept under the listener's name; the address that it listens on (port 0 means any free one).
  [[nodiscard]] Result<runtime::Address> listen(std::string name, const runtime::Address& at,
                                                const runtime::ListenOptions& options = {});
  [[nodiscard]] Task<void> stop();
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Counts;
  Task<void> accept_all(runtime::Listener& listener, std::string name);
  [[nodiscard]] bool admit(const std::string& host);
  void hand_over(std::unique_ptr<runtime::PendingStream> pending, const std::string& name,
                 const std::string& host);

  runtime::Shard& shard_;
  std::vector<FrameServer*> servers_;
  const ConnectionLimits limits_;
  Counter& refused_;
  std::shared_ptr<Counts> counts_;
  std::vector<std::unique_ptr<runtime::Listener>> listeners_;
  std::uint64_t next_id_ = 0;
  bool stopping_ = false;
  runtime::Gate gate_;
};

}  // namespace brook::net

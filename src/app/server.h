#pragma once

#include <memory>

#include "cluster/config.h"
#include "runtime/host.h"
#include "runtime/task.h"

namespace brook::app {

/// One broker with an embedded keeper. It lives until its host has ended, for what it spawns there refers to
/// it; host and configuration outlive it. Runs on: shard 0; its parts on their own.
class Server {
 public:
  Server(runtime::Host& host, const cluster::BrokerConfig& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves until the host is asked to stop; the process's exit code. Why it cannot start is logged in one
  /// line. Once.
  [[nodiscard]] Task<int> run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs a broker on this machine until SIGTERM or SIGINT; the process's exit code.
[[nodiscard]] int run_server(const cluster::BrokerConfig& config);

}  // namespace brook::app

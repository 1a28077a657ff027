#pragma once

#include "cluster/config.h"

namespace brook::app {

/// Runs a broker with an embedded keeper until SIGTERM or SIGINT; returns the process's exit code. Why it
/// cannot start is logged in one line.
[[nodiscard]] int run_server(const cluster::BrokerConfig& config);

}  // namespace brook::app

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/network.h"

namespace brook::client {

/// What a client is told when it is made; the comments name the setting of Kafka's own clients.
struct ClientOptions {
  std::vector<runtime::Address> bootstrap = {};  ///< bootstrap.servers, tried in turn; see parse_bootstrap()
  std::string client_id = "brook";               ///< client.id: shown in the broker's log and metrics
  /// For one connection, name look-up included: socket.connection.setup.timeout.ms.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// For one request on the wire. Past it the connection is given up, for replies come in order:
  /// request.timeout.ms.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  /// For one whole operation with its retries: default.api.timeout.ms.
  std::chrono::milliseconds operation_timeout = std::chrono::seconds(60);
  /// Between two tries of a request, doubled each time up to the maximum: retry.backoff.ms,
  /// retry.backoff.max.ms.
  std::chrono::milliseconds retry_backoff = std::chrono::milliseconds(100);
  std::chrono::milliseconds retry_backoff_max = std::chrono::seconds(1);
  /// Between two connections to a broker, likewise: reconnect.backoff.ms, reconnect.backoff.max.ms.
  std::chrono::milliseconds reconnect_backoff = std::chrono::milliseconds(50);
  std::chrono::milliseconds reconnect_backoff_max = std::chrono::seconds(1);
  /// Older knowledge of a topic is asked for anew before it is used: metadata.max.age.ms.
  std::chrono::milliseconds metadata_max_age = std::chrono::minutes(5);
  /// Requests that one connection carries at a time; more wait for their turn.
  std::size_t requests_in_flight_max = 64;
  /// A longer reply ends the connection: nothing larger is ever allocated for one.
  std::size_t response_bytes_max = std::size_t{256} << 20U;
};

/// "host:port,host:port", also "[::1]:9092"; a host alone means port 9092. INVALID_CONFIG names what cannot
/// be read.
[[nodiscard]] Result<std::vector<runtime::Address>> parse_bootstrap(std::string_view servers);

}  // namespace brook::client

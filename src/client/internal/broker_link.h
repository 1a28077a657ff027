#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/internal/api_versions.h"
#include "client/internal/backoff.h"
#include "client/internal/connection.h"
#include "client/options.h"
#include "net/stream_factory.h"
#include "protocol/api_key.h"
#include "protocol/writer.h"
#include "runtime/gate.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::client::internal {

/// One request on its way to a broker.
struct LinkRequest {
  protocol::ApiKey key = protocol::ApiKey::kMetadata;
  VersionRange versions = {};  ///< those that the caller can use
  runtime::Instant deadline;
  bool expects_reply = true;
  /// Writes the body in the version that was agreed on.
  std::move_only_function<Result<void>(protocol::Writer&, std::int16_t)> encode;
};

struct LinkReply {
  std::int16_t version = 0;
  ReplyFrame frame;  ///< null where none was expected
};

/// The way to one address: a connection that is made when it is first needed, agrees on versions
/// (ApiVersions, with the older forms that KIP-511 falls back to), and is made anew with a back-off after it
/// was lost. stop() before it dies. Runs on: one shard.
class BrokerLink {
 public:
  /// All outlive it.
  BrokerLink(runtime::Shard& shard, net::StreamFactory& streams, const ClientOptions& options,
             runtime::Address address);

  /// Waits for a connection that is ready, making one where there is none. Ends with what the attempt that it
  /// waited for ended with, REQUEST_TIMED_OUT at `deadline`.
  [[nodiscard]] Task<Result<void>> ready(runtime::Instant deadline);
  /// Sends one request, on a connection as ready() gives it, and waits for its reply. An error of `encode` or
  /// UNSUPPORTED_VERSION leaves the connection as it is.
  [[nodiscard]] Task<Result<LinkReply>> exchange(LinkRequest request);
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] const runtime::Address& address() const { return address_; }
  /// Whether it is neither used nor connected: it may be dropped without stop().
  [[nodiscard]] bool is_idle() const { return users_ == 0 && gate_.running() == 0; }

 private:
  class Use;

  Task<void> connect_and_serve();
  Task<void> negotiate(std::uint64_t attempt);
  Task<Result<ApiVersionTable>> ask_versions(std::uint64_t attempt, runtime::Instant deadline);
  void failed(Error why);
  [[nodiscard]] Result<protocol::Writer> encode(LinkRequest& request, std::int16_t version,
                                                std::int32_t correlation_id) const;
  /// Whether the connection of that attempt is still there.
  [[nodiscard]] bool is_current(std::uint64_t attempt) const {
    return connection_ != nullptr && attempt_ == attempt;
  }

  runtime::Shard& shard_;
  net::StreamFactory& streams_;
  const ClientOptions& options_;
  const runtime::Address address_;
  Connection* connection_ = nullptr;  ///< in connect_and_serve()'s frame
  ApiVersionTable versions_;
  bool running_ = false;  ///< an attempt, or the connection that it made
  bool ready_ = false;
  bool stopping_ = false;
  std::uint64_t attempt_ = 0;
  std::optional<Error> last_error_;  ///< of the last attempt, until another begins
  Backoff backoff_;
  runtime::Instant not_before_ = runtime::Instant::min();
  runtime::Signal changed_;
  std::size_t users_ = 0;      ///< coroutines in ready() or exchange()
  std::size_t in_flight_ = 0;  ///< requests on the connection
  runtime::Gate gate_;
};

}  // namespace brook::client::internal

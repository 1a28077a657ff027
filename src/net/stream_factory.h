#pragma once

#include <memory>

#include "base/result.h"
#include "runtime/clock.h"
#include "runtime/network.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::net {

/// Makes outgoing connections that are ready for frames. What lies between TCP and the protocol (a TLS
/// handshake, a SASL exchange) is an implementation's own matter. Runs on: one shard.
class StreamFactory {
 public:
  virtual ~StreamFactory() = default;
  /// NETWORK_EXCEPTION says what the other side did; `deadline` bounds the whole.
  [[nodiscard]] virtual Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Address to,
                                                                               runtime::Instant deadline) = 0;
};

/// Plain TCP over `shard`, which outlives it.
class PlainStreamFactory final : public StreamFactory {
 public:
  explicit PlainStreamFactory(runtime::Shard& shard) : shard_(shard) {}
  [[nodiscard]] Task<Result<std::unique_ptr<runtime::Stream>>> connect(runtime::Address to,
                                                                       runtime::Instant deadline) override;

 private:
  runtime::Shard& shard_;
};

}  // namespace brook::net

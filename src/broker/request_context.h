#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/api.h"
#include "runtime/network.h"
#include "runtime/shard.h"

namespace brook::broker {

class BrokerMetrics;
class RequestMemory;

/// What is known of a request besides its body: values only, alive until its reply is made.
struct RequestContext {
  const protocol::ApiInfo* api = nullptr;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;
  std::uint64_t connection = 0;  ///< net::ConnectionInfo::id
  std::string listener;          ///< by name, such as PLAINTEXT
  runtime::Address local;        ///< the address that the client connected to
  runtime::Address peer;
  MutableBytes frame;  ///< the request's bytes, which `records` fields are views of
  runtime::Shard* shard = nullptr;
  BrokerMetrics* metrics = nullptr;
  RequestMemory* memory = nullptr;
};

}  // namespace brook::broker

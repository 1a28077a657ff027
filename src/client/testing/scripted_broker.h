#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "client/client.h"
#include "net/connection_acceptor.h"
#include "net/frame_server.h"
#include "protocol/api.h"
#include "protocol/api_versions.h"
#include "protocol/metadata.h"
#include "protocol/reader.h"
#include "protocol/writer.h"
#include "runtime/memory_budget.h"
#include "runtime/shard.h"

namespace brook::client::testing {

/// A broker on loopback whose answers a test writes. By itself it answers ApiVersions, with the versions that
/// Apache Kafka advertises, and Metadata, with itself as broker 1 and the topics that it was given. stop()
/// before it dies. Runs on: one shard.
class ScriptedBroker final : public net::FrameHandler {
 public:
  /// Nothing answers nothing; an error closes the connection.
  using Script =
      std::function<Result<std::optional<protocol::Writer>>(protocol::Reader&, std::int16_t version)>;

  explicit ScriptedBroker(runtime::Shard& shard);

  [[nodiscard]] const runtime::Address& address() const { return address_; }
  /// A client that is to begin here, impatient enough for a test.
  [[nodiscard]] ClientOptions client_options() const;

  /// Answers every request of one API with what `make` makes of it.
  template <class Request, class Response>
  void answer(std::function<Response(const Request&)> make) {
    script(static_cast<protocol::ApiKey>(Request::kApiKey),
           [make](protocol::Reader& in, std::int16_t version) -> Result<std::optional<protocol::Writer>> {
             BROOK_TRY(const Request request, Request::decode(in, version));
             protocol::Writer out;
             BROOK_CHECK(make(request).encode(out, version));
             return std::optional(std::move(out));
           });
  }
  void script(protocol::ApiKey key, Script script) { scripts_[key] = std::move(script); }
  /// Requests of this API get no answer.
  void keep_silent(protocol::ApiKey key);
  /// The next `times` requests of this API close their connection; then it goes on as before.
  void hang_up(protocol::ApiKey key, int times);

  /// Says from now on that it speaks these versions of an API.
  void speak(protocol::ApiKey key, std::int16_t min, std::int16_t max) { versions_[key] = {min, max}; }
  /// As a broker that lacks the API.
  void unlearn(protocol::ApiKey key) { versions_.erase(key); }
  /// Whether a refusal of ApiVersions names the versions that there are (KIP-511), or nothing as before
  /// Kafka 2.4.
  bool names_versions_in_refusal = true;

  /// A topic with that many partitions, led by `leader`.
  void add_topic(const std::string& name, std::int32_t partitions, std::int32_t leader = 1);
  /// Another broker of the cluster.
  void add_broker(std::int32_t id, const runtime::Address& address) { brokers_[id] = address; }
  void lead(const std::string& topic, std::int32_t leader) { topics_[topic].leader = leader; }
  std::int32_t controller = 1;

  /// The requests that came, in order, ApiVersions aside.
  [[nodiscard]] const std::vector<std::pair<protocol::ApiKey, std::int16_t>>& seen() const { return seen_; }
  [[nodiscard]] std::size_t count(protocol::ApiKey key) const;
  [[nodiscard]] std::int16_t last_version(protocol::ApiKey key) const;
  [[nodiscard]] std::uint64_t connections_accepted() const { return metrics_.accepted.value(); }

  [[nodiscard]] Task<void> stop();

  Task<Result<std::optional<net::Response>>> handle(net::ConnectionInfo& connection,
                                                    MutableBytes frame) override;

 private:
  struct Topic {
    TopicId id;
    std::int32_t partitions = 0;
    std::int32_t leader = 1;
  };

  [[nodiscard]] protocol::ApiVersionsResponse api_versions() const;
  [[nodiscard]] protocol::MetadataResponse metadata(const protocol::MetadataRequest& request) const;

  runtime::Shard& shard_;
  MetricRegistry registry_;
  runtime::MemoryBudget budget_{std::uint64_t{1} << 30U};
  net::FrameServerMetrics metrics_{registry_};
  net::FrameServer server_;
  net::ConnectionAcceptor acceptor_;
  runtime::Address address_;
  std::map<protocol::ApiKey, std::pair<std::int16_t, std::int16_t>> versions_;
  std::map<protocol::ApiKey, Script> scripts_;
  std::map<protocol::ApiKey, int> hang_ups_;
  std::map<std::string, Topic> topics_;
  std::map<std::int32_t, runtime::Address> brokers_;
  std::vector<std::pair<protocol::ApiKey, std::int16_t>> seen_;
};

}  // namespace brook::client::testing

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/internal/backoff.h"
#include "client/internal/broker_link.h"
#include "client/metadata.h"
#include "client/options.h"
#include "net/stream_factory.h"
#include "runtime/gate.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::client::internal {

/// Which broker a request is for.
struct AnyBroker {};
struct Controller {};
using Target = std::variant<AnyBroker, Controller, BrokerId>;

/// Which topics a metadata request asks for.
struct AllTopics {};
using TopicSelection = std::variant<AllTopics, std::vector<std::string>>;

/// What one client knows of a cluster, and its links to the brokers: by address, so that a bootstrap server
/// and the broker behind it share one. Links to addresses that metadata no longer names go when they are
/// idle. stop() before it dies. Runs on: one shard.
class Cluster {
 public:
  Cluster(runtime::Shard& shard, ClientOptions options, std::unique_ptr<net::StreamFactory> streams);

  [[nodiscard]] runtime::Shard& shard() { return shard_; }
  [[nodiscard]] const ClientOptions& options() const { return options_; }

  /// The link to a broker that is ready for requests: of a known one; NETWORK_EXCEPTION where none can be
  /// reached, BROKER_NOT_AVAILABLE where the cluster has no such broker. One try; see Retry. The link is
  /// valid until the caller's next co_await that is not on it.
  [[nodiscard]] Task<Result<BrokerLink*>> link(Target target, runtime::Instant deadline);

  /// Asks a broker for metadata, once, and remembers brokers, controller and these topics.
  [[nodiscard]] Task<Result<ClusterMetadata>> fetch_metadata(TopicSelection topics, bool create,
                                                             runtime::Instant deadline);
  /// The same with retries, until operation_timeout.
  [[nodiscard]] Task<Result<ClusterMetadata>> metadata(TopicSelection topics, bool create);

  /// What is known of a topic; nullptr where nothing is, or it is older than metadata_max_age or marked
  /// stale. Valid until the next co_await.
  [[nodiscard]] const TopicMetadata* known_topic(std::string_view name) const;
  void mark_stale(std::string_view topic);
  /// Next time, the controller is asked for first.
  void mark_controller_stale() { controller_.reset(); }

  /// The end of an operation that begins now, and of one try of a request in it.
  [[nodiscard]] runtime::Instant operation_deadline() const;
  [[nodiscard]] runtime::Instant try_deadline(runtime::Instant operation_deadline) const;
  [[nodiscard]] Backoff retry_backoff();
  /// Waits; false where that would go beyond `deadline`, or the client is stopped meanwhile.
  [[nodiscard]] Task<bool> rest(runtime::Duration duration, runtime::Instant deadline);

  [[nodiscard]] Task<void> stop();
  [[nodiscard]] bool stopping() const { return stopping_; }

 private:
  using AddressKey = std::pair<std::string, std::uint16_t>;
  struct KnownTopic {
    TopicMetadata metadata;
    runtime::Instant fetched;
    bool stale = false;
  };

  BrokerLink& link_to(const runtime::Address& address);
  [[nodiscard]] Task<Result<BrokerLink*>> any_link(runtime::Instant deadline);
  /// The addresses to try, in order: ready links, brokers, bootstrap servers.
  [[nodiscard]] std::vector<runtime::Address> candidates();
  [[nodiscard]] std::ptrdiff_t turn(std::size_t count);
  void learn(const ClusterMetadata& fetched, std::span<const TopicMetadata> topics);
  void drop_unused_links();

  runtime::Shard& shard_;
  const ClientOptions options_;
  std::unique_ptr<net::StreamFactory> streams_;
  std::map<AddressKey, std::unique_ptr<BrokerLink>> links_;
  std::map<BrokerId, Broker> brokers_;
  std::optional<BrokerId> controller_;
  std::map<std::string, KnownTopic, std::less<>> topics_;
  std::size_t next_turn_ = 0;
  bool stopping_ = false;
  runtime::Signal stopped_;
};

}  // namespace brook::client::internal

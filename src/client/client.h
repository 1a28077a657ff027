#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/metadata.h"
#include "client/options.h"
#include "net/stream_factory.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::client {

namespace internal {
class Cluster;
}

/// The way to one cluster, Brook's or Apache Kafka's from 2.1 on: a connection for each broker that is spoken
/// to, made when it is first needed and made anew with a back-off; the versions that each speaks; what is
/// known of topics and leaders. Admin, Producer and Consumer work over one and share its connections.
///
/// Those are stopped first, then stop() the client, then it may die. Runs on: the shard that it was made for.
class Client {
 public:
  /// Over plain TCP.
  Client(runtime::Shard& shard, ClientOptions options);
  /// `streams` makes the connections: TLS and SASL come in here.
  Client(runtime::Shard& shard, ClientOptions options, std::unique_ptr<net::StreamFactory> streams);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// First contact: asks the bootstrap servers in turn, again and again, until one answers or `timeout` has
  /// passed. Nobody must call it, but a wrong address is told early: NETWORK_EXCEPTION says what each server
  /// did at the last try. `timeout` 0 means one try of each.
  [[nodiscard]] Task<Result<void>> connect(std::chrono::milliseconds timeout);

  /// Asks a broker now, whatever is known already. Brokers, controller and cluster id, and no topics.
  [[nodiscard]] Task<Result<ClusterMetadata>> cluster();
  /// The same with all topics.
  [[nodiscard]] Task<Result<ClusterMetadata>> all_topics();
  /// The same with these topics. A topic that does not exist is there with its error;
  /// `create` asks the broker to make it, where its auto.create.topics.enable allows that.
  [[nodiscard]] Task<Result<ClusterMetadata>> topics(std::vector<std::string> names, bool create = false);

  /// Ends every request with an error and closes the connections.
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] runtime::Shard& shard();
  [[nodiscard]] const ClientOptions& options() const;
  /// For the other classes of this module.
  [[nodiscard]] internal::Cluster& internals() { return *cluster_; }

 private:
  std::unique_ptr<internal::Cluster> cluster_;
};

}  // namespace brook::client

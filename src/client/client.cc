#include "client/client.h"

#include <algorithm>
#include <utility>

#include "client/internal/cluster.h"

namespace brook::client {

using internal::Cluster;

Client::Client(runtime::Shard& shard, ClientOptions options)
    : Client(shard, std::move(options), std::make_unique<net::PlainStreamFactory>(shard)) {}

Client::Client(runtime::Shard& shard, ClientOptions options, std::unique_ptr<net::StreamFactory> streams)
    : cluster_(std::make_unique<Cluster>(shard, std::move(options), std::move(streams))) {}

Client::~Client() = default;

Task<Result<void>> Client::connect(std::chrono::milliseconds timeout) {
  const runtime::Instant deadline = shard().clock().now() + timeout;
  internal::Backoff backoff = cluster_->retry_backoff();
  for (;;) {
    const runtime::Instant now = shard().clock().now();
    const Result<ClusterMetadata> fetched = co_await cluster_->fetch_metadata(
        std::vector<std::string>(), false, std::max(deadline, now + options().connect_timeout));
    if (fetched) co_return Result<void>();
    if (!is_retriable(fetched.error().code)) co_return std::unexpected(fetched.error());
    const bool again = co_await cluster_->rest(backoff.next(), deadline);
    if (!again) co_return std::unexpected(fetched.error());
  }
}

Task<Result<ClusterMetadata>> Client::cluster() {
  Result<ClusterMetadata> fetched = co_await cluster_->metadata(std::vector<std::string>(), false);
  co_return fetched;
}

Task<Result<ClusterMetadata>> Client::all_topics() {
  Result<ClusterMetadata> fetched = co_await cluster_->metadata(internal::AllTopics(), false);
  co_return fetched;
}

Task<Result<ClusterMetadata>> Client::topics(std::vector<std::string> names, bool create) {
  Result<ClusterMetadata> fetched = co_await cluster_->metadata(std::move(names), create);
  co_return fetched;
}

Task<void> Client::stop() { co_await cluster_->stop(); }

runtime::Shard& Client::shard() { return cluster_->shard(); }
const ClientOptions& Client::options() const { return cluster_->options(); }

}  // namespace brook::client

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "broker/broker_metrics.h"
#include "broker/cluster_view.h"
#include "broker/fetch_session.h"
#include "broker/handler.h"
#include "broker/partition_router.h"
#include "broker/topic_traffic.h"
#include "broker/transaction_router.h"
#include "protocol/headers.h"
#include "replica/log_directories.h"
#include "replica/replica_set.h"
#include "runtime/testing/run.h"

namespace brook::broker::testing {

/// A broker of one shard (or one shard of a broker) without network and keeper: real logs in a temporary
/// directory, an image made by hand, and handlers that are asked directly. close() before it dies. Runs on:
/// its shard.
class HandlerWorld {
 public:
  explicit HandlerWorld(runtime::Shard& own, std::size_t shard_count = 1)
      : shard(own),
        config(or_abort(cluster::BrokerConfig::load("log.dirs=" + directory_.path(), "test"))),
        directories_(or_abort(replica::LogDirectories::open(own.files(), {directory_.path()}))),
        replicas(own, *directories_, config, {.self = BrokerId(0), .shard_count = shard_count}),
        metrics(registry_),
        view(BrokerId(0), config),
        router({{&own, &replicas}}) {
    auto image = std::make_shared<cluster::MetadataImage>();
    image->brokers[BrokerId(0)] = {BrokerId(0), {}, {}, {}};
    image->configs = std::make_shared<const std::map<cluster::ConfigResource, cluster::ConfigMap>>();
    view.swap(std::move(image));
  }

  /// A topic that this broker leads, this shard those of its partitions that belong here; its id.
  [[nodiscard]] Task<TopicId> create(std::string name, std::size_t partitions,
                                     cluster::ConfigMap configs = {}) {
    auto topic = std::make_shared<cluster::TopicInfo>();
    topic->name = std::move(name);
    topic->id = Uuid::from_random(shard.random().uuid_bytes());
    topic->configs = std::move(configs);
    topic->partitions.resize(partitions);
    for (cluster::PartitionInfo& partition : topic->partitions) {
      partition.replicas = partition.isr = {BrokerId(0)};
      partition.leader = BrokerId(0);
      partition.leader_epoch = LeaderEpoch(3);
    }
    auto image = std::make_shared<cluster::MetadataImage>(*view.image());
    image->topics.put(topic);
    auto delta = std::make_shared<cluster::MetadataDelta>();
    delta->topics.push_back({nullptr, topic});
    view.swap(image);
    co_await replicas.apply(image, delta);
    co_return topic->id;
  }

  /// The response to `request`; views in it live until the next one. Aborts where there is none.
  template <class Response, class Request>
  [[nodiscard]] Task<Response> ask(Handler& handler, Request request, std::int16_t version) {
    std::optional<Result<std::optional<Reply>>> result;
    co_await send(handler, std::move(request), version, result);
    reply_ = *or_abort(*std::move(result));
    protocol::Reader in(reply_->bytes.bytes().subspan(sizeof(std::int32_t)));
    const protocol::ApiInfo& api = *protocol::find_api(Request::kApiKey);
    [[maybe_unused]] const auto header = or_abort(protocol::decode_response_header(in, api, version));
    co_return or_abort(Response::decode(in, version));
  }

  /// What the handler gives: an error, nothing (acks=0), or a reply.
  template <class Request>
  [[nodiscard]] Task<void> send(Handler& handler, Request request, std::int16_t version,
                                std::optional<Result<std::optional<Reply>>>& result) {
    protocol::Writer out(1024);
    or_abort(request.encode(out, version));
    frame_.assign(out.bytes().begin(), out.bytes().end());
    const bool closed = false;
    RequestMemory memory(shard, budget, metrics, closed);
    RequestContext context;
    context.api = protocol::find_api(Request::kApiKey);
    context.version = version;
    context.frame = frame_;
    context.shard = &shard;
    context.metrics = &metrics;
    context.memory = &memory;
    context.connection = connection;
    result.emplace(co_await handler.handle(context, frame_));
  }

  [[nodiscard]] Task<void> close() {
    replicas.stop();
    co_await replicas.close();
  }

  runtime::Shard& shard;

 private:
  template <class T>
  static T or_abort(Result<T> result) {
    if (!result) {
      log::error("test_world_failed", {{"why", result.error().context}});
      std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
  }

  runtime::testing::TemporaryDirectory directory_;
  MetricRegistry registry_;

 public:
  cluster::BrokerConfig config;

 private:
  std::unique_ptr<replica::LogDirectories> directories_;

 public:
  replica::ReplicaSet replicas;
  BrokerMetrics metrics;
  ClusterView view;
  PartitionRouter router;
  TopicTraffic traffic;
  TransactionRouter transactions{{}};  ///< to no coordinator
  FetchSessionCache sessions{10};
  runtime::MemoryBudget budget{std::uint64_t{1} << 26U};
  std::uint64_t connection = 0;  ///< over which requests come

 private:
  std::vector<std::byte> frame_;
  std::optional<Reply> reply_;
};

}  // namespace brook::broker::testing

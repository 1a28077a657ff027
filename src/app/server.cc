#include "app/server.h"

#include <fmt/core.h>

#include <algorithm>

#include "app/adopt_partitions.h"
#include "app/checkpointer.h"
#include "app/disk_watch.h"
#include "app/group_lag.h"
#include "app/stray_partitions.h"
#include "app/topic_metrics.h"
#include "app/transaction_watch.h"
#include "base/log.h"
#include "base/metrics.h"
#include "broker/group_leadership.h"
#include "broker/image_facts.h"
#include "broker/make_dispatcher.h"
#include "broker/metadata_publisher.h"
#include "broker/share/dead_letter_writer.h"
#include "broker/share/share_metrics.h"
#include "broker/share/share_partitions.h"
#include "broker/share/share_session.h"
#include "broker/share_state_gateway.h"
#include "broker/share_state_leadership.h"
#include "broker/transaction_gateway.h"
#include "broker/transaction_leadership.h"
#include "cluster/controller.h"
#include "coordinator/group_coordinator.h"
#include "keeper/server.h"
#include "net/connection_acceptor.h"
#include "net/http_server.h"
#include "replica/log_cleaner.h"
#include "replica/log_scrubber.h"
#include "runtime/host.h"

namespace brook::app {
namespace {

/// The keeper's files, inside the first log directory. Apache Kafka's log layer passes over the directories
/// of this topic, and its own metadata log is partition 0.
constexpr std::string_view kKeeperDirectory = "__cluster_metadata-1";
constexpr std::chrono::seconds kOpeningLook{1};
constexpr std::uint64_t kDefaultMemoryLimit = 256ULL * 1024 * 1024;
constexpr std::uint64_t kKeyMemoryShare = 4;  // of the limit, for keys that wait for compaction, on top of it

std::uint64_t memory_limit(const cluster::BrokerConfig& config) {
  const std::int64_t queued = config.number("queued.max.request.bytes");
  const std::int64_t asked = config.number("brook.memory.limit.bytes");
  const std::uint64_t limit = asked > 0 ? static_cast<std::uint64_t>(asked) : kDefaultMemoryLimit;
  return queued > 0 ? std::min(limit, static_cast<std::uint64_t>(queued)) : limit;
}

/// What one shard has of the broker.
struct ShardParts {
  runtime::Shard* shard;
  broker::ClusterView view;
  broker::ImageFacts facts;
  replica::ReplicaSet replicas;
  replica::LogCleaner cleaner;
  replica::LogScrubber scrubber;
  coordinator::ShareStateCoordinator share_states;
  broker::FetchSessionCache sessions;
  broker::TopicTraffic traffic;
  // They need what routes to all shards, which is made once all shards have the above.
  std::unique_ptr<broker::ShareStateGateway> share_gateway;
  std::unique_ptr<coordinator::GroupCoordinator> groups;
  std::unique_ptr<broker::DeadLetterWriter> dead_letters;
  std::unique_ptr<broker::SharePartitions> share_partitions;
  std::unique_ptr<broker::ShareSessionCache> share_sessions;
  std::unique_ptr<broker::TransactionGateway> gateway;
  std::unique_ptr<coordinator::TransactionCoordinator> transactions;
  std::unique_ptr<broker::Dispatcher> dispatcher;
  std::unique_ptr<net::FrameServer> server;

  ShardParts(runtime::Shard& own, replica::LogDirectories& directories, const cluster::BrokerConfig& config,
             replica::ReplicaSetOptions options, replica::CompactionSlots& compaction_slots,
             replica::LogCleanerMetrics& cleaner_metrics, replica::LogScrubberMetrics& scrubber_metrics,
             runtime::MemoryBudget& budget, std::size_t session_slots)
      : shard(&own),
        view(options.self, config),
        facts(view),
        replicas(own, directories, config, options),
        cleaner(own, replicas, compaction_slots, budget, cleaner_metrics),
        scrubber(own, replicas, options.shard_count, scrubber_metrics),
        share_states(own, broker::share_state_config(config), facts),
        sessions(session_slots) {}
};

/// Calls `work(ShardParts&)`, a Task<void>, on each shard in turn.
template <class Work>
Task<void> on_each(std::vector<std::unique_ptr<ShardParts>>& shards, Work& work) {
  for (const auto& parts : shards) {
    const auto call = [&]() -> Task<bool> {
      co_await work(*parts);
      co_return true;
    };
    [[maybe_unused]] const bool done = co_await parts->shard->run(call);
  }
}

}  // namespace

/// From start to stop.
class Server::Impl {
 public:
  Impl(runtime::Host& host, const cluster::BrokerConfig& config)
      : host_(host),
        shard_(host.shard(0)),
        config_(config),
        budget_(memory_limit(config)),
        key_memory_(budget_.limit() / kKeyMemoryShare),
        net_metrics_(registry_),
        metrics_(registry_),
        replica_metrics_(registry_),
        cleaner_metrics_(registry_),
        scrubber_metrics_(registry_),
        group_metrics_(registry_),
        transaction_metrics_(registry_),
        share_metrics_(registry_),
        share_slots_(static_cast<std::size_t>(config.number("group.share.max.share.sessions"))) {}

  Task<int> run() {
    const runtime::Instant begun = shard_.clock().now();
    Result<void> started = co_await start();
    if (!started) {
      log::error("broker_cannot_start", {{"why", started.error().context}});
      co_await stop();
      co_return 1;
    }
    log::info(
        "broker_started",
        {{"node_id", config_.node_id().value()},
         {"cluster_id", mirror_->image()->cluster_id},
         {"topics", mirror_->image()->topics.size()},
         {"shards", host_.shard_count()},
         {"ms",
          std::chrono::duration_cast<std::chrono::milliseconds>(shard_.clock().now() - begun).count()}});
    co_await host_.stop_requested();
    log::info("broker_stopping");
    co_await stop();
    log::info("broker_stopped");
    co_return 0;
  }

 private:
  Task<Result<void>> start() {
    BROOK_CO_TRY(directories_, replica::LogDirectories::open(shard_.files(), config_.log_dirs()));
    BROOK_CO_TRY(const std::optional<std::string> known, directories_->cluster_id());
    const std::string keeper_path =
        directories_->all().front()->directory->path() + "/" + std::string(kKeeperDirectory);
    BROOK_CO_TRY(keeper_, co_await keeper::Server::open(shard_, shard_.files(), keeper_path));
    client_ = keeper_->connect();
    BROOK_CO_TRY(const std::string cluster_id,
                 co_await cluster::Controller::open_cluster(shard_, *client_, known));
    std::vector<Uuid> directory_ids;
    for (std::size_t i = 0; i < directories_->all().size(); ++i)
      directory_ids.push_back(Uuid::from_random(shard_.random().uuid_bytes()));
    BROOK_CO_CHECK(directories_->claim(cluster_id, config_.node_id(), directory_ids));
    mirror_ = std::make_unique<cluster::Mirror>(shard_, *client_);
    BROOK_CO_CHECK(co_await mirror_->start());
    controller_ = std::make_unique<cluster::Controller>(shard_, *client_, *mirror_, config_);
    BROOK_CO_TRY(broker_epoch_, co_await controller_->register_broker(
                                    {config_.node_id(), config_.advertised_listeners(), rack()}));
    BROOK_CO_TRY(const bool elected, co_await controller_->elect());
    if (!elected) co_return fail(ErrorCode::kNotController, "another broker holds the controller's office");
    BROOK_CO_CHECK(co_await adopt_partitions(shard_, *client_, *mirror_, *directories_, config_.node_id()));
    BROOK_CO_CHECK(set_strays_aside(shard_.files(), *directories_, *mirror_->image(), config_.node_id(),
                                    shard_.random()));
    co_await make_shards();
    Result<void> listening = listen();
    co_return listening;
  }

  [[nodiscard]] std::optional<std::string> rack() const {
    const std::string rack = config_.text("broker.rack");
    return rack.empty() ? std::nullopt : std::optional(rack);
  }

  Task<void> make_shards() {
    const std::size_t count = host_.shard_count();
    const replica::ReplicaSetOptions options{
        .self = config_.node_id(),
        .shard_count = count,
        .producer_id_expiration = config_.millis("producer.id.expiration.ms"),
        .retention_check_interval = config_.millis("log.retention.check.interval.ms"),
        .metrics = &replica_metrics_,
        .key_memory = &key_memory_};
    const auto slots = static_cast<std::size_t>(config_.number("max.incremental.fetch.session.cache.slots"));
    std::vector<broker::PartitionRouter::Lane> lanes;
    std::vector<broker::MetadataPublisher::Target> targets;
    for (std::size_t i = 0; i < count; ++i) {
      auto& parts = shards_.emplace_back(std::make_unique<ShardParts>(
          host_.shard(i), *directories_, config_, options, compaction_slots_, cleaner_metrics_,
          scrubber_metrics_, budget_, std::max<std::size_t>(1, slots / count)));
      lanes.push_back({parts->shard, &parts->replicas});
    }
    router_ = std::make_unique<broker::PartitionRouter>(std::move(lanes));
    make_groups();
    make_transactions();
    for (const auto& parts : shards_) {
      targets.push_back({parts->shard, &parts->view, &parts->replicas, parts->groups.get(), &parts->facts,
                         parts->transactions.get(), &parts->share_states});
    }
    publisher_ =
        std::make_unique<broker::MetadataPublisher>(shard_, *mirror_, *controller_, std::move(targets));
    make_share_partitions();
    co_await publisher_->start();
    const net::FrameServerOptions frames{
        .request_bytes_max = static_cast<std::size_t>(config_.number("socket.request.max.bytes")),
        .idle_max = config_.millis("connections.max.idle.ms")};
    const auto prepare = [&](ShardParts& parts) -> Task<void> {
      parts.dispatcher = broker::make_dispatcher(
          *parts.shard, metrics_, parts.view, *router_, *publisher_, *group_router_,
          {*transaction_router_, *markers_, *producer_ids_},
          {*share_router_, *parts.share_gateway, *share_partition_router_, *parts.share_sessions},
          parts.sessions, parts.traffic, budget_, *directories_);
      parts.server =
          std::make_unique<net::FrameServer>(*parts.shard, *parts.dispatcher, budget_, net_metrics_, frames);
      parts.shard->gate().spawn(parts.replicas.keep_house());
      parts.shard->gate().spawn(parts.cleaner.run());
      parts.shard->gate().spawn(parts.scrubber.run());
      parts.shard->gate().spawn(parts.groups->keep_house());
      parts.shard->gate().spawn(parts.transactions->abort_timed_out());
      parts.shard->gate().spawn(parts.transactions->expire());
      parts.shard->gate().spawn(parts.share_states.keep_house());
      parts.shard->gate().spawn(parts.share_partitions->expire_locks());
      co_return;
    };
    co_await on_each(shards_, prepare);
    std::vector<TopicMetrics::Source> sources;
    for (const auto& parts : shards_)
      sources.push_back({parts->shard, &parts->view, &parts->traffic, &parts->replicas});
    topic_metrics_ = std::make_unique<TopicMetrics>(registry_, metrics_, std::move(sources));
    std::vector<TransactionWatch::Source> watched;
    for (const auto& parts : shards_) watched.push_back({parts->shard, parts->transactions.get()});
    transaction_watch_ = std::make_unique<TransactionWatch>(registry_, std::move(watched));
    std::vector<GroupLag::Source> lagging;
    for (const auto& parts : shards_)
      lagging.push_back({parts->shard, parts->groups.get(), &parts->replicas});
    group_lag_ = std::make_unique<GroupLag>(registry_, shards_.front()->view, std::move(lagging));
    checkpointer_ = std::make_unique<Checkpointer>(shard_, *router_, *directories_,
                                                   config_.millis("log.flush.offset.checkpoint.interval.ms"));
    std::vector<DiskWatch::Target> on_disks;
    for (const auto& parts : shards_) on_disks.push_back({parts->shard, &parts->view, &parts->replicas});
    disk_watch_ = std::make_unique<DiskWatch>(
        shard_, *directories_, std::move(on_disks),
        DiskWatchOptions{
            .min_free_bytes = static_cast<std::uint64_t>(config_.number("brook.log.min.free.bytes")),
            .reserve_bytes = static_cast<std::uint64_t>(config_.number("brook.log.reserve.bytes"))},
        registry_);
    shard_.gate().spawn(finish_opening());
    const runtime::Instant listen_by = shard_.clock().now() + config_.millis("brook.start.wait.ms");
    [[maybe_unused]] const bool opened = co_await publisher_->opened_by(listen_by);
    co_await disk_watch_->look();
    shard_.gate().spawn(disk_watch_->run());
    shard_.gate().spawn(remove_deleted());
  }

  /// What needs all partitions: checkpoints, which would forget the others, and the word that what the page
  /// cache holds was read.
  Task<void> finish_opening() {
    while (!stopping_ && !co_await publisher_->opened_by(shard_.clock().now() + kOpeningLook)) {
    }
    if (stopping_) co_return;
    std::size_t unopened = 0;
    const auto look = [&](ShardParts& parts) -> Task<void> {
      unopened += parts.replicas.offline_partitions().size();
      co_return;
    };
    co_await on_each(shards_, look);
    if (stopping_) co_return;
    if (unopened == 0) directories_->note_cache_life();
    all_opened_ = true;
    co_await checkpointer_->run();
  }

  void make_groups() {
    std::vector<broker::ShareStateRouter::Lane> share_lanes;
    for (const auto& parts : shards_) share_lanes.push_back({parts->shard, &parts->share_states});
    share_router_ = std::make_unique<broker::ShareStateRouter>(std::move(share_lanes));
    std::vector<broker::GroupRouter::Lane> lanes;
    const coordinator::GroupConfig config = broker::group_config(config_);
    for (const auto& parts : shards_) {
      parts->share_gateway =
          std::make_unique<broker::ShareStateGateway>(*parts->shard, parts->view, *share_router_);
      parts->groups = std::make_unique<coordinator::GroupCoordinator>(*parts->shard, config, parts->facts,
                                                                      *parts->share_gateway, group_metrics_);
      lanes.push_back({parts->shard, parts->groups.get()});
    }
    group_router_ = std::make_unique<broker::GroupRouter>(std::move(lanes));
  }

  void make_share_partitions() {
    std::vector<broker::ShareRouter::Lane> lanes;
    for (const auto& parts : shards_) {
      parts->dead_letters = std::make_unique<broker::DeadLetterWriter>(parts->view, *router_, *publisher_);
      parts->share_partitions = std::make_unique<broker::SharePartitions>(
          *parts->shard, parts->replicas, parts->view, *parts->share_gateway, *parts->dead_letters,
          share_metrics_);
      parts->share_sessions =
          std::make_unique<broker::ShareSessionCache>(share_slots_, share_metrics_.sessions);
      lanes.push_back({parts->shard, parts->share_partitions.get()});
    }
    share_partition_router_ = std::make_unique<broker::ShareRouter>(std::move(lanes));
  }

  void make_transactions() {
    producer_ids_ = std::make_unique<broker::ProducerIds>(shard_, *controller_);
    markers_ = std::make_unique<broker::MarkerWriter>(*router_, *group_router_);
    std::vector<broker::TransactionRouter::Lane> lanes;
    for (const auto& parts : shards_) {
      parts->gateway = std::make_unique<broker::TransactionGateway>(parts->view, *markers_, *producer_ids_);
      parts->transactions = std::make_unique<coordinator::TransactionCoordinator>(
          *parts->shard, broker::transaction_config(config_), transaction_metrics_, *parts->gateway);
      lanes.push_back({parts->shard, parts->transactions.get()});
    }
    transaction_router_ = std::make_unique<broker::TransactionRouter>(std::move(lanes));
  }

  /// Directories of partitions that were deleted before the last stop, and whose delay had not passed then.
  Task<void> remove_deleted() {
    std::vector<std::string> paths;
    for (const auto& entry : directories_->all()) {
      const auto partitions = entry->directory->partitions();
      if (!partitions) continue;
      for (const storage::PartitionDirectory& partition : *partitions) {
        if (partition.kind == storage::PartitionDirectoryKind::kDelete)
          paths.push_back(entry->directory->path_of(partition));
      }
    }
    for (const std::string& path : paths) {
      Result<void> removed = co_await shard_.files().remove_tree(path);
      if (!removed) log::warn("directory_not_removed", {{"path", path}, {"why", removed.error().context}});
    }
  }

  Result<void> listen() {
    std::vector<net::FrameServer*> servers;
    for (const auto& parts : shards_) servers.push_back(parts->server.get());
    net::ConnectionLimits limits{
        .connections_max = static_cast<std::size_t>(config_.number("max.connections")),
        .connections_per_ip_max = static_cast<std::size_t>(config_.number("max.connections.per.ip")),
        .connections_per_ip_overrides = config_.connections_per_ip_overrides()};
    const runtime::ListenOptions options{
        .backlog = static_cast<std::int32_t>(config_.number("socket.listen.backlog.size")),
        .receive_buffer_bytes = asked_buffer("socket.receive.buffer.bytes"),
        .send_buffer_bytes = asked_buffer("socket.send.buffer.bytes")};
    acceptor_ = std::make_unique<net::ConnectionAcceptor>(shard_, std::move(servers), limits, registry_);
    registry_.gauge_callback("brook_memory_budget_bytes", "What requests in flight and buffers may hold.",
                             [this] { return static_cast<double>(budget_.limit()); });
    registry_.gauge_callback("brook_memory_budget_used_bytes", "What they hold now.",
                             [this] { return static_cast<double>(budget_.used()); });
    registry_.gauge_callback("brook_log_cleaner_kept_key_bytes",
                             "Hashes of keys that wait for compaction, so that it need not read for them.",
                             [this] { return static_cast<double>(key_memory_.used()); });
    for (const cluster::Endpoint& endpoint : config_.listeners()) {
      if (endpoint.security_protocol != "PLAINTEXT") {
        return fail(ErrorCode::kInvalidConfig,
                    fmt::format("listener {}: security protocol {} is not there yet; use PLAINTEXT",
                                endpoint.listener, endpoint.security_protocol));
      }
      BROOK_TRY(
          const runtime::Address at,
          acceptor_->listen(endpoint.listener,
                            {endpoint.host.empty() ? std::string("0.0.0.0") : endpoint.host, endpoint.port},
                            options));
      log::info("listening", {{"listener", endpoint.listener}, {"address", runtime::to_text(at)}});
    }
    for (const std::string& path : config_.log_dirs()) log::info("data", {{"directory", path}});
    return listen_admin();
  }

  /// Kafka's default of 100 KiB would keep the kernel from growing a buffer with its connection's speed and
  /// distance: it holds where somebody asked for it.
  [[nodiscard]] std::optional<std::int32_t> asked_buffer(std::string_view key) const {
    const auto bytes = static_cast<std::int32_t>(config_.number(key));
    return config_.is_set(key) && bytes > 0 ? std::optional(bytes) : std::nullopt;
  }

  Result<void> listen_admin() {
    const std::optional<cluster::Endpoint> endpoint = config_.admin_listener();
    if (!endpoint) return {};
    http_ = std::make_unique<net::HttpServer>(
        shard_, [this](net::HttpRequest request) { return answer(std::move(request)); });
    const Result<runtime::Address> at = http_->listen({endpoint->host, endpoint->port});
    if (!at) {
      if (config_.is_set("brook.admin.listener")) return std::unexpected(at.error());
      // Nobody asked for it: several brokers on one machine need no configuration for it.
      log::warn("admin_port_not_opened", {{"why", at.error().context}});
      return {};
    }
    log::info("listening", {{"listener", "admin"}, {"address", runtime::to_text(*at)}});
    return {};
  }

  [[nodiscard]] std::string health() const {
    const std::int64_t opening = replica_metrics_.opening.value();
    return opening > 0 ? fmt::format("ok, {} partitions are still being opened\n", opening) : "ok\n";
  }

  Task<net::HttpResponse> answer(net::HttpRequest request) {
    if (request.method != "GET")
      co_return net::HttpResponse{.status = 405, .content_type = "text/plain", .body = "GET only\n"};
    if (request.path == "/healthz")
      co_return net::HttpResponse{.status = 200, .content_type = "text/plain", .body = health()};
    if (request.path != "/metrics")
      co_return net::HttpResponse{
          .status = 404, .content_type = "text/plain", .body = "try /metrics or /healthz\n"};
    co_await topic_metrics_->gather();
    co_await transaction_watch_->gather();
    co_await group_lag_->gather();
    co_return net::HttpResponse{.status = 200,
                                .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                .body = registry_.render()};
  }

  /// In the order of dependence: no new requests, then none at all, then the logs, then the metadata. Parts
  /// that a failed start never made are passed over.
  Task<void> stop() {
    stopping_ = true;
    if (http_) co_await http_->stop();
    if (acceptor_) co_await acceptor_->stop();
    // All coordinators before any connection: a request that waits on one shard may be another shard's.
    const auto end_waits = [](ShardParts& parts) -> Task<void> {
      if (parts.share_gateway) parts.share_gateway->stop();
      if (parts.share_partitions) parts.share_partitions->stop();
      if (parts.groups) parts.groups->stop();
      parts.share_states.stop();
      if (parts.transactions) parts.transactions->stop();
      parts.replicas.stop();
      co_return;
    };
    co_await on_each(shards_, end_waits);
    const auto drain = [](ShardParts& parts) -> Task<void> {
      if (parts.dispatcher) parts.dispatcher->stop();
      if (parts.server) co_await parts.server->stop();
    };
    co_await on_each(shards_, drain);
    if (publisher_) co_await publisher_->stop();
    if (checkpointer_) co_await checkpointer_->stop();
    if (disk_watch_) co_await disk_watch_->stop();
    // Before groups and logs of any shard, which its markers go to.
    const auto end_transactions = [](ShardParts& parts) -> Task<void> {
      if (parts.transactions) co_await parts.transactions->close();
    };
    co_await on_each(shards_, end_transactions);
    bool written = true;
    const auto close = [&written](ShardParts& parts) -> Task<void> {
      if (parts.groups) co_await parts.groups->close();
      co_await parts.share_states.close();
      parts.cleaner.stop();
      parts.scrubber.stop();
      const bool closed = co_await parts.replicas.close();
      written = written && closed;
    };
    co_await on_each(shards_, close);
    if (checkpointer_) co_await mark_clean(written);
    if (mirror_) co_await mirror_->close();
    if (client_) {
      [[maybe_unused]] const auto closed = co_await client_->close();
    }
    controller_.reset();
    if (keeper_) co_await keeper_->close();
  }

  /// One sync for all the logs of a directory, and only then the word that nothing needs to be recovered.
  Task<void> mark_clean(bool written) {
    if (!all_opened_) {
      log::warn("stop_not_clean", {{"what", "partitions were still being opened; the next start does it"}});
      co_return;
    }
    for (const auto& entry : directories_->all()) {
      if (!written) break;
      if (entry->health->offline()) continue;
      Result<void> synced = co_await shard_.files().sync_file_system(entry->directory->path());
      written = synced.has_value();
      if (!synced) log::error("logs_not_synced", {{"why", synced.error().context}});
    }
    if (!written) {
      log::warn("stop_not_clean", {{"what", "the next start checks the logs' ends"}});
      co_return;
    }
    co_await checkpointer_->write();
    const std::vector<TopicPartition> unopened = co_await checkpointer_->unopened();
    for (const auto& entry : directories_->all()) {
      if (entry->health->offline()) continue;
      // What could not be opened was not checked either.
      const auto here = std::ranges::find_if(unopened, [&](const TopicPartition& partition) {
        return shard_.files().exists(entry->directory->path_of(partition));
      });
      if (here != unopened.end()) {
        log::warn("stop_not_clean",
                  {{"what", "a partition could not be opened; the next start checks the directory's logs"},
                   {"path", entry->directory->path_of(*here)}});
        continue;
      }
      Result<void> marked = entry->directory->write_clean_shutdown(broker_epoch_.value());
      if (!marked) log::warn("clean_shutdown_not_marked", {{"why", marked.error().context}});
    }
  }

  runtime::Host& host_;
  runtime::Shard& shard_;
  const cluster::BrokerConfig& config_;
  MetricRegistry registry_;
  runtime::MemoryBudget budget_;
  runtime::MemoryBudget key_memory_;
  net::FrameServerMetrics net_metrics_;
  broker::BrokerMetrics metrics_;
  replica::ReplicaMetrics replica_metrics_;
  replica::LogCleanerMetrics cleaner_metrics_;
  replica::LogScrubberMetrics scrubber_metrics_;
  replica::CompactionSlots compaction_slots_;
  coordinator::GroupMetrics group_metrics_;
  coordinator::TransactionMetrics transaction_metrics_;
  broker::ShareMetrics share_metrics_;
  broker::ShareSessionSlots share_slots_;
  std::unique_ptr<replica::LogDirectories> directories_;
  std::unique_ptr<keeper::Server> keeper_;
  std::unique_ptr<keeper::Client> client_;
  std::unique_ptr<cluster::Mirror> mirror_;
  std::unique_ptr<cluster::Controller> controller_;
  cluster::BrokerEpoch broker_epoch_;
  std::vector<std::unique_ptr<ShardParts>> shards_;
  std::unique_ptr<broker::PartitionRouter> router_;
  std::unique_ptr<broker::ShareStateRouter> share_router_;
  std::unique_ptr<broker::GroupRouter> group_router_;
  std::unique_ptr<broker::ShareRouter> share_partition_router_;
  std::unique_ptr<broker::ProducerIds> producer_ids_;
  std::unique_ptr<broker::MarkerWriter> markers_;
  std::unique_ptr<broker::TransactionRouter> transaction_router_;
  std::unique_ptr<broker::MetadataPublisher> publisher_;
  std::unique_ptr<TopicMetrics> topic_metrics_;
  std::unique_ptr<TransactionWatch> transaction_watch_;
  std::unique_ptr<GroupLag> group_lag_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<DiskWatch> disk_watch_;
  std::unique_ptr<net::ConnectionAcceptor> acceptor_;
  std::unique_ptr<net::HttpServer> http_;
  bool all_opened_ = false;  ///< or found damaged
  bool stopping_ = false;
};

Server::Server(runtime::Host& host, const cluster::BrokerConfig& config)
    : impl_(std::make_unique<Impl>(host, config)) {}

Server::~Server() = default;

Task<int> Server::run() { return impl_->run(); }

int run_server(const cluster::BrokerConfig& config) {
  const std::unique_ptr<runtime::Host> host = runtime::make_host(
      {.shards = static_cast<std::size_t>(config.number("brook.shards")), .file_threads = 4});
  std::unique_ptr<Server> server;
  return host->run([&](runtime::Host& own) {
    server = std::make_unique<Server>(own, config);
    return server->run();
  });
}

}  // namespace brook::app

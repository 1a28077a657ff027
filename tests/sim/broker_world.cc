// A whole broker with its keeper on a simulated machine, and clients made of client/ on another: producers
// that repeat what is not answered, readers, committed offsets, topics that come and go. The broker is
// stopped, killed, or its machine loses power, at any change of its disk; connections are cut and slow. When
// all is quiet everything is read.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/server.h"
#include "broker_model.h"
#include "client/admin.h"
#include "client/client.h"
#include "client/consumer.h"
#include "client/group_admin.h"
#include "client/producer.h"
#include "cluster/config.h"
#include "runtime/gate.h"
#include "runtime/simulated/simulated_host.h"
#include "transaction_model.h"
#include "transactional_client.h"
#include "verdict.h"
#include "worlds.h"

namespace brook::sim {
namespace {

using namespace std::chrono_literals;
using runtime::Task;
using runtime::simulated::Disk;
using runtime::simulated::Network;
using runtime::simulated::SimulatedHost;
using runtime::simulated::World;

constexpr std::uint64_t kDiskBytes = 256UL << 20U;
constexpr runtime::Duration kStandstill = 6h;
constexpr std::int32_t kPartitions = 2;
constexpr std::size_t kProducers = 3;
constexpr std::size_t kTransactionalProducers = 2;
constexpr std::uint64_t kKeys = 8;
constexpr int kReadTries = 20;
constexpr runtime::Duration kWaitForDeath = 100s;

constexpr std::string_view kConfig = R"(
node.id=1
log.dirs=/data
listeners=PLAINTEXT://broker:9092
brook.admin.listener=
brook.memory.limit.bytes=33554432
brook.log.min.free.bytes=1048576
brook.log.reserve.bytes=65536
auto.create.topics.enable=false
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=3000
log.flush.offset.checkpoint.interval.ms=2000
log.segment.delete.delay.ms=1500
log.cleaner.backoff.ms=1000
log.cleaner.dedupe.buffer.size=65536
log.cleaner.min.cleanable.ratio=0.1
log.index.interval.bytes=200
)";

struct TopicKind {
  std::string_view name;
  bool durable;
  bool compacted;
};
constexpr std::string_view kTransactions = "transactions";
constexpr TopicKind kTopics[] = {
    {"durable", true, false}, {"plain", false, false}, {"compacted", true, true}};

/// A topic that only comes and goes.
enum class Presence { kAbsent, kPresent, kUnknown };

/// Offsets that one client commits, which only grow.
struct GroupModel {
  std::int64_t sent = 0;
  std::int64_t acknowledged = 0;
  std::uint64_t power_cuts = 0;  ///< before the acknowledged one was sent
};

client::NewTopic new_topic(std::string_view name, std::int32_t partitions) {
  client::NewTopic topic;
  topic.name = name;
  topic.partitions = partitions;
  topic.replication_factor = 1;
  return topic;
}

class BrokerWorld {
 public:
  explicit BrokerWorld(std::uint64_t seed)
      : world_(seed), disk_(world_, kDiskBytes), no_disk_(world_, 0), network_(world_) {
    all_durable_ = world_.draw(2) == 0;
    std::vector<std::pair<std::string, std::string>> overrides;
    if (all_durable_) overrides.emplace_back("log.flush.interval.messages", "1");
    // The others wait for it: clients meet no partition that is not open yet.
    if (seed % 3 != 0) overrides.emplace_back("brook.start.wait.ms", "0");
    auto config = cluster::BrokerConfig::load(kConfig, "simulation", overrides);
    if (!config) violated("the configuration is not one: " + config.error().context);
    config_ = std::make_unique<cluster::BrokerConfig>(*std::move(config));
    for (const TopicKind& topic : kTopics) {
      for (std::int32_t i = 0; i < kPartitions; ++i) {
        const TopicPartition partition{std::string(topic.name), PartitionIndex(i)};
        models_.try_emplace(partition, fmt::format("{}-{}", topic.name, i), topic.durable || all_durable_,
                            topic.compacted);
      }
    }
    faulty_ = world_.draw(3) == 0;
    shards_ = 1 + world_.draw(3);
    lives_left_ = 1 + world_.draw(4);
  }

  Outcome run() {
    start_broker();
    clients_ = std::make_unique<SimulatedHost>(world_, no_disk_, network_, "clients", 1);
    clients_->start([this](runtime::Host& host) { return run_clients(host.shard(0)); });
    while (!clients_->ended()) {
      if (!world_.run_until([this] { return clients_->ended() || broker_is_gone(); }, kStandstill))
        violated("nothing goes on");
      if (broker_is_gone()) {
        bury_broker();
        const runtime::Instant later = world_.now() + world_.draw(1ms, 3s);
        static_cast<void>(world_.run_until([&] { return world_.now() >= later; }, kStandstill));
        start_broker();
      }
    }
    quiet_ = true;
    stop_broker();
    outcome_.trace = world_.trace();
    outcome_.steps = world_.steps();
    return outcome_;
  }

 private:
  [[nodiscard]] runtime::Instant in(runtime::Duration time) const { return world_.now() + time; }
  [[nodiscard]] client::ClientOptions client_options() const {
    client::ClientOptions options;
    options.bootstrap = {{"broker", 9092}};
    options.request_timeout = 10s;
    options.operation_timeout = 120s;
    return options;
  }

  // The broker's lives.

  void start_broker() {
    broker_ = std::make_unique<SimulatedHost>(world_, disk_, network_, "broker", shards_);
    ++broker_starts_;
    disk_.no_fatal_change();
    failed_syncs_ = disk_.failed_syncs();
    if (!quiet_ && lives_left_ > 0) {
      disk_.at_change(world_.draw(world_.draw(3) == 0 ? 60 : 1500), [this] { die(); });
    }
    broker_->start([this](runtime::Host& host) {
      server_ = std::make_unique<app::Server>(host, *config_);
      return server_->run();
    });
  }

  void die() {
    --lives_left_;
    // After a failed sync the cache holds what the disk will never have: only the machine's end is the end of
    // that.
    const bool power = world_.draw(2) == 0 || disk_.failed_syncs() > failed_syncs_;
    if (power) disk_.cut_power();
    broker_->crash();
    ++(power ? outcome_.power_cuts : outcome_.kills);
  }

  [[nodiscard]] bool broker_is_gone() const { return !broker_->alive() || broker_->ended(); }

  void bury_broker() {
    if (broker_->alive()) {
      const bool lossy = disk_.failed_syncs() > failed_syncs_ || (faulty_ && broker_->result() != 0);
      if (broker_->result() != 0 && !lossy) violated("the broker does not start, or not stop");
      ++(lossy ? outcome_.power_cuts : outcome_.clean_stops);
      if (lossy) disk_.cut_power();
      server_.reset();
      broker_.reset();
      return;
    }
    static_cast<void>(server_.release());
    SimulatedHost::abandon(std::move(broker_));
  }

  void stop_broker() {
    broker_->request_stop();
    if (!world_.run_until([this] { return broker_is_gone(); }, kStandstill))
      violated("the broker does not stop");
    bury_broker();
  }

  // The clients.

  Task<int> run_clients(runtime::Shard& shard) {
    shard_ = &shard;
    co_await create_topics();
    network_.faults = {.cut = world_.draw(2) == 0 ? 0.002 : 0, .slow = world_.draw(2) == 0 ? 0.005 : 0};
    runtime::Gate work;
    for (std::size_t i = 0; i < kProducers; ++i) work.spawn(produce(i));
    for (std::size_t i = 0; i < kTransactionalProducers; ++i) work.spawn(run_transactions(i));
    work.spawn(change_topics());
    work.spawn(commit_offsets());
    work.spawn(read_along());
    work.spawn(trouble());
    const runtime::Instant end = in(world_.draw(2s, 20s));
    const runtime::Instant last_end = end + kWaitForDeath;
    while (world_.now() < end || (lives_left_ > 0 && world_.now() < last_end))
      co_await shard.clock().sleep_until(in(100ms));
    stopping_ = true;
    co_await work.close();
    network_.faults = {};
    co_await end_quietly();
    co_await verify();
    co_return 0;
  }

  /// The machine is slow, its disk too, or fails to sync, until it is started again.
  Task<void> trouble() {
    while (!stopping_) {
      co_await shard_->clock().sleep_until(in(world_.draw(100ms, 2s)));
      if (world_.draw(4) == 0 && broker_) broker_->stall(in(world_.draw(10ms, 2s)));
      disk_.faults.slow = world_.draw(4) == 0 ? 0.05 : 0;
      disk_.faults.sync_error = faulty_ && lives_left_ > 0 && world_.draw(4) == 0 ? 0.02 : 0;
      if (disk_.failed_syncs() > failed_syncs_ && lives_left_ > 0 && world_.draw(3) == 0 && broker_ &&
          broker_->alive())
        die();
    }
    disk_.faults = {};
    if (disk_.failed_syncs() > failed_syncs_ && broker_ && broker_->alive()) {
      ++lives_left_;
      die();
    }
  }

  /// Once more, after all was answered: stopped, killed, or without power.
  Task<void> end_quietly() {
    quiet_ = true;
    const std::uint64_t how = world_.draw(3);
    if (how == 0) {
      broker_->request_stop();
    } else {
      ++lives_left_;
      die();
    }
    const std::uint64_t before = broker_starts_;
    while (broker_starts_ == before) co_await shard_->clock().sleep_until(in(100ms));
  }

  Task<void> create_topics() {
    client::Client client(*shard_, client_options());
    client::Admin admin(client);
    std::vector<client::NewTopic> topics;
    for (const TopicKind& kind : kTopics) {
      client::NewTopic topic = new_topic(kind.name, kPartitions);
      if (kind.durable) topic.configs["flush.messages"] = "1";
      if (kind.compacted) topic.configs["cleanup.policy"] = "compact";
      topic.configs["segment.index.bytes"] = fmt::format("{}", 60 + world_.draw(400));
      topics.push_back(std::move(topic));
    }
    topics.push_back(new_topic(kTransactions, kPartitions));
    while (!topics.empty()) {
      const auto created = co_await admin.create_topics(topics);
      if (!created) continue;
      for (const auto& one : *created) {
        if (one.outcome || one.outcome.error().code == ErrorCode::kTopicAlreadyExists)
          std::erase_if(topics, [&](const auto& topic) { return topic.name == one.name; });
      }
    }
    co_await client.stop();
  }

  Task<void> produce(std::size_t index) {
    client::Client client(*shard_, client_options());
    client::ProducerOptions options;
    options.batch_bytes = 400 + world_.draw(2000);
    options.linger = std::chrono::milliseconds(world_.draw(10));
    client::Producer producer(client, options);
    while (!stopping_) {
      const std::uint64_t burst = 1 + world_.draw(5);
      for (std::uint64_t i = 0; i < burst; ++i) send(producer, index);
      outcome_.operations += burst;
      co_await shard_->clock().sleep_until(in(world_.draw(100us, 60ms)));
    }
    co_await producer.flush();
    co_await producer.stop();
    co_await client.stop();
  }

  void send(client::Producer& producer, std::size_t index) {
    const auto chosen = std::next(models_.begin(), static_cast<std::ptrdiff_t>(world_.draw(models_.size())));
    PartitionModel& model = chosen->second;
    const std::string key = fmt::format("k{}", world_.draw(kKeys));
    const std::string value = model.send(index, key);
    client::ProducerRecord record{
        .topic = chosen->first.topic, .partition = chosen->first.partition, .key = key, .value = value};
    client::Producer::Delivered delivered =
        [&model, value, cuts = outcome_.power_cuts](const Result<client::DeliveredRecord>& done) {
          if (done && done->offset) model.acknowledged(value, done->offset->value(), cuts);
        };
    static_cast<void>(producer.try_send(record, delivered));
  }

  Task<void> run_transactions(std::size_t index) {
    client::Client client(*shard_, client_options());
    TransactionalClient producer(client, fmt::format("producer-{}", index));
    bool ready = false;
    while (!stopping_) {
      co_await shard_->clock().sleep_until(in(world_.draw(1ms, 200ms)));
      if (!ready) {
        Result<void> begun = co_await producer.init();
        ready = begun.has_value();
        continue;
      }
      ++outcome_.operations;
      ready = co_await run_transaction(producer);
    }
    // What is still open is ended by the next of its name.
    Result<void> ended = fail(ErrorCode::kNone, "");
    for (int i = 0; i < kReadTries && !ended; ++i) ended = co_await producer.init();
    if (!ended) violated("a transactional producer cannot begin anew: " + ended.error().context);
    co_await client.stop();
  }

  /// False where it is not known what became of it.
  Task<bool> run_transaction(TransactionalClient& producer) {
    using Fate = TransactionModel::Fate;
    const std::size_t transaction = transactions_.begin(outcome_.power_cuts);
    const std::uint64_t writes = 1 + world_.draw(4);
    for (std::uint64_t i = 0; i < writes; ++i) {
      const auto index = static_cast<std::int32_t>(world_.draw(static_cast<std::uint64_t>(kPartitions)));
      std::vector<std::string> values;
      for (std::uint64_t left = 1 + world_.draw(3); left > 0; --left)
        values.push_back(transactions_.write(transaction));
      Result<void> written =
          co_await producer.write({std::string(kTransactions), PartitionIndex(index)}, std::move(values));
      if (!written) {
        // It was not asked to commit.
        transactions_.settle(transaction, Fate::kAborted);
        co_return false;
      }
    }
    const bool commit = world_.draw(3) != 0;
    if (!commit) transactions_.settle(transaction, Fate::kAborted);
    Result<void> ended = co_await producer.end(commit);
    if (ended && commit) transactions_.settle(transaction, Fate::kCommitted);
    co_return ended.has_value();
  }

  Task<void> change_topics() {
    client::Client client(*shard_, client_options());
    client::Admin admin(client);
    while (!stopping_) {
      co_await shard_->clock().sleep_until(in(world_.draw(10ms, 500ms)));
      const std::string name = fmt::format("t{}", world_.draw(4));
      Presence& presence = topics_[name];
      const bool makes = presence == Presence::kUnknown ? world_.draw(2) == 0 : presence == Presence::kAbsent;
      presence = Presence::kUnknown;
      ++outcome_.operations;
      if (makes) {
        std::vector<client::NewTopic> wanted{new_topic(name, 1)};
        const auto made = co_await admin.create_topics(std::move(wanted));
        if (!made) continue;
        settle(name, made->front().outcome ? ErrorCode::kNone : made->front().outcome.error().code, true);
      } else {
        std::vector<std::string> wanted{name};
        const auto deleted = co_await admin.delete_topics(std::move(wanted));
        if (!deleted) continue;
        settle(name, deleted->front().outcome ? ErrorCode::kNone : deleted->front().outcome.error().code,
               false);
      }
    }
    co_await client.stop();
  }

  /// A request may have been repeated after its first answer was lost, so that what it wanted is there
  /// already.
  void settle(const std::string& name, ErrorCode code, bool made) {
    if (code == ErrorCode::kNone) topics_[name] = made ? Presence::kPresent : Presence::kAbsent;
    if (code == ErrorCode::kTopicAlreadyExists && made) topics_[name] = Presence::kPresent;
    if (code == ErrorCode::kUnknownTopicOrPartition && !made) topics_[name] = Presence::kAbsent;
  }

  Task<void> commit_offsets() {
    client::Client client(*shard_, client_options());
    client::GroupAdmin groups(client);
    while (!stopping_) {
      co_await shard_->clock().sleep_until(in(world_.draw(5ms, 300ms)));
      const std::string group = fmt::format("g{}", world_.draw(3));
      GroupModel& model = groups_[group];
      const std::int64_t offset = ++model.sent;
      const std::uint64_t cuts = outcome_.power_cuts;
      ++outcome_.operations;
      const client::CommittedOffset commit{{"durable", PartitionIndex(0)}, Offset(offset), ""};
      std::vector<client::CommittedOffset> commits{commit};
      const auto done = co_await groups.commit(group, std::move(commits));
      if (!done || !done->front().outcome) continue;
      model.acknowledged = offset;
      model.power_cuts = cuts;
    }
    co_await client.stop();
  }

  Task<void> read_along() {
    client::Client client(*shard_, client_options());
    while (!stopping_) {
      co_await shard_->clock().sleep_until(in(world_.draw(10ms, 800ms)));
      const auto chosen =
          std::next(models_.begin(), static_cast<std::ptrdiff_t>(world_.draw(models_.size())));
      // What a reader saw may be lost again where it was not on the disk; then what he saw is not one log.
      const std::uint64_t cuts = outcome_.power_cuts;
      const auto seen = co_await read(client, chosen->first);
      if (!seen || cuts != outcome_.power_cuts) continue;
      chosen->second.check(*seen, false, outcome_.power_cuts);
      ++outcome_.checks;
    }
    co_await client.stop();
  }

  /// All of a partition; an error where a fault came between.
  Task<Result<std::vector<PartitionModel::Seen>>> read(
      client::Client& client, TopicPartition partition,
      client::IsolationLevel isolation = client::IsolationLevel::kReadUncommitted) {
    std::vector<PartitionModel::Seen> seen;
    client::ConsumerOptions options;
    options.isolation = isolation;
    options.partition_bytes_max = 500 + world_.draw(4000);
    client::Consumer consumer(client, options);
    std::vector<client::Assignment> assignment{{partition, client::OffsetSpec::earliest()}};
    Result<void> assigned = co_await consumer.assign(std::move(assignment));
    std::optional<Error> failed;
    if (!assigned) failed = assigned.error();
    int empty_polls = 0;
    while (!failed) {
      const auto batches = co_await consumer.poll(in(30s));
      if (!batches) {
        failed = batches.error();
        break;
      }
      for (const client::ConsumedBatch& batch : *batches) {
        for (const client::ConsumedRecord& record : batch.records)
          seen.push_back({record.offset.value(), to_string(record.key.value_or(ByteView())),
                          to_string(record.value.value_or(ByteView()))});
      }
      const auto progress = consumer.progress(partition);
      empty_polls = batches->empty() ? empty_polls + 1 : 0;
      // What compaction and a power cut left empty before the log's end is passed with the next record, as in
      // Apache Kafka.
      if (quiet_ && outcome_.power_cuts > 0 && empty_polls > kReadTries) break;
      if (!progress || !progress->at_end()) continue;
      // An end of a transaction is answered before it is written everywhere.
      if (progress->high_watermark == progress->end_offset) break;
      failed = Error{ErrorCode::kUnstableOffsetCommit, "transactions are still open"};
    }
    co_await consumer.stop();
    if (failed) co_return std::unexpected(*failed);
    co_return seen;
  }

  /// A power cut may have taken the coordinator's word of a transaction that then stays open.
  [[nodiscard]] bool forgets() const { return !all_durable_ && outcome_.power_cuts > 0; }

  // What must be true in the end.

  Task<void> verify() {
    client::Client client(*shard_, client_options());
    for (const auto& [partition, model] : models_) {
      Result<std::vector<PartitionModel::Seen>> seen = fail(ErrorCode::kNone, "");
      for (int i = 0; i < kReadTries && !seen; ++i) seen = co_await read(client, partition);
      if (!seen) violated(fmt::format("{} cannot be read: {}", model.name(), seen.error().context));
      model.check(*seen, true, outcome_.power_cuts);
      ++outcome_.checks;
    }
    co_await verify_transactions(client);
    co_await verify_topics(client);
    co_await verify_groups(client);
    co_await client.stop();
  }

  Task<void> verify_transactions(client::Client& client) {
    std::vector<std::string> values;
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      const TopicPartition partition{std::string(kTransactions), PartitionIndex(i)};
      Result<std::vector<PartitionModel::Seen>> seen = fail(ErrorCode::kNone, "");
      for (int tries = 0; tries < kReadTries && !seen; ++tries) {
        if (tries > 0) co_await shard_->clock().sleep_until(in(5s));
        seen = co_await read(client, partition, client::IsolationLevel::kReadCommitted);
      }
      // A transaction that nobody knows holds back the records behind it, and nothing can be said of them.
      if (!seen && seen.error().code == ErrorCode::kUnstableOffsetCommit && forgets()) co_return;
      if (!seen) violated("transactions cannot be read: " + seen.error().context);
      for (PartitionModel::Seen& record : *seen) values.push_back(std::move(record.value));
    }
    transactions_.check(values, all_durable_, outcome_.power_cuts);
    ++outcome_.checks;
  }

  Task<void> verify_topics(client::Client& client) {
    const auto cluster = co_await client.all_topics();
    if (!cluster) violated("the cluster does not tell its topics: " + cluster.error().context);
    for (const auto& [name, presence] : topics_) {
      const bool present = cluster->find(name) != nullptr;
      if (presence == Presence::kPresent && !present) violated(name + " was created, and is not there");
      if (presence == Presence::kAbsent && present) violated(name + " was deleted, and is there");
    }
  }

  Task<void> verify_groups(client::Client& client) {
    client::GroupAdmin groups(client);
    for (const auto& [name, model] : groups_) {
      const auto offsets = co_await groups.offsets(name);
      if (!offsets) violated("a group does not tell its offsets: " + offsets.error().context);
      const std::int64_t found = offsets->empty() ? 0 : offsets->front().offset.value();
      const bool may_lose = !all_durable_ && outcome_.power_cuts > model.power_cuts;
      if (found > model.sent || (found < model.acknowledged && !may_lose))
        violated(fmt::format("{} has committed {}, was told {} and sent {}", name, found, model.acknowledged,
                             model.sent));
    }
  }

  World world_;
  Disk disk_;
  Disk no_disk_;
  Network network_;
  std::unique_ptr<cluster::BrokerConfig> config_;
  std::map<TopicPartition, PartitionModel> models_;
  std::map<std::string, Presence> topics_;
  std::map<std::string, GroupModel> groups_;
  TransactionModel transactions_;
  Outcome outcome_;
  std::size_t shards_ = 1;
  std::uint64_t lives_left_ = 0;    ///< deaths that are still to come
  std::uint64_t failed_syncs_ = 0;  ///< before the broker's present life
  bool faulty_ = false;
  bool all_durable_ = false;  ///< flush.messages=1 for all topics, also the internal ones
  bool stopping_ = false;
  bool quiet_ = false;
  std::unique_ptr<SimulatedHost> clients_;
  runtime::Shard* shard_ = nullptr;
  std::unique_ptr<SimulatedHost> broker_;
  std::uint64_t broker_starts_ = 0;
  std::unique_ptr<app::Server> server_;
};

}  // namespace

Outcome run_broker(std::uint64_t seed) { return BrokerWorld(seed).run(); }

}  // namespace brook::sim

// The brokers and their controller: registration, election, what a predecessor left half done; producer ids,
// which any broker takes for itself.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/log.h"
#include "cluster/internal/controller_impl.h"
#include "cluster/topic_plan.h"
#include "cluster/znode_codec.h"

namespace brook::cluster {
namespace {

using internal::kWriteAttempts;
using internal::new_uuid;
using internal::refused;
using keeper::CreateMode;
using keeper::CreateOp;
using keeper::KeeperError;
using keeper::Operation;
using keeper::SetOp;

constexpr std::int32_t kProducerIdBlockSize = 1000;

/// What Kafka makes at a broker's start, parents first.
constexpr std::string_view kPersistentPaths[] = {"/admin",
                                                 "/admin/delete_topics",
                                                 "/brokers",
                                                 "/brokers/ids",
                                                 "/brokers/seqid",
                                                 "/brokers/topics",
                                                 "/cluster",
                                                 "/config",
                                                 "/config/brokers",
                                                 "/config/changes",
                                                 "/config/clients",
                                                 "/config/client-metrics",
                                                 "/config/groups",
                                                 "/config/ips",
                                                 "/config/topics",
                                                 "/config/users",
                                                 "/consumers",
                                                 "/isr_change_notification",
                                                 "/latest_producer_id_block",
                                                 "/log_dir_event_notification"};

/// Creates the node where it is absent.
Task<Result<void>> ensure_node(keeper::Client& client, std::string path, std::string data) {
  auto present = co_await client.exists(path);
  if (!present) co_return refused(present.error());
  if (*present) co_return Result<void>{};
  auto created = co_await client.create(path, std::move(data), CreateMode::kPersistent);
  if (!created && created.error().code != KeeperError::kNodeExists) co_return refused(created.error());
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::string>> Controller::open_cluster(runtime::Shard& shard, keeper::Client& client,
                                                   std::optional<std::string> expected) {
  for (const std::string_view path : kPersistentPaths) {
    Result<void> made = co_await ensure_node(client, std::string(path), "");
    if (!made) co_return std::unexpected(std::move(made).error());
  }
  const std::string fresh = expected ? *expected : new_uuid(shard.random()).text();
  Result<void> made = co_await ensure_node(client, std::string(kClusterIdPath), encode_cluster_id(fresh));
  if (!made) co_return std::unexpected(std::move(made).error());
  auto stored = co_await client.get(std::string(kClusterIdPath));
  if (!stored) co_return refused(stored.error());
  BROOK_CO_TRY(std::string id, decode_cluster_id(stored->data));
  if (expected && id != *expected) {
    co_return fail(
        ErrorCode::kInconsistentClusterId,
        fmt::format(
            "the meta.properties of the data directories say cluster {}, the metadata says cluster {}",
            *expected, id));
  }
  co_return id;
}

Task<Result<BrokerEpoch>> Controller::Impl::register_broker(BrokerRegistration registration) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  const BrokerInfo broker{
      registration.id, {}, std::move(registration.endpoints), std::move(registration.rack)};
  const std::string payload = encode_broker(broker, shard_.clock().wall_now());
  auto created = co_await client_.create(broker_path(broker.id), payload, CreateMode::kEphemeral);
  if (!created && created.error().code == KeeperError::kNodeExists) {
    auto present = co_await client_.exists(broker_path(broker.id));
    if (!present) co_return refused(present.error());
    if (*present && (*present)->ephemeral_owner != client_.session_id()) {
      co_return fail(ErrorCode::kDuplicateBrokerRegistration,
                     fmt::format("Another broker is registered with the node id {}.", broker.id.value()));
    }
    auto changed = co_await client_.set(broker_path(broker.id), payload, std::nullopt);
    if (!changed) co_return refused(changed.error());
    BROOK_CO_CHECK(co_await settled());
    co_return BrokerEpoch(changed->czxid.value());
  }
  if (!created) co_return refused(created.error());
  BROOK_CO_CHECK(co_await settled());
  co_return BrokerEpoch(created->stat.czxid.value());
}

Task<Result<bool>> Controller::Impl::claim_office() {
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    auto holder = co_await client_.exists(std::string(kControllerPath));
    if (!holder) co_return refused(holder.error());
    if (*holder) co_return office_ && (*holder)->ephemeral_owner == client_.session_id();
    Result<void> made = co_await ensure_node(client_, std::string(kControllerEpochPath), "0");
    if (!made) co_return std::unexpected(std::move(made).error());
    auto stored = co_await client_.get(std::string(kControllerEpochPath));
    if (!stored) co_return refused(stored.error());
    BROOK_CO_TRY(const ControllerEpoch last, decode_controller_epoch(stored->data));
    const ControllerEpoch epoch = last.next();
    std::vector<Operation> operations;
    operations.push_back(CreateOp{std::string(kControllerPath),
                                  encode_controller({self_, shard_.clock().wall_now()}),
                                  CreateMode::kEphemeral});
    operations.push_back(
        SetOp{std::string(kControllerEpochPath), std::to_string(epoch.value()), stored->stat.version});
    auto taken = co_await client_.multi(std::move(operations));
    if (taken) {
      office_ = Office{epoch, taken->results[1].stat.version};
      log::info("controller_elected", {{"broker", self_.value()}, {"controller_epoch", epoch.value()}});
      co_return true;
    }
    // Another broker was faster: look again.
    if (taken.error().code != KeeperError::kNodeExists && taken.error().code != KeeperError::kBadVersion)
      co_return refused(taken.error());
  }
  co_return false;
}

Task<Result<bool>> Controller::Impl::elect() {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  if (office_) co_return true;
  BROOK_CO_TRY(const bool won, co_await claim_office());
  BROOK_CO_CHECK(co_await settled());
  if (!won) co_return false;
  BROOK_CO_CHECK(co_await finish_predecessors_work());
  co_return is_controller();
}

Task<Result<void>> Controller::Impl::finish_predecessors_work() {
  const std::set<std::string, std::less<>> deleting = image().deleting;
  for (const std::string& name : deleting) {
    auto removed = co_await finish_removal(name);
    if (!removed) co_return std::unexpected(write_error(removed.error()));
    log::info("topic_deletion_finished", {{"topic", name}});
  }
  std::vector<TopicPtr> incomplete;
  image().topics.for_each([&](const TopicPtr& topic) {
    const auto known = [](const PartitionInfo& partition) { return partition.partition_epoch.has_value(); };
    if (!std::ranges::all_of(topic->partitions, known)) incomplete.push_back(topic);
  });
  for (const TopicPtr& topic : incomplete) BROOK_CO_CHECK(co_await complete_topic(topic));
  auto written = co_await write_chunks(elect_leaders());
  if (!written) co_return std::unexpected(write_error(written.error()));
  Result<void> seen = co_await settled();
  co_return seen;
}

/// Writes the states that are missing because the controller that made the topic ended in the middle.
Task<Result<void>> Controller::Impl::complete_topic(TopicPtr topic) {
  std::vector<Operation> all = partition_operations(image(), *topic, 0, office_->epoch);
  all.insert(all.begin(), CreateOp{partitions_path(topic->name), ""});
  std::vector<Operation> missing;
  for (Operation& operation : all) {
    auto present = co_await client_.exists(std::get<CreateOp>(operation).path);
    if (!present) co_return refused(present.error());
    if (!*present) missing.push_back(std::move(operation));
  }
  auto written = co_await write_chunks(std::move(missing));
  if (!written) co_return std::unexpected(write_error(written.error()));
  log::info("topic_completed", {{"topic", topic->name}});
  co_return Result<void>{};
}

/// New leaders for partitions whose leader is gone: the first replica that is in sync and alive; none where
/// there is none.
std::vector<Operation> Controller::Impl::elect_leaders() const {
  std::vector<Operation> operations;
  image().topics.for_each([&](const TopicPtr& topic) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionInfo& partition = topic->partitions[i];
      if (!partition.partition_epoch || (partition.leader && image().broker(*partition.leader))) continue;
      PartitionStateZnode state{std::nullopt, partition.leader_epoch.next(), office_->epoch, {}};
      std::ranges::copy_if(partition.isr, std::back_inserter(state.isr),
                           [&](BrokerId id) { return image().broker(id) != nullptr; });
      for (const BrokerId id : partition.replicas) {
        if (!state.leader && std::ranges::find(state.isr, id) != state.isr.end()) state.leader = id;
      }
      if (!state.leader && !partition.leader) continue;
      if (!state.leader) state.isr = partition.isr;
      operations.push_back(SetOp{partition_state_path(topic->name, static_cast<std::int32_t>(i)),
                                 encode_partition_state(state), partition.partition_epoch->value()});
    }
  });
  return operations;
}

Task<Result<ProducerIdBlock>> Controller::Impl::allocate_producer_ids() {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  const std::string path(kProducerIdBlockPath);
  for (int attempt = 0; attempt < kWriteAttempts; ++attempt) {
    auto stored = co_await client_.get(path);
    if (!stored) co_return refused(stored.error());
    std::int64_t first = 0;
    if (!stored->data.empty()) {
      BROOK_CO_TRY(const ProducerIdBlockZnode last, decode_producer_id_block(stored->data));
      if (last.last > std::numeric_limits<std::int64_t>::max() - kProducerIdBlockSize - 1) {
        co_return fail(ErrorCode::kUnknownServerError, "All producer ids have been used.");
      }
      first = last.last + 1;
    }
    const ProducerIdBlockZnode block{self_, first, first + kProducerIdBlockSize - 1};
    auto written = co_await client_.set(path, encode_producer_id_block(block), stored->stat.version);
    if (written) co_return ProducerIdBlock{ProducerId(first), kProducerIdBlockSize};
    if (written.error().code != KeeperError::kBadVersion) co_return refused(written.error());
  }
  co_return fail(ErrorCode::kRequestTimedOut, "Other brokers took producer ids at the same time.");
}

}  // namespace brook::cluster
